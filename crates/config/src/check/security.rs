//! What a contract asks of callers (`security`), held against the ways that the configuration lets them come: it is enforced as
//! written, and never opens what the configuration closes. What cannot be asked for is a mistake.

use std::sync::Arc;

use portcullis_access::{Effect, Mode, Rule, Way};
use portcullis_auth::principal::Scheme;
use portcullis_contract::{Need, Operation, Scheme as Asked, Security};

use super::Check;
use super::apis::Scope;
use crate::diagnostic::quote;
use crate::file::{Authn, Means};
use crate::plan::{ContractMode, Origin, RulePlan, SecurityPlan};

/// What of a contract cannot be asked of callers, each once, with the operations that it is about.
#[derive(Default)]
pub(super) struct Unmet(Vec<(String, String, Vec<String>)>);

/// Why something cannot be asked for: what is wrong, and what to do.
type Wrong = (String, String);

/// One way of a contract, in words of the gateway.
struct Asks {
    /// One scheme of each has to be proved; rights are those of the first.
    schemes: Vec<Vec<Scheme>>,
    scopes: Vec<String>,
    roles: Vec<String>,
}

const TOKENS: [Scheme; 2] = [Scheme::Jwt, Scheme::Introspection];
const INSTEAD: &str = "or write `validation: { security: off }` and say with `authn` and `authz` who may call";

impl Check<'_> {
    /// What the contract asks of the callers of a route's operations, which have to agree about it.
    pub(super) fn asked(&mut self, own: &[&Operation], unmet: &mut Unmet) -> Option<SecurityPlan> {
        let (first, others) = own.split_first()?;
        let ways = first.security().map(|security| &security.ways);
        if others.iter().any(|other| other.security().map(|security| &security.ways) != ways) {
            let message = "the contract asks for different things of the callers of one route".to_owned();
            unmet.note(&(message, format!("write a route for each method, {INSTEAD}")), &first.to_string());
            return None;
        }
        let security = first.security()?.clone();
        let origin = Origin { file: Arc::from(&*security.file), line: security.line };
        Some(SecurityPlan { text: text_of(&security), security, origin })
    }

    /// Who may call a route by its contract as well: the narrower `authn`, and the rule for what it cannot say.
    pub(super) fn secured(
        &self,
        written: Authn,
        (plan, mode): (Option<&SecurityPlan>, ContractMode),
        (operation, unmet): (&str, &mut Unmet),
    ) -> (Authn, Option<RulePlan>) {
        let Some(plan) = plan.filter(|_| mode != ContractMode::Off && written != Authn::Refuse) else {
            return (written, None);
        };
        match self.held(&written, plan, mode) {
            Ok((authn, rule)) => (authn, rule),
            Err(wrong) => {
                unmet.note(&wrong, &format!("{operation}, line {} of the contract", plan.origin.line));
                (written, None)
            }
        }
    }

    fn held(
        &self,
        written: &Authn,
        plan: &SecurityPlan,
        mode: ContractMode,
    ) -> Result<(Authn, Option<RulePlan>), Wrong> {
        if let Some(flaw) = plan.security.flaw {
            return Err((
                format!("`security` of the contract cannot be read: {flaw}"),
                format!("correct it, {INSTEAD}"),
            ));
        }
        let all = plan.security.ways.iter().map(|way| self.asks(way)).collect::<Result<Vec<_>, _>>()?;
        // Whoever may come without a credential may come with any: nothing is asked for beyond what the configuration says.
        if all.is_empty() || all.iter().any(|way| way.schemes.is_empty()) {
            return Ok((written.clone(), None));
        }
        let (means, together) = match written {
            Authn::AnyOf(means) => (means, false),
            Authn::AllOf(means) => (means, true),
            Authn::Public | Authn::Refuse => {
                let message = format!("the contract asks callers for {}, and `authn: public` asks nobody", plan.text);
                return Err((message, format!("give the operation an `authn` that asks who calls, {INSTEAD}")));
            }
        };
        let has = |scheme: &Scheme| means.iter().any(|one| scheme_of(one) == Some(*scheme));
        // Of `all_of`, the first one says who calls, and with which rights.
        let speaks = |way: &Asks| is_bare(way) || !together || means.first().is_some_and(|one| is_of(first(way), one));
        let takes = |way: &&Asks| way.schemes.iter().all(|any| any.iter().any(has)) && speaks(way);
        let ways: Vec<&Asks> = all.iter().filter(takes).collect();
        if ways.is_empty() {
            let message = format!("the contract asks callers for {}, which `authn` does not take", plan.text);
            let help = "add it to the `authn` of the operation; of `all_of`, the first one says whose scopes count";
            return Err((message, format!("{help}; {INSTEAD}")));
        }
        if mode == ContractMode::Report {
            return Ok((written.clone(), Some(rule(&ways, plan, Mode::Observe))));
        }
        let authn = narrowed(means, together, &ways);
        let rule = match ways.as_slice() {
            [only] if enforces(&authn, only) => plain(only, plan),
            ways => (!ways.iter().all(|way| is_bare(way) && way.schemes.len() == 1))
                .then(|| rule(ways, plan, Mode::Enforce)),
        };
        Ok((authn, rule))
    }

    fn asks(&self, way: &[Need]) -> Result<Asks, Wrong> {
        let mut asks = Asks { schemes: Vec::new(), scopes: Vec::new(), roles: Vec::new() };
        let mut spoken_for: Option<&[Scheme]> = None;
        for need in way {
            let any = self.scheme_asked(need)?;
            if !asks.schemes.iter().any(|have| have == any) {
                asks.schemes.push(any.to_vec());
            }
            if need.scopes.is_empty() && need.roles.is_empty() {
                continue;
            }
            if spoken_for.is_some_and(|other| other != any) {
                let message = "the contract asks for scopes of two credentials at once".to_owned();
                return Err((message, format!("ask for those of one of them, {INSTEAD}")));
            }
            spoken_for = Some(any);
            asks.scopes.extend(need.scopes.iter().cloned());
            asks.roles.extend(need.roles.iter().cloned());
        }
        asks.schemes.sort_by_key(|have| spoken_for != Some(have.as_slice()));
        Ok(asks)
    }

    /// By which of our schemes a scheme of the contract can be proved.
    fn scheme_asked(&self, need: &Need) -> Result<&'static [Scheme], Wrong> {
        let name = quote(&need.name);
        let wrong = |why: String, help: &str| {
            Err((format!("the scheme {name} of the contract {why}"), format!("{help}, {INSTEAD}")))
        };
        match &need.scheme {
            Asked::Token => Ok(&TOKENS),
            Asked::Http(scheme) if matches!(&**scheme, "bearer" | "dpop") => Ok(&TOKENS),
            Asked::Http(scheme) if &**scheme == "signature" => Ok(&[Scheme::Signature]),
            Asked::Http(scheme) => {
                wrong(format!("is {} of HTTP, which the gateway does not judge", quote(scheme)), "use `bearer`")
            }
            Asked::Certificate => Ok(&[Scheme::Certificate]),
            Asked::ApiKey(place, field) if &**place == "header" => match &**field {
                "authorization" => Ok(&TOKENS),
                field if field == self.key_field => Ok(&[Scheme::ApiKey]),
                field => {
                    let why = format!(
                        "is a key in the field {}; the gateway takes keys in {}",
                        quote(field),
                        quote(&self.key_field)
                    );
                    wrong(why, &format!("write `api_keys: {{ header: {field} }}`"))
                }
            },
            Asked::ApiKey(..) => {
                wrong("is a key outside of the header, where nobody should send one".to_owned(), "write `in: header`")
            }
            Asked::Unknown => wrong(
                "is not defined there, or is of no known type".to_owned(),
                "define it in `components.securitySchemes`",
            ),
        }
    }

    /// Reports what could not be asked for.
    pub(super) fn unmet(&mut self, unmet: Unmet, scope: &Scope<'_, '_>) {
        let Some(level) = scope.levels.first() else { return };
        let at = level.at.key("openapi");
        for (message, help, operations) in unmet.0 {
            let first = operations.first().cloned().unwrap_or_default();
            let more = match operations.len() {
                0 | 1 => String::new(),
                2 => "; and another operation".to_owned(),
                all => format!("; and {} other operations", all - 1),
            };
            let diagnostic = self.wrong(&at, "contract-security", format!("{message} ({first}{more})"));
            self.reject(&at, diagnostic.help(help));
        }
    }
}

impl Unmet {
    fn note(&mut self, (message, help): &Wrong, operation: &str) {
        match self.0.iter_mut().find(|(have, ..)| have == message) {
            Some((.., operations)) => operations.push(operation.to_owned()),
            None => self.0.push((message.clone(), help.clone(), vec![operation.to_owned()])),
        }
    }
}

fn scheme_of(means: &Means) -> Option<Scheme> {
    match means {
        Means::Jwt(_) => Some(Scheme::Jwt),
        Means::Introspection(_) => Some(Scheme::Introspection),
        Means::ApiKey(_) => Some(Scheme::ApiKey),
        Means::Mtls(_) => Some(Scheme::Certificate),
        Means::Signature(_) => Some(Scheme::Signature),
        Means::Anonymous => None,
    }
}

/// Whose rights a way asks for.
fn first(way: &Asks) -> &[Scheme] {
    way.schemes.first().map(Vec::as_slice).unwrap_or_default()
}

fn is_of(any: &[Scheme], one: &Means) -> bool {
    scheme_of(one).is_some_and(|scheme| any.contains(&scheme))
}

fn is_bare(way: &Asks) -> bool {
    way.scopes.is_empty() && way.roles.is_empty()
}

/// What of `authn` leads to one of the ways.
fn narrowed(means: &[Means], together: bool, ways: &[&Asks]) -> Authn {
    if together {
        return Authn::AllOf(means.to_vec());
    }
    let is_asked = |scheme: Scheme| ways.iter().any(|way| way.schemes.iter().any(|any| any.contains(&scheme)));
    let kept: Vec<Means> = means.iter().filter(|one| scheme_of(one).is_some_and(is_asked)).cloned().collect();
    match ways {
        // Rights are those of the first.
        [only] if only.schemes.len() > 1 && kept.len() == only.schemes.len() => {
            let place = |one: &Means| {
                let scheme = scheme_of(one);
                only.schemes.iter().position(|any| scheme.is_some_and(|scheme| any.contains(&scheme)))
            };
            let mut kept = kept;
            kept.sort_by_key(place);
            Authn::AllOf(kept)
        }
        // The first one that is shown says who calls, so that those whose rights count stand first.
        _ => {
            let has_rights = |way: &Asks, scheme: Scheme| !is_bare(way) && first(way).contains(&scheme);
            let speaks =
                |one: &Means| scheme_of(one).is_some_and(|scheme| ways.iter().any(|way| has_rights(way, scheme)));
            let mut kept = kept;
            kept.sort_by_key(|one| !speaks(one));
            Authn::AnyOf(kept)
        }
    }
}

/// Whether nobody can come who has not proved what a way asks for, by the credential whose rights it asks for.
fn enforces(authn: &Authn, way: &Asks) -> bool {
    let first = first(way);
    match authn {
        Authn::AnyOf(means) => way.schemes.len() == 1 && means.iter().all(|one| is_of(first, one)),
        Authn::AllOf(means) => {
            let all = way.schemes.iter().all(|any| means.iter().any(|one| is_of(any, one)));
            all && (is_bare(way) || means.first().is_some_and(|one| is_of(first, one)))
        }
        Authn::Public | Authn::Refuse => false,
    }
}

/// The rule for one way whose schemes `authn` enforces: plain scopes, and nothing where there are none.
fn plain(way: &Asks, plan: &SecurityPlan) -> Option<RulePlan> {
    let bare = Rule { scopes: way.scopes.clone(), ..Rule::new(Effect::Require) };
    match way.roles.as_slice() {
        [] if way.scopes.is_empty() => None,
        [] => Some(named(bare, plan)),
        [role] => Some(named(Rule { roles: vec![role.clone()], ..bare }, plan)),
        _ => Some(rule(&[way], plan, Mode::Enforce)),
    }
}

fn rule(ways: &[&Asks], plan: &SecurityPlan, mode: Mode) -> RulePlan {
    let codes = |any: &Vec<Scheme>| any.iter().map(|scheme| scheme.code().to_owned()).collect();
    let way = |asks: &&Asks| Way {
        schemes: asks.schemes.iter().map(codes).collect(),
        scopes: asks.scopes.clone(),
        roles: asks.roles.clone(),
        ..Way::default()
    };
    named(Rule { mode, ways: ways.iter().map(way).collect(), ..Rule::new(Effect::Require) }, plan)
}

fn named(rule: Rule, plan: &SecurityPlan) -> RulePlan {
    RulePlan {
        name: Arc::from("contract"),
        rule,
        origin: plan.origin.clone(),
        statement: None,
        asks_learned: false,
        fields: Vec::new(),
    }
}

/// `oauth (read, write) and key, or bearer`
fn text_of(security: &Security) -> String {
    let need = |need: &Need| match need.scopes.iter().chain(&need.roles).cloned().collect::<Vec<_>>() {
        rights if rights.is_empty() => need.name.to_string(),
        rights => format!("{} ({})", need.name, rights.join(", ")),
    };
    let way = |way: &Vec<Need>| match way.is_empty() {
        true => "nothing".to_owned(),
        false => way.iter().map(need).collect::<Vec<_>>().join(" and "),
    };
    match security.ways.is_empty() {
        true => "nothing".to_owned(),
        false => security.ways.iter().map(way).collect::<Vec<_>>().join(", or "),
    }
}
