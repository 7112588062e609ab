//! The `mask` and `errors` sections as people write them.

use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::scalar::{Count, Flag, Text};

/// What of answers is not for everybody. It has one of `fields`, `detect`, `sensitivity`, `allow` and `declared`. Answers of a route with such rules have to be
/// JSON, documents of JSON on lines, or server-sent events with JSON; anything else is refused with 502.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaskRule {
    /// Its name in metrics and reports. By default where it stands.
    pub(crate) name: Option<Text>,
    /// Places whose values are masked: `$.customer.email`, `$.items[*].price`, `$..iban`, `$['a b']`, `$.list[0]` (RFC 9535, without
    /// filters and slices).
    pub(crate) fields: Option<Vec<Text>>,
    /// What is masked wherever it stands in a text or a number.
    pub(crate) detect: Option<Vec<Detect>>,
    /// Values that the contract marks with one of these classes, by `x-sensitivity: pii` on a schema. A class that no rule names is
    /// left out for everybody; `public` is none. `x-visible-to: [support]` on a schema needs no rule.
    pub(crate) sensitivity: Option<Vec<Text>>,
    /// Places that may leave. Where any rule has `allow` or `declared`, nothing leaves that no rule allows to this caller.
    pub(crate) allow: Option<Vec<Text>>,
    /// `true`: what the contract declares for the answer of the operation may leave.
    pub(crate) declared: Option<Flag>,
    /// Callers with one of these roles see the values.
    pub(crate) unless_roles: Option<Vec<Text>>,
    /// Callers with one of these scopes see the values.
    pub(crate) unless_scopes: Option<Vec<Text>>,
    /// These consumers, or subjects of tokens, see the values.
    pub(crate) unless_consumers: Option<Vec<Text>>,
    /// Callers with one of these values in one of these claims see the values.
    pub(crate) unless_claims: Option<IndexMap<String, Vec<Text>>>,
    /// The rule is for these callers only: all others see the values, or, of `allow`, see nothing by it.
    pub(crate) only_for: Option<MaskCallers>,
    /// What is shown in place of a value.
    #[schemars(extend("default" = "remove"))]
    pub(crate) show: Option<Show>,
}

/// Callers of whom one of these is true.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct MaskCallers {
    /// They have one of these roles.
    pub(crate) roles: Option<Vec<Text>>,
    /// They have one of these scopes.
    pub(crate) scopes: Option<Vec<Text>>,
    /// They are one of these consumers, or the subject of a token.
    pub(crate) consumers: Option<Vec<Text>>,
    /// A claim of theirs has one of these values.
    pub(crate) claims: Option<IndexMap<String, Vec<Text>>>,
}

/// What can be found in texts and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Detect {
    /// Numbers of payment cards, by their check digit.
    Card,
    /// Account numbers (ISO 13616), by their check digits.
    Iban,
    /// Addresses of mail.
    Email,
    /// Telephone numbers with `+` and country, or as they are written in North America.
    Phone,
    /// Numbers of persons: Brazil, France, India, Italy, Poland, Spain, the United Kingdom, the United States.
    NationalId,
    /// Tokens and keys of programs.
    BearerToken,
    /// Private keys in PEM.
    PrivateKey,
}

/// What is shown in place of a value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Show {
    /// Nothing: the member or item is left out; of a text, the part that was found.
    Remove,
    /// `null` in JSON.
    Nulled,
    /// This text.
    Replace(Text),
    /// Some characters of it, and never more than half.
    Partial(Partial),
    /// A keyed hash: the same for the same value. Needs `mask_key`.
    Hash,
    /// A token, from which only `mask_key` leads back: digits for digits, else a sealed text.
    Tokenise,
    /// Something less exact; `null` for what is none of it.
    Generalise(Generalise),
}

/// Which characters of a value are shown.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Partial {
    /// So many at its beginning.
    #[schemars(extend("default" = 0, "minimum" = 0, "maximum" = super::defaults::MAX_SHOWN))]
    pub(crate) first: Option<Count>,
    /// So many at its end.
    #[schemars(extend("default" = 0, "minimum" = 0, "maximum" = super::defaults::MAX_SHOWN))]
    pub(crate) last: Option<Count>,
}

/// Less exact.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Generalise {
    /// Of a date, the year.
    Year,
    /// Of a date, year and month.
    Month,
    /// Of a number, the range of this width that it is in: `30-39` for 37 and 10.
    Range(Count),
}

/// What becomes of answers with a status from 400 on that servers give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Errors {
    /// They leave as they are.
    Pass,
    /// Those that give something away (stack traces, statements of databases, paths, internal hosts, pages for developers) are replaced
    /// by a problem with the same status; so are those that cannot be looked at. The rest leaves as it is.
    Scrub,
    /// All of them are replaced by a problem with the same status.
    Replace,
}
