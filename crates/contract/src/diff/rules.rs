//! The rules, by number: below `D100` what breaks callers, from there on what does not. Numbers are for ever: add, never change
//! what one means.

use crate::lint::Rule;
use crate::tree::Severity;

const fn breaking(number: &'static str, title: &'static str, help: &'static str) -> Rule {
    Rule { number, severity: Severity::Error, title, help }
}

const fn unclear(number: &'static str, title: &'static str, help: &'static str) -> Rule {
    Rule { number, severity: Severity::Warning, title, help }
}

const fn compatible(number: &'static str, title: &'static str) -> Rule {
    Rule { number, severity: Severity::Note, title, help: "" }
}

const KEEP: &str = "keep it, and mark it `deprecated: true`";
const VERSION: &str = "make it a version of its own";
const OPTIONAL: &str = "leave it optional, with a default";

/// All rules, in order.
pub const RULES: &[Rule] = &[
    breaking("D001", "operations stay", KEEP),
    breaking("D002", "parameters stay", KEEP),
    breaking("D003", "new parameters are optional", OPTIONAL),
    breaking("D004", "optional parameters stay optional", OPTIONAL),
    breaking("D005", "parameters are written as before", "leave `style` and `explode` as they are"),
    breaking("D006", "media types of requests stay", KEEP),
    breaking("D007", "optional bodies stay optional", OPTIONAL),
    breaking("D008", "bodies of requests stay", KEEP),
    breaking("D009", "new members of requests are optional", OPTIONAL),
    breaking("D010", "optional members of requests stay optional", OPTIONAL),
    breaking("D011", "members of requests stay", KEEP),
    breaking("D012", "requests take all types that they took", VERSION),
    breaking("D013", "requests take all values that they took", VERSION),
    breaking("D014", "limits of requests are no narrower", VERSION),
    breaking("D015", "whoever may call may still call", "let the old credentials count beside the new ones"),
    breaking("D020", "answers of success stay", KEEP),
    breaking("D021", "media types of answers stay", KEEP),
    breaking("D022", "members of answers stay", KEEP),
    breaking("D023", "members that are always there stay so", "keep it `required`"),
    breaking("D024", "answers have no other types than promised", VERSION),
    breaking("D025", "answers have no other values than promised", VERSION),
    breaking("D026", "limits of answers are no wider", VERSION),
    breaking("D027", "fields of answers stay", KEEP),
    unclear("D090", "changes can be compared", "look at it; nobody can tell by rule whom it breaks"),
    unclear("D091", "operations keep their id", "generated clients name their calls after it"),
    compatible("D101", "an operation is new"),
    compatible("D102", "an optional parameter is new"),
    compatible("D103", "a parameter is no longer required"),
    compatible("D104", "a media type of requests is new"),
    compatible("D105", "a body is no longer required, or new and optional"),
    compatible("D106", "an optional member of requests is new"),
    compatible("D107", "a member of requests is no longer required"),
    compatible("D108", "requests may be more than they were"),
    compatible("D110", "an answer is new, or one of failure is gone"),
    compatible("D111", "a media type of answers is new"),
    compatible("D112", "a member or a field of answers is new"),
    compatible("D113", "a member of answers is always there now"),
    compatible("D114", "answers are less than they might have been"),
    compatible("D115", "more callers may call"),
    compatible("D116", "an operation is deprecated"),
];
