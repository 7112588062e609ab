//! A policy without the library: the common operators over the values of a request, ready to be evaluated in a fraction of the
//! time. What is not among them is left to the library, whose answers are the measure of these ones (property test).

use crate::pattern::{Pattern, Range};
use crate::world::{ANONYMOUS, CALLER, Kind, ROLE, Shape, Unclear, Value, Values, resource};
use serde_json::Value as Json;
use std::borrow::Cow;

// LIMIT: operators inside each other; the library refuses deeper ones as well, later and at the cost of more stack.
const NESTING_MAX: usize = 64;

/// Something that has a value.
#[derive(Clone, Debug)]
pub(crate) enum Condition {
    Text(String),
    Number(i64),
    Flag(bool),
    Texts(Vec<String>),
    Get(Source),
    Has(Source),
    /// The caller has a role.
    InRole(String),
    /// The caller is this one.
    IsCaller(String),
    /// Somebody has proved who he is.
    IsKnown,
    /// The request comes from one of these.
    FromOne(Vec<Range>),
    /// It does so over IPv4, or over the other one.
    IsIpv4(bool),
    Like(Box<Condition>, Pattern),
    Not(Box<Condition>),
    Two(Operator, Box<[Condition; 2]>),
    If(Box<[Condition; 3]>),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    And,
    Or,
    Equal,
    Less,
    LessOrEqual,
    Contains,
    ContainsAll,
    ContainsAny,
    Add,
    Subtract,
    Multiply,
}

/// Where a value comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    Sub,
    Property(&'static str),
    Roles,
    Scopes,
    Time,
    Value(Kind, String, Shape),
}

/// What cannot be told.
struct Undecided;

/// What compiling needs to know of the operation.
pub(crate) struct About<'a> {
    pub(crate) action: &'a str,
    pub(crate) parameters: &'a [String],
    pub(crate) values: &'a [(Kind, String, Shape)],
}

// === impl Condition ===

impl Condition {
    /// The whole of a policy in its JSON form; nothing where it needs the library.
    pub(crate) fn compile(policy: &Json, about: &About<'_>) -> Option<Self> {
        let mut all = about.principal(policy.get("principal")?)?;
        all = all.and(about.scope(policy.get("action")?, "Action", about.action)?);
        all = all.and(about.resource(policy.get("resource")?)?);
        for one in policy.get("conditions")?.as_array()? {
            let body = about.expression(one.get("body")?, 0)?;
            all = all.and(match one.get("kind")?.as_str()? {
                "when" => body,
                "unless" => Self::Not(Box::new(body)),
                _ => return None,
            });
        }
        Some(all)
    }

    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Flag(true), one) | (one, Self::Flag(true)) => one,
            (one, other) => Self::two(Operator::And, one, other),
        }
    }

    fn two(operator: Operator, one: Self, other: Self) -> Self {
        Self::Two(operator, Box::new([one, other]))
    }

    /// Whether it holds; nothing where it cannot be evaluated.
    pub(crate) fn holds(&self, shown: &dyn Values) -> Option<bool> {
        match self.value(shown) {
            Ok(Value::Flag(holds)) => Some(holds),
            Ok(Value::Text(_) | Value::Number(_) | Value::Texts(_)) | Err(Undecided) => None,
        }
    }

    fn flag(&self, shown: &dyn Values) -> Result<bool, Undecided> {
        self.holds(shown).ok_or(Undecided)
    }

    fn value<'a>(&'a self, shown: &'a dyn Values) -> Result<Value<'a>, Undecided> {
        Ok(match self {
            Self::Text(text) => Value::Text(Cow::Borrowed(text)),
            Self::Number(number) => Value::Number(*number),
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Texts(all) => Value::Texts(all.iter().map(|one| Cow::Borrowed(one.as_str())).collect()),
            Self::Get(source) => source.value(shown)?.ok_or(Undecided)?,
            Self::Has(source) => Value::Flag(source.value(shown)?.is_some()),
            Self::InRole(role) => Value::Flag(shown.caller().is_some() && shown.roles().iter().any(|one| one == role)),
            Self::IsCaller(id) => Value::Flag(shown.caller() == Some(id)),
            Self::IsKnown => Value::Flag(shown.caller().is_some()),
            Self::FromOne(ranges) => {
                let address = shown.address();
                let all = ranges.iter().map(|range| range.holds(address));
                Value::Flag(all.collect::<Option<Vec<_>>>().ok_or(Undecided)?.contains(&true))
            }
            Self::IsIpv4(wanted) => Value::Flag(shown.address().is_ipv4() == *wanted),
            Self::Like(inner, pattern) => match inner.value(shown)? {
                Value::Text(text) => Value::Flag(pattern.fits(&text)),
                Value::Number(_) | Value::Flag(_) | Value::Texts(_) => return Err(Undecided),
            },
            Self::Not(inner) => Value::Flag(!inner.flag(shown)?),
            Self::Two(operator, pair) => {
                let [one, other] = &**pair;
                match operator {
                    Operator::And => Value::Flag(one.flag(shown)? && other.flag(shown)?),
                    Operator::Or => Value::Flag(one.flag(shown)? || other.flag(shown)?),
                    Operator::Equal
                    | Operator::Less
                    | Operator::LessOrEqual
                    | Operator::Contains
                    | Operator::ContainsAll
                    | Operator::ContainsAny
                    | Operator::Add
                    | Operator::Subtract
                    | Operator::Multiply => operator.of(one.value(shown)?, other.value(shown)?)?,
                }
            }
            Self::If(three) => {
                let [condition, then, otherwise] = &**three;
                if condition.flag(shown)? { then.value(shown)? } else { otherwise.value(shown)? }
            }
        })
    }
}

// === impl Operator ===

impl Operator {
    fn of<'a>(self, one: Value<'a>, other: Value<'a>) -> Result<Value<'a>, Undecided> {
        let among = |all: &[Cow<'_, str>], some: &[Cow<'_, str>]| some.iter().all(|one| all.contains(one));
        let number = |made: Option<i64>| made.map(Value::Number).ok_or(Undecided);
        Ok(match (self, one, other) {
            (Self::Equal, Value::Texts(one), Value::Texts(other)) => {
                Value::Flag(among(&one, &other) && among(&other, &one))
            }
            (Self::Equal, one, other) => Value::Flag(one == other),
            (Self::Less, Value::Number(one), Value::Number(other)) => Value::Flag(one < other),
            (Self::LessOrEqual, Value::Number(one), Value::Number(other)) => Value::Flag(one <= other),
            (Self::Contains, Value::Texts(all), Value::Text(one)) => Value::Flag(all.contains(&one)),
            (Self::ContainsAll, Value::Texts(all), Value::Texts(some)) => Value::Flag(among(&all, &some)),
            (Self::ContainsAny, Value::Texts(all), Value::Texts(some)) => {
                Value::Flag(some.iter().any(|one| all.contains(one)))
            }
            (Self::Add, Value::Number(one), Value::Number(other)) => number(one.checked_add(other))?,
            (Self::Subtract, Value::Number(one), Value::Number(other)) => number(one.checked_sub(other))?,
            (Self::Multiply, Value::Number(one), Value::Number(other)) => number(one.checked_mul(other))?,
            // The validator lets nothing else come here.
            (
                Self::And
                | Self::Or
                | Self::Less
                | Self::LessOrEqual
                | Self::Contains
                | Self::ContainsAll
                | Self::ContainsAny
                | Self::Add
                | Self::Subtract
                | Self::Multiply,
                ..,
            ) => return Err(Undecided),
        })
    }
}

// === impl Source ===

impl Source {
    fn value<'a>(&'a self, shown: &'a dyn Values) -> Result<Option<Value<'a>>, Undecided> {
        let text = |text: &'a str| Value::Text(Cow::Borrowed(text));
        Ok(match self {
            Self::Sub => shown.caller().map(text),
            Self::Property(name) => shown.property(name).map(text),
            Self::Roles => Some(Value::Texts(shown.roles())),
            Self::Scopes => Some(Value::Texts(shown.scopes())),
            Self::Time => Some(Value::Number(i64::try_from(shown.now()).map_err(|_| Undecided)?)),
            Self::Value(kind, name, shape) => shown.value(*kind, name, *shape).map_err(|_: Unclear| Undecided)?,
        })
    }
}

// === impl About ===

impl About<'_> {
    fn principal(&self, scope: &Json) -> Option<Condition> {
        let (kind, id) = entity(scope).unwrap_or_default();
        Some(match (scope.get("op")?.as_str()?, scope.get("entity_type").and_then(Json::as_str)) {
            ("All", _) => Condition::Flag(true),
            ("==", _) if kind == CALLER => Condition::IsCaller(id.to_owned()),
            ("in", _) if kind == ROLE => Condition::InRole(id.to_owned()),
            ("is", Some(of)) => {
                let is_known = match of {
                    CALLER => Condition::IsKnown,
                    ANONYMOUS => Condition::Not(Box::new(Condition::IsKnown)),
                    _ => return None,
                };
                match scope.get("in") {
                    None => is_known,
                    Some(inner) => match entity(inner)? {
                        (ROLE, id) if of == CALLER => Condition::InRole(id.to_owned()),
                        _ => return None,
                    },
                }
            }
            _ => return None,
        })
    }

    /// Whether the action is among those that are named: known before any request.
    fn scope(&self, scope: &Json, kind: &str, id: &str) -> Option<Condition> {
        let is_it = |one: &Json| entity_of(one).is_some_and(|(of, its)| of == kind && its == id);
        Some(Condition::Flag(match (scope.get("op")?.as_str()?, scope.get("entity"), scope.get("entities")) {
            ("All", ..) => true,
            ("==" | "in", Some(one), _) => is_it(one),
            ("in", None, Some(all)) => all.as_array()?.iter().any(is_it),
            _ => return None,
        }))
    }

    fn resource(&self, scope: &Json) -> Option<Condition> {
        match (scope.get("op")?.as_str()?, scope.get("entity_type").and_then(Json::as_str), scope.get("in")) {
            ("All", ..) => Some(Condition::Flag(true)),
            ("is", Some(kind), None) => Some(Condition::Flag(kind == resource(self.action))),
            _ => None,
        }
    }

    fn expression(&self, json: &Json, depth: usize) -> Option<Condition> {
        if depth > NESTING_MAX {
            return None;
        }
        let (operator, operands) = json.as_object()?.iter().next()?;
        let side = |name: &str| self.expression(operands.get(name)?, depth + 1);
        let two = |operator| Some(Condition::two(operator, side("left")?, side("right")?));
        // The sides are evaluated in the order in which they stand, whichever is the greater.
        let not = |inner: Condition| Condition::Not(Box::new(inner));
        match operator.as_str() {
            "Value" => literal(operands),
            "Set" => {
                let texts = operands.as_array()?.iter().map(|one| one.get("Value")?.as_str().map(str::to_owned));
                texts.collect::<Option<Vec<_>>>().map(Condition::Texts)
            }
            "." => Some(Condition::Get(self.source(json)?)),
            "has" => Some(Condition::Has(self.source(json)?)),
            "&&" => two(Operator::And),
            "||" => two(Operator::Or),
            "==" => two(Operator::Equal),
            "!=" => two(Operator::Equal).map(not),
            "<" => two(Operator::Less),
            "<=" => two(Operator::LessOrEqual),
            ">" => two(Operator::LessOrEqual).map(not),
            ">=" => two(Operator::Less).map(not),
            "+" => two(Operator::Add),
            "-" => two(Operator::Subtract),
            "*" => two(Operator::Multiply),
            "contains" => two(Operator::Contains),
            "containsAll" => two(Operator::ContainsAll),
            "containsAny" => two(Operator::ContainsAny),
            "!" => side("arg").map(not),
            "like" => Some(Condition::Like(Box::new(side("left")?), Pattern::of(operands.get("pattern")?)?)),
            "isInRange" => {
                let (one, ranges) = operands.as_array()?.split_first()?;
                let ranges = ranges.iter().map(range).collect::<Option<Vec<_>>>();
                is_address(one).then_some(Condition::FromOne(ranges?))
            }
            "isIpv4" | "isIpv6" => match operands.as_array()?.as_slice() {
                [one] if is_address(one) => Some(Condition::IsIpv4(operator == "isIpv4")),
                _ => None,
            },
            "if-then-else" => Some(Condition::If(Box::new([side("if")?, side("then")?, side("else")?]))),
            "in" if is_var(operands.get("left")?, "principal") => {
                match entity_of(operands.get("right")?.get("Value")?)? {
                    (ROLE, id) => Some(Condition::InRole(id.to_owned())),
                    _ => None,
                }
            }
            "is" if is_var(operands.get("left")?, "principal") && operands.get("in").is_none() => {
                match operands.get("entity_type")?.as_str()? {
                    CALLER => Some(Condition::IsKnown),
                    ANONYMOUS => Some(not(Condition::IsKnown)),
                    _ => None,
                }
            }
            _ => None,
        }
    }

    /// What `principal.sub` or `resource.path.id` stands for; of anything else, and of records as a whole, nothing.
    fn source(&self, access: &Json) -> Option<Source> {
        let (left, attribute) = member(access)?;
        if is_var(left, "principal") {
            let property = ["username", "issuer", "scheme"].into_iter().find(|name| *name == attribute);
            return match attribute {
                "sub" => Some(Source::Sub),
                "roles" => Some(Source::Roles),
                "scopes" => Some(Source::Scopes),
                _ => property.map(Source::Property),
            };
        }
        if is_var(left, "context") {
            return (attribute == "time").then_some(Source::Time);
        }
        let (of, record) = member(left)?;
        let of = of.get("Var")?.as_str()?;
        let kinds = [
            ("principal", Kind::Claim),
            ("resource", Kind::Path),
            ("resource", Kind::Body),
            ("context", Kind::Query),
            ("context", Kind::Header),
        ];
        let (_, kind) = kinds.into_iter().find(|(var, kind)| *var == of && kind.record() == record)?;
        let shape = match kind {
            Kind::Path => self.parameters.iter().any(|name| name == attribute).then_some(Shape::Text),
            Kind::Claim | Kind::Body | Kind::Query | Kind::Header => {
                self.values.iter().find(|(have, name, _)| *have == kind && name == attribute).map(|(.., shape)| *shape)
            }
        };
        // What another operation of this id has is not here.
        shape.map(|shape| Source::Value(kind, attribute.to_owned(), shape))
    }
}

fn literal(value: &Json) -> Option<Condition> {
    match value {
        Json::String(text) => Some(Condition::Text(text.clone())),
        Json::Number(number) => number.as_i64().map(Condition::Number),
        Json::Bool(flag) => Some(Condition::Flag(*flag)),
        Json::Null | Json::Array(_) | Json::Object(_) => None,
    }
}

/// `context.address`
fn is_address(json: &Json) -> bool {
    json.get(".").is_some() && member(json).is_some_and(|(left, name)| is_var(left, "context") && name == "address")
}

/// `ip("192.0.2.0/24")`
fn range(json: &Json) -> Option<Range> {
    match json.get("ip")?.as_array()?.as_slice() {
        [text] => Range::parse(text.get("Value")?.as_str()?),
        _ => None,
    }
}

/// The two sides of `LEFT.NAME` and of `LEFT has NAME`.
fn member(access: &Json) -> Option<(&Json, &str)> {
    let operands = access.get(".").or_else(|| access.get("has"))?;
    Some((operands.get("left")?, operands.get("attr")?.as_str()?))
}

fn is_var(json: &Json, name: &str) -> bool {
    json.get("Var").and_then(Json::as_str) == Some(name)
}

fn entity(scope: &Json) -> Option<(&str, &str)> {
    entity_of(scope.get("entity")?)
}

/// Type and id, with or without the mark that says that it is an entity.
fn entity_of(json: &Json) -> Option<(&str, &str)> {
    let json = json.get("__entity").unwrap_or(json);
    Some((json.get("type")?.as_str()?, json.get("id")?.as_str()?))
}
