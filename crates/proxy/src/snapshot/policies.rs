//! The Cedar policies of a route, compiled, and what a request shows them.

use super::CompileError;
use crate::members::Members;
use portcullis_access::{Parameter, Request, RoleSource, claim_at};
use portcullis_config::plan::AuthzPlan;
use portcullis_policy::{Judge, Kind, Shape, Unclear, Value, Values};
use serde_json::Value as Json;
use std::borrow::Cow;
use std::net::IpAddr;

/// The policies of a route; the number of each is that of its rule.
#[derive(Debug)]
pub(crate) struct Policies {
    judge: Judge,
    source: RoleSource,
    parameters: Vec<Parameter>,
}

/// A request before its policies.
pub(super) struct Shown<'a> {
    policies: &'a Policies,
    request: Request<'a>,
    body: Members<'a>,
}

// === impl Policies ===

impl Policies {
    /// Nothing for a route whose rules are all of our own language.
    pub(super) fn compile(plan: &AuthzPlan, template: &str) -> Result<Option<Box<Self>>, CompileError> {
        let Some(cedar) = &plan.cedar else { return Ok(None) };
        let numbered = plan.rules.iter().enumerate();
        let chosen: Vec<_> = numbered
            .filter_map(|(number, rule)| {
                let (policies, place) = rule.statement.as_ref().filter(|_| rule.rule.foreign.is_some())?;
                Some((&**policies, *place, number))
            })
            .collect();
        if chosen.is_empty() {
            return Ok(None);
        }
        let judge = Judge::compile(&cedar.action, &cedar.values, &chosen)
            .map_err(|error| CompileError::Template { template: template.to_owned(), error: error.to_string() })?;
        let parameters = Parameter::all(template);
        Ok(Some(Box::new(Self { judge, source: plan.source.clone(), parameters })))
    }

    pub(super) fn shown<'a>(&'a self, request: Request<'a>, body: Members<'a>) -> Shown<'a> {
        Shown { policies: self, request, body }
    }

    pub(super) fn judge(&self) -> &Judge {
        &self.judge
    }
}

impl Values for Shown<'_> {
    fn caller(&self) -> Option<&str> {
        self.request.caller.map(|caller| caller.id)
    }

    fn property(&self, name: &str) -> Option<&str> {
        let caller = self.request.caller?;
        match name {
            "username" => caller.username,
            "issuer" => caller.issuer,
            "scheme" => Some(caller.scheme),
            _ => None,
        }
    }

    fn roles(&self) -> Vec<Cow<'_, str>> {
        let held = self.request.caller.as_ref().map(|caller| self.policies.source.held(caller));
        held.into_iter().flatten().map(Cow::Borrowed).collect()
    }

    fn scopes(&self) -> Vec<Cow<'_, str>> {
        let scopes = self.request.caller.map(|caller| caller.scopes).unwrap_or_default();
        scopes.iter().map(|scope| Cow::Borrowed(scope.as_str())).collect()
    }

    fn path(&self) -> &str {
        self.request.path
    }

    fn address(&self) -> IpAddr {
        self.request.address
    }

    fn now(&self) -> u64 {
        self.request.now
    }

    fn value(&self, kind: Kind, name: &str, shape: Shape) -> Result<Option<Value<'_>>, Unclear> {
        let text = |found: Option<Cow<'_, str>>| found.map(|text| Value::Text(Cow::Owned(text.into_owned())));
        match kind {
            Kind::Claim => {
                let claims = self.request.caller.map(|caller| caller.claims);
                claims.and_then(|claims| claim_at(claims, name)).map(|claim| shaped(claim, shape)).transpose()
            }
            Kind::Path => {
                let parameter = self.policies.parameters.iter().find(|parameter| parameter.name == name);
                // It is in the template, so that it is in the path; what is not found has no one meaning.
                Ok(Some(Value::Text(parameter.and_then(|one| one.of(&self.request)).ok_or(Unclear)?)))
            }
            Kind::Query => self.request.parameter(name).map(text).map_err(|_| Unclear),
            Kind::Header => self.request.line(name).map(text).map_err(|_| Unclear),
            Kind::Body => self.body.value(name, shape),
        }
    }
}

/// A claim as the policies were told that it is, and as nothing else.
fn shaped(claim: &Json, shape: Shape) -> Result<Value<'_>, Unclear> {
    let text = |text: &str| Cow::Owned(text.to_owned());
    match (shape, claim) {
        (Shape::Text, Json::String(one)) => Ok(Value::Text(Cow::Borrowed(one))),
        (Shape::Number, Json::Number(number)) => number.as_i64().map(Value::Number).ok_or(Unclear),
        (Shape::Flag, Json::Bool(flag)) => Ok(Value::Flag(*flag)),
        (Shape::Texts, Json::String(one)) => Ok(Value::Texts(vec![text(one)])),
        (Shape::Texts, Json::Array(all)) => {
            let texts = all.iter().map(|one| one.as_str().map(text));
            texts.collect::<Option<Vec<_>>>().map(Value::Texts).ok_or(Unclear)
        }
        (Shape::Text | Shape::Number | Shape::Flag | Shape::Texts, _) => Err(Unclear),
    }
}

#[cfg(test)]
mod tests {
    use super::{Json, Shape, Unclear, Value, shaped};
    use serde_json::json;

    #[test]
    fn claims_are_what_they_were_said_to_be() {
        let text = |one: &str| Ok(Value::Text(one.to_owned().into()));
        let texts = |all: &[&str]| Ok(Value::Texts(all.iter().map(|one| (*one).to_owned().into()).collect()));
        let rows: [(Json, Shape, Result<Value<'_>, Unclear>); 11] = [
            (json!("a"), Shape::Text, text("a")),
            (json!(7), Shape::Text, Err(Unclear)),
            (json!(null), Shape::Text, Err(Unclear)),
            (json!(7), Shape::Number, Ok(Value::Number(7))),
            (json!(7.5), Shape::Number, Err(Unclear)),
            (json!("7"), Shape::Number, Err(Unclear)),
            (json!(true), Shape::Flag, Ok(Value::Flag(true))),
            (json!("true"), Shape::Flag, Err(Unclear)),
            (json!(["a", "b"]), Shape::Texts, texts(&["a", "b"])),
            (json!("a"), Shape::Texts, texts(&["a"])),
            (json!(["a", 7]), Shape::Texts, Err(Unclear)),
        ];
        for (claim, shape, expected) in rows {
            assert_eq!(shaped(&claim, shape), expected, "{claim} as {shape:?}");
        }
    }
}
