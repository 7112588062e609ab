//! The rules, by number. Numbers are for ever: add, never change what one means.

use crate::tree::Severity;

/// One rule.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// `C001`
    pub number: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// What holds where it is kept.
    pub title: &'static str,
    /// What to do where it is not.
    pub help: &'static str,
}

const fn rule(number: &'static str, severity: Severity, title: &'static str, help: &'static str) -> Rule {
    Rule { number, severity, title, help }
}

/// All rules, in order.
pub const RULES: &[Rule] = &[
    rule(
        "C001",
        Severity::Error,
        "every operation says who may call it",
        "add `security`; a public one says `security: []`",
    ),
    rule("C002", Severity::Warning, "no scheme is optional", "remove `{}`, or say `security: []` if it is public"),
    rule(
        "C003",
        Severity::Error,
        "every scheme that is asked for is defined",
        "define it in `components.securitySchemes`",
    ),
    rule("C004", Severity::Warning, "servers speak https", "write `https://`"),
    rule("C005", Severity::Warning, "no key stands in a query", "put it into a header field: queries end in logs"),
    rule("C006", Severity::Note, "no password is sent with each request", "use tokens rather than `http` `basic`"),
    rule(
        "C007",
        Severity::Warning,
        "no flow of OAuth that is out of use",
        "use `authorizationCode` or `clientCredentials`",
    ),
    rule("C008", Severity::Warning, "addresses of authorization servers speak https", "write `https://`"),
    rule(
        "C010",
        Severity::Warning,
        "texts of requests are bounded",
        "add `maxLength`, `enum` or a `format` of fixed length",
    ),
    rule("C011", Severity::Warning, "arrays of requests are bounded", "add `maxItems`"),
    rule("C012", Severity::Note, "numbers of requests are bounded", "add `minimum` and `maximum`, or `format: int32`"),
    rule("C013", Severity::Note, "objects say whether they take other members", "add `additionalProperties: false`"),
    rule(
        "C014",
        Severity::Warning,
        "objects of requests take no members of any kind",
        "say what they may be, or forbid them",
    ),
    rule("C015", Severity::Warning, "schemas of requests say which type they take", "add `type`"),
    rule("C016", Severity::Warning, "patterns are about the whole text", "begin it with `^` and end it with `$`"),
    rule("C020", Severity::Note, "secured operations declare 401", "add it, so that clients expect it"),
    rule("C021", Severity::Note, "secured operations declare 403", "add it, so that clients expect it"),
    rule("C022", Severity::Note, "operations declare 429", "add it, so that clients expect it"),
    rule("C030", Severity::Warning, "bodies have a schema", "add `schema`"),
    rule(
        "C031",
        Severity::Warning,
        "only methods with a body have one",
        "use POST, PUT or PATCH (RFC 9110 section 9.3)",
    ),
    rule("C032", Severity::Note, "JSON of answers has a schema", "add `schema`, so that nothing else leaves"),
    rule("C033", Severity::Warning, "media types of bodies are named", "name the types that are really taken"),
    rule("C034", Severity::Warning, "passwords never leave", "add `writeOnly: true`"),
    rule(
        "C035",
        Severity::Note,
        "ids cannot be counted through",
        "use a `uuid`, or rules about whose objects they are",
    ),
    rule("C040", Severity::Note, "operations have an id", "add `operationId`: policies and reports name it"),
    rule("C041", Severity::Error, "ids of operations are unique", "name one of them differently"),
];
