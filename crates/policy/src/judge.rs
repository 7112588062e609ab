//! The policies of one operation, ready to be asked about requests. Nothing is looked up or evaluated before a policy is asked.

use crate::condition::{About, Condition};
use crate::mention::Mentions;
use crate::read::Policies;
use crate::world::{ANONYMOUS, Action, CALLER, Kind, ROLE, Shape, Unclear, Value, Values, resource};
use cedar_policy::{
    AuthorizationError, Authorizer, Context, Entities, Entity, EntityId, EntityTypeName, EntityUid, Policy, PolicyId,
    PolicySet, Request, Response, RestrictedExpression,
};
use std::cell::OnceCell;
use std::collections::{HashMap, HashSet};
use std::fmt;

/// The policies that can apply to one operation, each with a number of the caller's choice.
#[derive(Clone, Debug)]
pub struct Judge {
    permits: PolicySet,
    forbids: PolicySet,
    asked: Vec<Asked>,
    names: Names,
    action: EntityUid,
    wanted: Wanted,
    /// Whether one of those that the library evaluates speaks of the body, for which it is asked about all at once.
    library_reads_body: bool,
}

/// How a policy is asked.
#[derive(Clone, Debug)]
struct Asked {
    number: usize,
    reads_body: bool,
    /// By its name in the library, where it needs that.
    way: Way,
}

#[derive(Clone, Debug)]
enum Way {
    Compiled(Condition),
    Library { id: PolicyId, permits: bool },
}

/// Names of types, parsed once.
#[derive(Clone, Debug)]
struct Names {
    caller: EntityTypeName,
    role: EntityTypeName,
    resource: EntityTypeName,
    anonymous: EntityUid,
}

/// What has to be looked up.
#[derive(Clone, Debug)]
struct Wanted {
    values: Vec<(Kind, String, Shape)>,
    /// Members of the caller.
    properties: Vec<&'static str>,
    roles: bool,
    scopes: bool,
    address: bool,
    time: bool,
    /// Records that are spoken of, even if nothing is in them.
    records: Vec<Kind>,
}

/// Policies that cannot be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable(String);

/// One request before a judge.
pub struct Hearing<'a> {
    judge: &'a Judge,
    values: &'a dyn Values,
    matter: OnceCell<Option<(Request, Entities)>>,
    permits: OnceCell<Option<Response>>,
    forbids: OnceCell<Option<Response>>,
}

// === impl Judge ===

impl Judge {
    /// Prepares policies for an operation. Each comes with its level's policies, its place among them, and its number;
    /// `values` is what else requests show.
    ///
    /// # Errors
    /// Policies that the library does not take; what was read and checked is taken.
    pub fn compile(
        action: &Action,
        values: &[(Kind, String, Shape)],
        chosen: &[(&Policies, usize, usize)],
    ) -> Result<Self, Unusable> {
        Self::prepare(action, values, chosen, false)
    }

    /// `by_library` leaves everything to the library, which is how tests know what is right.
    pub(crate) fn prepare(
        action: &Action,
        values: &[(Kind, String, Shape)],
        chosen: &[(&Policies, usize, usize)],
        by_library: bool,
    ) -> Result<Self, Unusable> {
        let (mut permits, mut forbids, mut asked) = (PolicySet::new(), PolicySet::new(), Vec::new());
        let mut mentions = Mentions::default();
        let mut library_reads_body = false;
        let about = About { action: &action.id, parameters: &action.parameters, values };
        for (policies, place, number) in chosen {
            let policy: &Policy = policies.policies.get(*place).ok_or_else(|| unusable("there is no such policy"))?;
            let statement = policies.statements.get(*place);
            let permits_it = statement.is_some_and(|one| one.permits);
            let reads_body = statement.is_none_or(|one| one.reads_body);
            let json = policy.to_json().map_err(unusable)?;
            let way = match Condition::compile(&json, &about).filter(|_| !by_library) {
                Some(condition) => Way::Compiled(condition),
                None => {
                    mentions.add(&json);
                    library_reads_body |= reads_body;
                    let id = PolicyId::new(number.to_string());
                    let set = if permits_it { &mut permits } else { &mut forbids };
                    set.add(policy.new_id(id.clone())).map_err(unusable)?;
                    Way::Library { id, permits: permits_it }
                }
            };
            asked.push(Asked { number: *number, reads_body, way });
        }
        let kind = |name: &str| name.parse::<EntityTypeName>().map_err(unusable);
        let names = Names {
            caller: kind(CALLER)?,
            role: kind(ROLE)?,
            resource: kind(&resource(&action.id))?,
            anonymous: EntityUid::from_type_name_and_id(kind(ANONYMOUS)?, EntityId::new("")),
        };
        let action_uid = EntityUid::from_type_name_and_id(kind("Action")?, EntityId::new(&action.id));
        let wanted = Wanted::of(&mentions, action, values);
        Ok(Self { permits, forbids, asked, names, action: action_uid, wanted, library_reads_body })
    }

    /// Whether the policy of this number can be asked about a request only once its body is there.
    #[must_use]
    pub fn reads_body(&self, number: usize) -> bool {
        self.asked.iter().find(|asked| asked.number == number).is_none_or(|asked| match asked.way {
            Way::Compiled(_) => asked.reads_body,
            Way::Library { .. } => self.library_reads_body,
        })
    }

    #[cfg(test)]
    pub(crate) fn is_compiled(&self, number: usize) -> bool {
        self.asked.iter().any(|asked| asked.number == number && matches!(asked.way, Way::Compiled(_)))
    }

    /// Prepares a request for its policies.
    #[must_use]
    pub fn hear<'a>(&'a self, values: &'a dyn Values) -> Hearing<'a> {
        Hearing { judge: self, values, matter: OnceCell::new(), permits: OnceCell::new(), forbids: OnceCell::new() }
    }

    /// The request as policies see it; nothing where a part of it has no one meaning.
    fn matter(&self, shown: &dyn Values) -> Option<(Request, Entities)> {
        let wanted = &self.wanted;
        let mut records: HashMap<Kind, Vec<(String, RestrictedExpression)>> = HashMap::new();
        for (kind, name, shape) in &wanted.values {
            let value = shown.value(*kind, name, *shape).map_err(|_: Unclear| ()).ok()?;
            if let Some(value) = value {
                records.entry(*kind).or_default().push((name.clone(), expression(value)));
            }
        }
        let mut record = |kind: Kind| {
            let is_wanted = wanted.records.contains(&kind);
            let members = records.remove(&kind).unwrap_or_default();
            is_wanted
                .then(|| RestrictedExpression::new_record(members).ok().map(|made| (kind.record().to_owned(), made)))
        };
        let (claims, path, body, query, header) =
            (record(Kind::Claim), record(Kind::Path), record(Kind::Body), record(Kind::Query), record(Kind::Header));
        let principal = match shown.caller() {
            Some(id) => self.caller(id, shown, all([claims])?)?,
            None => Entity::with_uid(self.names.anonymous.clone()),
        };
        let object = EntityUid::from_type_name_and_id(self.names.resource.clone(), EntityId::new(shown.path()));
        let resource = Entity::new(object.clone(), all([path, body])?.into_iter().collect(), HashSet::new()).ok()?;
        let mut context = all([query, header])?;
        if wanted.address {
            context.push(("address".to_owned(), RestrictedExpression::new_ip(shown.address().to_string())));
        }
        if wanted.time {
            context.push(("time".to_owned(), RestrictedExpression::new_long(i64::try_from(shown.now()).ok()?)));
        }
        let context = if context.is_empty() { Context::empty() } else { Context::from_pairs(context).ok()? };
        let request = Request::new(principal.uid(), self.action.clone(), object, context, None).ok()?;
        let entities = Entities::from_entities([principal, resource], None).ok()?;
        Some((request, entities))
    }

    fn caller(&self, id: &str, shown: &dyn Values, claims: Vec<(String, RestrictedExpression)>) -> Option<Entity> {
        let text = |text: &str| RestrictedExpression::new_string(text.to_owned());
        let texts = |all: Vec<std::borrow::Cow<'_, str>>| expression(Value::Texts(all));
        let mut members: HashMap<String, RestrictedExpression> = claims.into_iter().collect();
        for name in &self.wanted.properties {
            let value = if *name == "sub" { Some(id) } else { shown.property(name) };
            members.extend(value.map(|value| ((*name).to_owned(), text(value))));
        }
        let roles = shown.roles();
        let of = |role: &std::borrow::Cow<'_, str>| {
            EntityUid::from_type_name_and_id(self.names.role.clone(), EntityId::new(role))
        };
        let parents: HashSet<EntityUid> = roles.iter().map(of).collect();
        if self.wanted.roles {
            members.insert("roles".to_owned(), texts(roles));
        }
        if self.wanted.scopes {
            members.insert("scopes".to_owned(), texts(shown.scopes()));
        }
        let uid = EntityUid::from_type_name_and_id(self.names.caller.clone(), EntityId::new(id));
        Entity::new(uid, members, parents).ok()
    }
}

/// The records that are wanted; nothing if one of them cannot be made.
fn all<const N: usize>(
    records: [Option<Option<(String, RestrictedExpression)>>; N],
) -> Option<Vec<(String, RestrictedExpression)>> {
    records.into_iter().flatten().collect()
}

fn expression(value: Value<'_>) -> RestrictedExpression {
    match value {
        Value::Text(text) => RestrictedExpression::new_string(text.into_owned()),
        Value::Number(number) => RestrictedExpression::new_long(number),
        Value::Flag(flag) => RestrictedExpression::new_bool(flag),
        Value::Texts(all) => {
            RestrictedExpression::new_set(all.into_iter().map(|one| RestrictedExpression::new_string(one.into_owned())))
        }
    }
}

// === impl Wanted ===

impl Wanted {
    fn of(mentions: &Mentions, action: &Action, values: &[(Kind, String, Shape)]) -> Self {
        let path = action.parameters.iter().map(|name| (Kind::Path, name.clone(), Shape::Text));
        let all = path.chain(values.iter().cloned());
        let properties = ["sub", "username", "issuer", "scheme"];
        Self {
            values: all.filter(|(kind, name, _)| mentions.wants(*kind, name)).collect(),
            properties: properties.into_iter().filter(|name| mentions.has(name)).collect(),
            roles: mentions.has("roles"),
            scopes: mentions.has("scopes"),
            address: mentions.has("address"),
            time: mentions.has("time"),
            records: Kind::ALL.into_iter().filter(|kind| mentions.has(kind.record())).collect(),
        }
    }
}

// === impl Hearing ===

impl Hearing<'_> {
    /// Whether the policy of this number applies to the request; nothing where that cannot be told.
    #[must_use]
    pub fn applies(&self, number: usize) -> Option<bool> {
        let asked = self.judge.asked.iter().find(|asked| asked.number == number)?;
        let (id, permits) = match &asked.way {
            Way::Compiled(condition) => return condition.holds(self.values),
            Way::Library { id, permits } => (id, *permits),
        };
        let (set, told) =
            if permits { (&self.judge.permits, &self.permits) } else { (&self.judge.forbids, &self.forbids) };
        let response = told.get_or_init(|| {
            let (request, entities) = self.matter.get_or_init(|| self.judge.matter(self.values)).as_ref()?;
            Some(Authorizer::new().is_authorized(request, set, entities))
        });
        let diagnostics = response.as_ref()?.diagnostics();
        let failed = |error: &AuthorizationError| match error {
            AuthorizationError::PolicyEvaluationError(error) => error.policy_id() == id,
        };
        if diagnostics.errors().any(failed) {
            return None;
        }
        Some(diagnostics.reason().any(|reason| reason == id))
    }
}

impl fmt::Debug for Hearing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Hearing").field("judge", &self.judge).finish_non_exhaustive()
    }
}

fn unusable(error: impl fmt::Display) -> Unusable {
    Unusable(error.to_string())
}

impl fmt::Display for Unusable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for Unusable {}
