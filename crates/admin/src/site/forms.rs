//! In which form whoever scrapes metrics wants them (RFC 9110 section 12.5.1).

use axum::http::HeaderMap;
use axum::http::header::ACCEPT;

const OPENMETRICS: &str = "application/openmetrics-text";

/// Whether OpenMetrics 1.0 is named, and wanted at least as much as plain text. Whoever takes anything gets plain text.
pub(super) fn wants_openmetrics(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let forms: Vec<(&str, f32)> = lines.flat_map(|line| line.split(',')).filter_map(form).collect();
    let quality = |wanted: &str| {
        let all = forms.iter().filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
        all.map(|(_, quality)| *quality).fold(0.0, f32::max)
    };
    let open = quality(OPENMETRICS);
    open > 0.0 && open >= quality("text/plain")
}

/// A form and its quality; none in a version of OpenMetrics that we do not write.
fn form(item: &str) -> Option<(&str, f32)> {
    let mut parts = item.split(';').map(str::trim);
    let (name, mut quality) = (parts.next()?, 1.0);
    for part in parts {
        let (key, value) = part.split_once('=')?;
        let is_ours = matches!(value.trim_matches('"'), "1.0.0" | "1.0");
        if key.eq_ignore_ascii_case("q") {
            quality = value.parse().ok().filter(|quality| (0.0..=1.0).contains(quality))?;
        } else if key.eq_ignore_ascii_case("version") && name.eq_ignore_ascii_case(OPENMETRICS) && !is_ours {
            return None;
        }
    }
    Some((name, quality))
}

#[cfg(test)]
mod tests {
    use super::wants_openmetrics;
    use axum::http::header::ACCEPT;
    use axum::http::{HeaderMap, HeaderValue};

    #[test]
    fn plain_text_unless_the_other_form_is_wanted_as_much() {
        const PROMETHEUS: &str = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";
        let rows: [(&[&'static str], bool); 15] = [
            (&[], false),
            (&["*/*"], false),
            (&["text/plain"], false),
            (&["application/openmetrics-text"], true),
            (&["Application/OpenMetrics-Text; version=\"1.0.0\"; charset=utf-8"], true),
            (&[PROMETHEUS], true),
            (&["text/plain;q=0.3", "application/openmetrics-text;version=1.0.0;q=0.5"], true),
            (&["text/plain;version=0.0.4;q=0.9,application/openmetrics-text;q=0.5"], false),
            (&["application/openmetrics-text;version=0.0.1"], false),
            (&["application/openmetrics-text;version=2.0.0, */*"], false),
            (&["application/openmetrics-text;q=0"], false),
            (&["application/openmetrics-text;q=2"], false),
            (&["application/openmetrics-text;q=NaN"], false),
            (&["application/openmetrics-text;q"], false),
            (&["application/openmetrics-textual"], false),
        ];
        for (lines, expected) in rows {
            let mut headers = HeaderMap::new();
            for line in lines {
                headers.append(ACCEPT, HeaderValue::from_static(line));
            }
            assert_eq!(wants_openmetrics(&headers), expected, "{lines:?}");
        }
    }
}
