//! What a request's body shows to rules about access: members by name, and which fields it sets.
//!
//! INVARIANT: what programs could read in more than one way, or what is not read at all, is never taken for a value, nor for leaving
//! a field alone.

use crate::pipeline::receive::Seen;
use portcullis_access::{Member, Request, is_alike, names};
use portcullis_contract::json::{Item, Kind};
use portcullis_contract::{Reading, is_foreign_charset};
use portcullis_mask::{Path, Step};
use portcullis_policy::{Shape, Unclear, Value};
use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};

/// LIMIT: values that are looked at for the fields of one rule; `..` may come by a value more than once.
const LOOKS_MAX: u32 = 200_000;
/// LIMIT: fields that one refusal names.
const NAMED_MAX: usize = 16;

/// A body before rules.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Members<'a> {
    /// It has not been read yet.
    Later,
    /// There is none.
    Nothing,
    /// A value of JSON.
    Json(Item<'a>),
    /// A form, as it is written.
    Form(&'a str),
    /// Nobody can tell.
    Unclear,
}

// === impl Members ===

impl<'a> Members<'a> {
    /// What there is to see of a body of this media type.
    pub(crate) fn of(seen: &'a Seen, content_type: Option<&str>) -> Self {
        let content = match seen {
            Seen::Nothing => return Self::Nothing,
            Seen::Unread => return Self::Unclear,
            Seen::Whole(content) => content,
        };
        match (content.json(), content_type.and_then(Reading::of)) {
            // It says what is to be done to another document, whose members these are not.
            (Some(_), _) if content_type.is_some_and(is_patch) => Self::Unclear,
            // A server that honours what it says reads other names than we do.
            _ if content_type.is_some_and(is_foreign_charset) => Self::Unclear,
            (Some(json), _) => Self::Json(json.root()),
            (None, Some(Reading::Form)) => std::str::from_utf8(content.bytes()).map_or(Self::Unclear, Self::Form),
            (None, _) => Self::Unclear,
        }
    }

    /// The member that these names lead to, as text.
    pub(crate) fn member(self, names: &[String]) -> Member<'a> {
        let root = match (self, names) {
            (Self::Later, _) => return Member::Later,
            (Self::Nothing, _) => return Member::Nothing,
            (Self::Form(form), [name]) => {
                return pair(form, name).map_or(Member::Unclear, |found| found.map_or(Member::Nothing, Member::One));
            }
            // How programs write objects in forms is their own.
            (Self::Unclear | Self::Form(_), _) => return Member::Unclear,
            (Self::Json(root), _) => root,
        };
        match at(root, names.iter().map(String::as_str)) {
            Ok(None) => Member::Nothing,
            Ok(Some(found)) if found.kind() == Kind::Array => {
                found.items().map(plain).collect::<Option<Vec<_>>>().map_or(Member::Unclear, Member::Many)
            }
            Ok(Some(found)) if matches!(found.kind(), Kind::Null | Kind::Object) => Member::Nothing,
            Ok(Some(found)) => plain(found).map_or(Member::Unclear, Member::One),
            Err(Unclear) => Member::Unclear,
        }
    }

    /// The member that a name with dots leads to, as policies were told that it is, and as nothing else.
    pub(crate) fn value(self, name: &str, shape: Shape) -> Result<Option<Value<'a>>, Unclear> {
        let root = match self {
            Self::Nothing => return Ok(None),
            Self::Later | Self::Unclear => return Err(Unclear),
            Self::Form(form) if shape == Shape::Text && !name.contains('.') => {
                return pair(form, name).map(|found| found.map(Value::Text));
            }
            Self::Form(_) => return Err(Unclear),
            Self::Json(root) => root,
        };
        let Some(found) = at(root, name.split('.'))? else { return Ok(None) };
        Ok(Some(match (shape, found.kind()) {
            (Shape::Text, Kind::Text) => Value::Text(Cow::Borrowed(found.text())),
            (Shape::Number, Kind::Number) => {
                // `-0`, `7.0` and `7e0` are whole numbers to some programs and none to others.
                let text = whole(found.text()).ok_or(Unclear)?;
                Value::Number(text.parse().map_err(|_| Unclear)?)
            }
            (Shape::Flag, Kind::Bool(flag)) => Value::Flag(flag),
            (Shape::Texts, Kind::Array) => {
                let text = |item: Item<'a>| (item.kind() == Kind::Text).then(|| Cow::Borrowed(item.text()));
                Value::Texts(found.items().map(text).collect::<Option<_>>().ok_or(Unclear)?)
            }
            (Shape::Text | Shape::Number | Shape::Flag | Shape::Texts, _) => return Err(Unclear),
        }))
    }

    /// Where it sets one of these fields: pointers in JSON (RFC 6901), names in a form.
    ///
    /// # Errors
    /// Nobody can tell what it sets.
    pub(crate) fn sets(self, fields: &[Path]) -> Result<Vec<String>, Unclear> {
        let mut found = Vec::new();
        match self {
            Self::Nothing => {}
            Self::Later | Self::Unclear => return Err(Unclear),
            Self::Form(form) => {
                let keys = names(form).map_err(|_| Unclear)?;
                let touching = keys.iter().filter(|key| fields.iter().any(|field| touches(field.steps(), key)));
                found.extend(touching.map(|key| key.iter().map(|part| format!("/{part}")).collect::<String>()));
            }
            Self::Json(root) => {
                let (mut looks, mut items) = (LOOKS_MAX, Vec::new());
                for field in fields {
                    find(field.steps(), root, &mut looks, &mut |item| items.push(item))?;
                }
                items.sort_by_key(|item| item.index());
                items.dedup_by_key(|item| item.index());
                found.extend(items.into_iter().take(NAMED_MAX).map(Item::pointer));
            }
        }
        found.truncate(NAMED_MAX);
        Ok(found)
    }
}

/// Whether a body is a list of changes (RFC 6902).
fn is_patch(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    essence.to_ascii_lowercase().ends_with("json-patch+json")
}

/// A value of a form by its name.
fn pair<'a>(form: &'a str, name: &str) -> Result<Option<Cow<'a, str>>, Unclear> {
    let request = Request { query: Some(form), ..Request::of_caller(None, IpAddr::V4(Ipv4Addr::UNSPECIFIED)) };
    request.parameter(name).map_err(|_| Unclear)
}

/// What names lead to, if nothing on the way could be taken for the same by some program.
fn at<'a, 'n>(root: Item<'a>, names: impl Iterator<Item = &'n str>) -> Result<Option<Item<'a>>, Unclear> {
    let mut at = root;
    for name in names {
        let next = match at.kind() {
            Kind::Object => {
                let mut alike = at.members().filter(|(have, _)| is_alike(have.text(), name));
                match (alike.next(), alike.next()) {
                    (None, _) => None,
                    (Some((have, value)), None) if have.text() == name => Some(value),
                    (Some(_), _) => return Err(Unclear),
                }
            }
            Kind::Array => whole(name).and_then(|name| name.parse().ok()).and_then(|index| at.items().nth(index)),
            Kind::Null | Kind::Bool(_) | Kind::Number | Kind::Text => None,
        };
        match next {
            Some(next) => at = next,
            None => return Ok(None),
        }
    }
    Ok(Some(at))
}

/// A single value as text; nothing for what programs write in more than one way.
fn plain(item: Item<'_>) -> Option<Cow<'_, str>> {
    match item.kind() {
        Kind::Text => Some(Cow::Borrowed(item.text())),
        Kind::Number => whole(item.text()).map(Cow::Borrowed),
        Kind::Bool(flag) => Some(Cow::Borrowed(if flag { "true" } else { "false" })),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

/// A whole number in the one form that all programs write it in.
fn whole(text: &str) -> Option<&str> {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    (is_plain && (digits == text || digits != "0") && (digits == "0" || !digits.starts_with('0'))).then_some(text)
}

/// Everything that stands at a place, by names that are alike.
fn find<'a>(steps: &[Step], item: Item<'a>, looks: &mut u32, take: &mut impl FnMut(Item<'a>)) -> Result<(), Unclear> {
    *looks = looks.checked_sub(1).ok_or(Unclear)?;
    let Some((step, rest)) = steps.split_first() else {
        take(item);
        return Ok(());
    };
    let is_all = matches!(step, Step::Any | Step::Descend);
    // Below `..` the same steps are looked for again.
    let below = if *step == Step::Descend { steps } else { rest };
    if *step == Step::Descend {
        find(rest, item, looks, take)?;
    }
    for (name, value) in item.members() {
        let is_it = matches!(step, Step::Member(wanted) if is_alike(name.text(), wanted));
        if is_all || is_it {
            find(below, value, looks, take)?;
        }
    }
    for (index, value) in item.items().enumerate() {
        let is_it = matches!(step, Step::Item(wanted) if usize::try_from(*wanted) == Ok(index));
        if is_all || is_it {
            find(below, value, looks, take)?;
        }
    }
    Ok(())
}

/// Whether a name of a form could be, or could hold, what stands at a place.
fn touches(steps: &[Step], key: &[String]) -> bool {
    let wanted = steps.iter().filter_map(|step| match step {
        Step::Member(name) => Some(name.as_str()),
        Step::Item(_) | Step::Any | Step::Descend => None,
    });
    let wanted: Vec<&str> = wanted.collect();
    if steps.contains(&Step::Descend) || steps.contains(&Step::Any) {
        // Anywhere: its last name is enough, and where it has none, anything is.
        return wanted.last().is_none_or(|last| key.iter().any(|part| is_alike(part, last)));
    }
    key.iter().zip(&wanted).all(|(part, name)| is_alike(part, name))
}

#[cfg(test)]
mod tests {
    use super::{Members, Shape, Unclear, Value};
    use portcullis_access::Member;
    use portcullis_contract::json::{Json, Limits};
    use portcullis_mask::Path;

    fn steps(text: &str) -> Vec<String> {
        text.split('/').map(str::to_owned).collect()
    }

    const BODY: &str = r#"{"id":"ada","n":7,"f":7.0,"e":7e0,"z":-0,"flag":true,"none":null,"order":{"owner":"eve","Owner2":"x"},
        "ids":["a",7,true],"odd":["a",{}],"Twice":1,"twice":2,"CASE":1,"list":[{"id":"x"}],"":"empty"}"#;

    #[test]
    fn members_of_json() {
        let json = Json::parse(BODY.as_bytes(), &Limits::default()).unwrap();
        let body = Members::Json(json.root());
        let one = |text: &'static str| Member::One(text.into());
        for (names, expected) in [
            ("id", one("ada")),
            ("n", one("7")),
            ("f", Member::Unclear),
            ("e", Member::Unclear),
            ("z", Member::Unclear),
            ("flag", one("true")),
            ("none", Member::Nothing),
            ("missing", Member::Nothing),
            ("order", Member::Nothing),
            ("order/owner", one("eve")),
            ("order/owner2", Member::Unclear),
            ("order/owner/x", Member::Nothing),
            ("ids", Member::Many(vec!["a".into(), "7".into(), "true".into()])),
            ("odd", Member::Unclear),
            ("twice", Member::Unclear),
            ("case", Member::Unclear),
            ("list/0/id", one("x")),
            ("list/00/id", Member::Nothing),
            ("list/1/id", Member::Nothing),
        ] {
            assert_eq!(body.member(&steps(names)), expected, "{names}");
        }
    }

    #[test]
    fn members_of_forms_and_of_nothing() {
        let form = Members::Form("id=a%64a&n=7&twice=1&twice=2&user[role]=x");
        for (names, expected) in [
            ("id", Member::One("ada".into())),
            ("missing", Member::Nothing),
            ("twice", Member::Unclear),
            ("user", Member::Unclear),
            ("user/role", Member::Unclear),
        ] {
            assert_eq!(form.member(&steps(names)), expected, "{names}");
        }
        for (body, expected) in
            [(Members::Later, Member::Later), (Members::Nothing, Member::Nothing), (Members::Unclear, Member::Unclear)]
        {
            assert_eq!(body.member(&steps("id")), expected);
        }
    }

    #[test]
    fn values_are_what_policies_were_told() {
        let json = Json::parse(BODY.as_bytes(), &Limits::default()).unwrap();
        let body = Members::Json(json.root());
        for (name, shape, expected) in [
            ("id", Shape::Text, Ok(Some(Value::Text("ada".into())))),
            ("order.owner", Shape::Text, Ok(Some(Value::Text("eve".into())))),
            ("n", Shape::Text, Err(Unclear)),
            ("n", Shape::Number, Ok(Some(Value::Number(7)))),
            ("f", Shape::Number, Err(Unclear)),
            ("flag", Shape::Flag, Ok(Some(Value::Flag(true)))),
            ("ids", Shape::Texts, Err(Unclear)),
            ("none", Shape::Text, Err(Unclear)),
            ("case", Shape::Number, Err(Unclear)),
            ("missing", Shape::Text, Ok(None)),
        ] {
            assert_eq!(body.value(name, shape), expected, "{name}");
        }
        assert_eq!(Members::Form("n=7").value("n", Shape::Number), Err(Unclear), "a form has nothing but texts");
        assert_eq!(Members::Form("n=7").value("n", Shape::Text), Ok(Some(Value::Text("7".into()))));
        assert_eq!(Members::Later.value("n", Shape::Text), Err(Unclear));
    }

    #[test]
    fn fields_that_are_set() {
        let sets = |body: &str, path: &str| {
            let json = Json::parse(body.as_bytes(), &Limits::default()).unwrap();
            Members::Json(json.root()).sets(&[Path::parse(path).unwrap()]).map(|all| all.join(" "))
        };
        for (body, path, expected) in [
            (r#"{"role":"admin"}"#, "$.role", "/role"),
            (r#"{"role":null}"#, "$.role", "/role"),
            (r#"{"ROLE":1,"Role":2}"#, "$.role", "/ROLE /Role"),
            (r#"{"r\u006fle":1}"#, "$.role", "/role"),
            (r#"{"roles":1,"user":{"role":1}}"#, "$.role", ""),
            (r#"{"user":{"role":1}}"#, "$..role", "/user/role"),
            (r#"[{"role":1},{"a":[{"role":2}]}]"#, "$..role", "/0/role /1/a/0/role"),
            (r#"{"items":[{"price":1},{"price":2}]}"#, "$.items[*].price", "/items/0/price /items/1/price"),
            (r#"{"items":[{"price":1},{"price":2}]}"#, "$.items[1].price", "/items/1/price"),
            (r#"{"items":{"price":1}}"#, "$.items.price", "/items/price"),
            (r#"{}"#, "$.role", ""),
        ] {
            assert_eq!(sets(body, path).as_deref(), Ok(expected), "{body}");
        }
        let form = |form: &'static str, path: &str| Members::Form(form).sets(&[Path::parse(path).unwrap()]);
        for (text, path, expected) in [
            ("name=x", "$.role", Ok("")),
            ("r%6fle=admin", "$.role", Ok("/role")),
            ("ROLE[]=admin", "$.role", Ok("/ROLE")),
            ("user[role]=a&user.role=b&user[name]=c&user=d", "$.user.role", Ok("/user/role /user/role /user")),
            ("a[0].role=x&role2=y", "$..role", Ok("/a/role")),
            ("a=1;role=2", "$.role", Err(Unclear)),
        ] {
            let found = form(text, path).map(|all| all.join(" "));
            assert_eq!(found.as_deref().map_err(|_| Unclear), expected, "{text}");
        }
        let path = [Path::parse("$.role").unwrap()];
        assert_eq!((Members::Nothing.sets(&path), Members::Unclear.sets(&path)), (Ok(vec![]), Err(Unclear)));
    }
}
