//! The same metrics as OpenMetrics 1.0 has them: counters without `_total` in their family's name, bounds of buckets as canonical
//! numbers, exemplars, and an end that says that nothing is missing.

use std::collections::HashMap;

/// Turns the text format of Prometheus into OpenMetrics; `exemplars` by the series that they belong to.
pub(crate) fn openmetrics(plain: &str, exemplars: &HashMap<String, String>) -> String {
    let kinds = plain.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let kinds: HashMap<&str, &str> = kinds.collect();
    let mut out = String::with_capacity(plain.len() + plain.len() / 8);
    for line in plain.lines() {
        match line.strip_prefix("# ").and_then(|rest| rest.split_once(' ')) {
            Some((word, rest)) => described(word, rest, &kinds, &mut out),
            None => sample(line, exemplars, &mut out),
        }
        out.push('\n');
    }
    out.push_str("# EOF\n");
    out
}

/// A line about a family.
fn described(word: &str, rest: &str, kinds: &HashMap<&str, &str>, out: &mut String) {
    let (name, text) = rest.split_once(' ').unwrap_or((rest, ""));
    let (family, kind) = family(name, kinds);
    let text = if word == "TYPE" { kind.to_owned() } else { text.replace('"', "\\\"") };
    for part in ["# ", word, " ", family, " ", &text] {
        out.push_str(part);
    }
}

/// What a family is called and what it is. A counter whose name without `_total` is another family's keeps its own, and is of
/// unknown kind.
fn family<'a>(name: &'a str, kinds: &HashMap<&str, &'a str>) -> (&'a str, &'a str) {
    let kind = kinds.get(name).copied().unwrap_or("unknown");
    if kind != "counter" {
        return (name, kind);
    }
    match name.strip_suffix("_total").filter(|base| !kinds.contains_key(base)) {
        Some(base) => (base, kind),
        None => (name, "unknown"),
    }
}

fn sample(line: &str, exemplars: &HashMap<String, String>, out: &mut String) {
    let found = line.rsplit_once(' ').and_then(|(series, value)| {
        let (before, bound) = series.strip_suffix("\"}")?.rsplit_once(",le=\"")?;
        Some((series, before, bound, value))
    });
    let Some((series, before, bound, value)) = found else { return out.push_str(line) };
    for part in [before, ",le=\"", &canonical(bound), "\"} ", value] {
        out.push_str(part);
    }
    if let Some(exemplar) = exemplars.get(series) {
        out.push_str(" # ");
        out.push_str(exemplar);
    }
}

/// A bound as a float's shortest text, with a fraction or an exponent.
fn canonical(bound: &str) -> String {
    let Some(fraction) = bound.strip_prefix("0.") else {
        return if bound.contains('.') || bound == "+Inf" { bound.to_owned() } else { format!("{bound}.0") };
    };
    let digits = fraction.trim_start_matches('0');
    let exponent = fraction.len() - digits.len() + 1;
    if exponent <= 4 {
        return bound.to_owned();
    }
    let (first, rest) = digits.split_at_checked(1).unwrap_or((digits, ""));
    format!("{first}{}{rest}e-{exponent:02}", if rest.is_empty() { "" } else { "." })
}

#[cfg(test)]
mod tests {
    use super::{canonical, openmetrics};
    use crate::metrics::BUCKETS_US;
    use std::collections::HashMap;

    #[test]
    fn bounds_are_canonical_numbers() {
        for (bound, expected) in [
            ("0.00005", "5e-05"),
            ("0.000025", "2.5e-05"),
            ("0.0001", "0.0001"),
            ("0.00025", "0.00025"),
            ("0.5", "0.5"),
            ("2.5", "2.5"),
            ("10", "10.0"),
            ("+Inf", "+Inf"),
        ] {
            assert_eq!(canonical(bound), expected);
        }
        let texts = BUCKETS_US.map(|micros| canonical(&super::super::text::seconds(micros * 1000)));
        assert_eq!((texts[0].as_str(), texts[13].as_str()), ("5e-05", "10.0"));
    }

    #[test]
    fn families_follow_the_rules_for_names() {
        let plain = "# HELP a_total One \"two\".\n# TYPE a_total counter\na_total{x=\"le\"} 1\na_total 2\n\
                     # HELP b B.\n# TYPE b gauge\nb 3\n# HELP b_total Bs.\n# TYPE b_total counter\nb_total 4\n\
                     # HELP h H.\n# TYPE h histogram\nh_bucket{r=\",le=\",le=\"0.5\"} 1\nh_bucket{r=\",le=\",le=\"+Inf\"} 2\nh_sum{r=\"a b\"} 0.2\nh_count{r=\"a b\"} 2\n";
        let series = "h_bucket{r=\",le=\",le=\"0.5\"}".to_owned();
        let exemplars = HashMap::from([(series, "{trace_id=\"ab\"} 0.2 1.5".to_owned())]);
        assert_eq!(
            openmetrics(plain, &exemplars),
            "# HELP a One \\\"two\\\".\n# TYPE a counter\na_total{x=\"le\"} 1\na_total 2\n\
             # HELP b B.\n# TYPE b gauge\nb 3\n# HELP b_total Bs.\n# TYPE b_total unknown\nb_total 4\n\
             # HELP h H.\n# TYPE h histogram\nh_bucket{r=\",le=\",le=\"0.5\"} 1 # {trace_id=\"ab\"} 0.2 1.5\n\
             h_bucket{r=\",le=\",le=\"+Inf\"} 2\nh_sum{r=\"a b\"} 0.2\nh_count{r=\"a b\"} 2\n# EOF\n"
        );
    }
}
