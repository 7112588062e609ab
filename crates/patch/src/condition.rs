//! One condition of a patch: which part of a request, and what it is asked for.

use crate::judge::Kind;
use crate::operator::{Comparison, Operator};
use serde::Deserialize;

/// LIMIT: steps to a field of a body.
const STEPS_MAX: usize = 32;
/// LIMIT: bytes of a name.
const NAME_BYTES_MAX: usize = 256;

/// A condition as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConditionForm {
    target: TargetForm,
    name: Option<String>,
    present: Option<bool>,
    equals: Option<String>,
    not_equals: Option<String>,
    contains: Option<String>,
    starts_with: Option<String>,
    ends_with: Option<String>,
    matches: Option<String>,
    not_matches: Option<String>,
    longer_than: Option<u64>,
    is: Option<KindForm>,
    is_not: Option<KindForm>,
    ignore_case: Option<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TargetForm {
    Query,
    Header,
    PathParameter,
    Path,
    Body,
    BodyField,
    FormField,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum KindForm {
    Null,
    Boolean,
    Number,
    Text,
    Array,
    Object,
}

/// A condition, checked.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) target: Target,
    pub(crate) operator: Operator,
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// A parameter of the query; `*` is each.
    Query(String),
    /// The lines of a field.
    Header(String),
    /// A parameter of the path.
    PathParameter(String),
    /// The whole path.
    Path,
    /// The bytes of the body.
    Body,
    /// What stands at a place of a JSON body.
    BodyField(Box<[Step]>),
    /// A field of a body that is a form.
    FormField(String),
}

/// One step into a JSON body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The member with this name, or the item with this number.
    Named(String),
    /// Every member or item.
    Each,
    /// This value and all within it.
    Within,
}

// === impl Condition ===

impl Condition {
    pub(crate) fn of(form: &ConditionForm) -> Result<Self, String> {
        let operator = operator(form)?;
        let target = target(form)?;
        if operator.asks_kind() && !matches!(target, Target::BodyField(_)) {
            return Err("`is` and `is_not` are about a `body_field`".to_owned());
        }
        Ok(Self { target, operator })
    }

    /// Whether it can only be decided with the body.
    pub(crate) fn asks_body(&self) -> bool {
        match self.target {
            Target::Body | Target::BodyField(_) | Target::FormField(_) => true,
            Target::Query(_) | Target::Header(_) | Target::PathParameter(_) | Target::Path => false,
        }
    }
}

fn target(form: &ConditionForm) -> Result<Target, String> {
    let nameless = |target| match form.name {
        Some(_) => Err("this target has no name".to_owned()),
        None => Ok(target),
    };
    let name = || match form.name.as_deref() {
        Some(name) if !name.is_empty() && name.len() <= NAME_BYTES_MAX => Ok(name.to_owned()),
        Some(_) => Err(format!("`name` has 1 to {NAME_BYTES_MAX} bytes")),
        None => Err("this target needs a `name`".to_owned()),
    };
    Ok(match form.target {
        TargetForm::Query => Target::Query(name()?),
        TargetForm::Header => Target::Header(name()?.to_ascii_lowercase()),
        TargetForm::PathParameter => Target::PathParameter(name()?),
        TargetForm::Path => nameless(Target::Path)?,
        TargetForm::Body => nameless(Target::Body)?,
        TargetForm::BodyField => Target::BodyField(steps(&name()?)?),
        TargetForm::FormField => Target::FormField(name()?),
    })
}

/// A JSON Pointer (RFC 6901) in which `*` is every member or item, and `**` the value and all within it.
fn steps(pointer: &str) -> Result<Box<[Step]>, String> {
    let rest = pointer.strip_prefix('/').ok_or("`name` of a `body_field` is a JSON Pointer: it begins with `/`")?;
    let step = |part: &str| match part {
        "*" => Step::Each,
        "**" => Step::Within,
        name => Step::Named(name.replace("~1", "/").replace("~0", "~")),
    };
    let steps: Vec<Step> = rest.split('/').map(step).collect();
    let whole = steps.iter().filter(|step| **step == Step::Within).count();
    if steps.len() > STEPS_MAX || whole > 1 {
        return Err(format!("a pointer has at most {STEPS_MAX} steps, and one `**`"));
    }
    Ok(steps.into())
}

fn operator(form: &ConditionForm) -> Result<Operator, String> {
    let ignore_case = form.ignore_case.unwrap_or(false);
    let text = |value: &Option<String>, comparison| {
        value.as_deref().map(|value| Operator::text(comparison, value, ignore_case))
    };
    let expression =
        |value: &Option<String>, not| value.as_deref().map(|value| Operator::expression(value, ignore_case, not));
    let is = |form: Option<KindForm>, not| form.map(|form| Ok(Operator::Is(form.kind(), not)));
    let present = |there: bool| Ok(if there { Operator::Present } else { Operator::Absent });
    let about_text = [
        text(&form.equals, Comparison::Equals),
        text(&form.not_equals, Comparison::NotEquals),
        text(&form.contains, Comparison::Contains),
        text(&form.starts_with, Comparison::StartsWith),
        text(&form.ends_with, Comparison::EndsWith),
        expression(&form.matches, false),
        expression(&form.not_matches, true),
    ];
    let others = [
        form.present.map(present),
        form.longer_than.map(|bytes| Ok(Operator::LongerThan(bytes))),
        is(form.is, false),
        is(form.is_not, true),
    ];
    if form.ignore_case.is_some() && about_text.iter().all(Option::is_none) {
        return Err("`ignore_case` has no effect without a text to compare with".to_owned());
    }
    let mut all = about_text.into_iter().chain(others).flatten();
    match (all.next(), all.next()) {
        (Some(one), None) => one,
        (None, _) => Err("it says nothing about its target; add one of `present`, `equals`, `not_equals`, `contains`, `starts_with`, \
                          `ends_with`, `matches`, `not_matches`, `longer_than`, `is`, `is_not`"
            .to_owned()),
        (Some(_), Some(_)) => Err("it says two things about its target; write two conditions".to_owned()),
    }
}

// === impl KindForm ===

impl KindForm {
    fn kind(self) -> Kind {
        match self {
            Self::Null => Kind::Null,
            Self::Boolean => Kind::Boolean,
            Self::Number => Kind::Number,
            Self::Text => Kind::Text,
            Self::Array => Kind::Array,
            Self::Object => Kind::Object,
        }
    }
}
