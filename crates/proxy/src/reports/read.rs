//! Reports as browsers write them: one of `application/csp-report` (CSP level 2), or a list of them (Reporting API). What is kept is
//! of a closed set, but for two addresses, without their queries and cut.

use portcullis_contract::json::{Item, Json, Kind, Limits};

/// LIMIT: reports of one message that are looked at.
const REPORTS_MAX: usize = 32;
/// LIMIT: reports that a record shows, and bytes of each address in it.
const SHOWN_MAX: usize = 3;
const ADDRESS_BYTES_MAX: usize = 200;

/// Kinds that have a name of their own.
const KINDS: &[&str] = &[
    "csp-violation",
    "coep",
    "coop",
    "crash",
    "deprecation",
    "document-policy-violation",
    "integrity-violation",
    "intervention",
    "network-error",
    "permissions-policy-violation",
];
/// Directives of CSP level 3 that can be violated.
const DIRECTIVES: &[&str] = &[
    "base-uri",
    "child-src",
    "connect-src",
    "default-src",
    "fenced-frame-src",
    "font-src",
    "form-action",
    "frame-ancestors",
    "frame-src",
    "img-src",
    "manifest-src",
    "media-src",
    "object-src",
    "prefetch-src",
    "report-to",
    "report-uri",
    "require-trusted-types-for",
    "sandbox",
    "script-src",
    "script-src-attr",
    "script-src-elem",
    "style-src",
    "style-src-attr",
    "style-src-elem",
    "trusted-types",
    "upgrade-insecure-requests",
    "worker-src",
];
const OTHER: &str = "other";

/// What is kept of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    /// One of a closed set.
    pub(crate) kind: &'static str,
    /// Of violations of a policy the directive, one of a closed set; else nothing.
    pub(crate) directive: &'static str,
    blocked: String,
    page: String,
}

/// All reports of a message, as far as they are looked at; `None` where it is none.
pub(super) fn reports(body: &[u8]) -> Option<Vec<Report>> {
    let json = Json::parse(body, &Limits::default()).ok()?;
    let root = json.root();
    match root.kind() {
        Kind::Array => Some(root.items().take(REPORTS_MAX).map(of_api).collect()),
        Kind::Object => {
            let report = root.member("csp-report")?;
            let directive = ["effective-directive", "violated-directive"].iter().find_map(|name| report.member(name));
            let said = |name: &str| address(report.member(name));
            let directive = directive_of(directive);
            Some(vec![Report {
                kind: "csp-violation",
                directive,
                blocked: said("blocked-uri"),
                page: said("document-uri"),
            }])
        }
        Kind::Null | Kind::Bool(_) | Kind::Number | Kind::Text => None,
    }
}

fn of_api(report: Item<'_>) -> Report {
    let said = report.member("type").map_or("", Item::text);
    let kind = KINDS.iter().find(|known| **known == said).copied().unwrap_or(OTHER);
    let body = report.member("body");
    let within = |name: &str| body.and_then(|body| body.member(name));
    let directive = if kind == "csp-violation" { directive_of(within("effectiveDirective")) } else { "" };
    Report { kind, directive, blocked: address(within("blockedURL")), page: address(report.member("url")) }
}

/// The directive that a report names, with or without what it says.
fn directive_of(item: Option<Item<'_>>) -> &'static str {
    let said = item.map_or("", Item::text).split(' ').next().unwrap_or_default();
    DIRECTIVES.iter().find(|known| known.eq_ignore_ascii_case(said)).copied().unwrap_or(OTHER)
}

/// An address without its query, in which there may be a secret, and cut.
fn address(item: Option<Item<'_>>) -> String {
    let text = item.map_or("", Item::text);
    let bare = text.split(['?', '#']).next().unwrap_or_default();
    let mut kept = String::new();
    for letter in bare.chars() {
        if kept.len() + letter.len_utf8() > ADDRESS_BYTES_MAX {
            break;
        }
        kept.push(letter);
    }
    kept
}

/// Reports as a record shows them; the first of them.
pub(crate) fn shown(reports: &[Report]) -> String {
    let one = |report: &Report| {
        let mut text = report.kind.to_owned();
        let parts = [("", report.directive), ("blocked ", report.blocked.as_str()), ("on ", report.page.as_str())];
        for (word, part) in parts.into_iter().filter(|(_, part)| !part.is_empty()) {
            text.push_str(&format!(" {word}{part}"));
        }
        text
    };
    let mut text = reports.iter().take(SHOWN_MAX).map(one).collect::<Vec<_>>().join("; ");
    if reports.len() > SHOWN_MAX {
        text.push_str(&format!("; {} more", reports.len() - SHOWN_MAX));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{reports, shown};

    #[test]
    fn reports_are_read_as_browsers_write_them() {
        for (body, expected) in [
            (
                r#"{"csp-report":{"document-uri":"https://shop.example/a?token=s","violated-directive":"script-src 'self'","blocked-uri":"https://evil.example/x.js?y"}}"#,
                Some("csp-violation script-src blocked https://evil.example/x.js on https://shop.example/a"),
            ),
            (
                r#"[{"type":"csp-violation","url":"https://shop.example/","body":{"effectiveDirective":"img-src","blockedURL":"inline"}},{"type":"made-up","body":7}]"#,
                Some("csp-violation img-src blocked inline on https://shop.example/; other"),
            ),
            (
                r#"[{"type":"csp-violation","body":{"effectiveDirective":"made-up"}},{"type":"crash","body":{}},7,[]]"#,
                Some("csp-violation other; crash; other; 1 more"),
            ),
            ("[]", Some("")),
            (r#"{"other":1}"#, None),
            ("7", None),
            ("[", None),
            ("", None),
        ] {
            assert_eq!(reports(body.as_bytes()).map(|found| shown(&found)).as_deref(), expected, "{body}");
        }
        let long = format!(r#"[{{"type":"coep","url":"{}"}}]"#, "é".repeat(1_000));
        assert_eq!(shown(&reports(long.as_bytes()).unwrap()).chars().count(), "coep on ".len() + 100);
        let many = format!("[{}]", vec![r#"{"type":"coop"}"#; 1_000].join(","));
        assert_eq!(reports(many.as_bytes()).unwrap().len(), 32);
    }
}
