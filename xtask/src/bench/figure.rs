//! One figure of a benchmark: its samples, what is asked of it, and the line that says so.

/// What is asked of the median.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Target {
    AtMost(f64),
    AtLeast(f64),
    /// Nothing: it is stated, so that everybody can see what it is.
    Stated,
}

/// A measured figure.
#[derive(Clone, Debug)]
pub(super) struct Figure {
    pub(super) name: &'static str,
    pub(super) unit: &'static str,
    pub(super) target: Target,
    pub(super) samples: Vec<f64>,
}

impl Target {
    fn text(self) -> String {
        match self {
            Target::AtMost(value) => format!("<= {value}"),
            Target::AtLeast(value) => format!(">= {value}"),
            Target::Stated => "none".to_owned(),
        }
    }
}

impl Figure {
    /// A figure without samples has met nothing.
    pub(super) fn is_met(&self) -> bool {
        let middle = median(&self.samples);
        match self.target {
            Target::AtMost(value) => middle <= value,
            Target::AtLeast(value) => middle >= value,
            Target::Stated => middle.is_finite(),
        }
    }

    pub(super) fn line(&self) -> String {
        let Figure { name, unit, .. } = self;
        let target = self.target.text();
        let (low, high) = spread(&self.samples);
        let verdict = match (self.is_met(), self.target) {
            (true, Target::Stated) => "stated",
            (true, Target::AtMost(_) | Target::AtLeast(_)) => "met",
            (false, _) => "missed",
        };
        let middle = median(&self.samples);
        format!("figure {name} {middle:.3} {unit} spread {low:.3}..{high:.3} target {target} {verdict}")
    }

    pub(super) fn json(&self) -> String {
        let Figure { name, unit, .. } = self;
        let target = self.target.text();
        let (low, high) = spread(&self.samples);
        let (middle, met) = (median(&self.samples), self.is_met());
        format!(
            "{{\"figure\":\"{name}\",\"median\":{middle:.3},\"unit\":\"{unit}\",\"spread\":[{low:.3},{high:.3}],\
             \"target\":\"{target}\",\"met\":{met}}}"
        )
    }
}

/// The middle sample, or the mean of the two in the middle.
pub(super) fn median(samples: &[f64]) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let half = sorted.len() / 2;
    let above = sorted.get(half).copied().unwrap_or(f64::NAN);
    let below = sorted.get(half.saturating_sub(1)).copied().unwrap_or(f64::NAN);
    if sorted.len() % 2 == 1 { above } else { f64::midpoint(below, above) }
}

fn spread(samples: &[f64]) -> (f64, f64) {
    let low = samples.iter().copied().fold(f64::NAN, f64::min);
    let high = samples.iter().copied().fold(f64::NAN, f64::max);
    (low, high)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(target: Target, samples: &[f64]) -> Figure {
        Figure { name: "cpu_ratio", unit: "x", target, samples: samples.to_vec() }
    }

    #[test]
    fn a_figure_speaks_in_one_line() {
        for (target, samples, expected) in [
            (Target::AtMost(1.0), &[1.1, 0.9, 0.8][..], "0.900 x spread 0.800..1.100 target <= 1 met"),
            (Target::AtMost(1.2), &[1.3, 1.2, 1.4], "1.300 x spread 1.200..1.400 target <= 1.2 missed"),
            (Target::AtLeast(1.0), &[1.0, 3.0], "2.000 x spread 1.000..3.000 target >= 1 met"),
            (Target::Stated, &[2.5], "2.500 x spread 2.500..2.500 target none stated"),
            (Target::AtMost(1.0), &[], "NaN x spread NaN..NaN target <= 1 missed"),
        ] {
            assert_eq!(figure(target, samples).line(), format!("figure cpu_ratio {expected}"));
        }
    }

    #[test]
    fn the_same_in_json() {
        let text = figure(Target::AtMost(1.0), &[0.5]).json();
        let value = crate::json::Value::parse(&text).unwrap();
        assert_eq!(value.text("figure"), Some("cpu_ratio"));
        assert_eq!(value.get("met"), Some(&crate::json::Value::Bool(true)));
        assert_eq!(value.list("spread").len(), 2);
    }
}
