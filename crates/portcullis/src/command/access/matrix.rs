//! Who may do what, by a plan: what each operation comes to for each role that rules speak of.

use portcullis_access::outlook::{Outlook, Standing};
use portcullis_access::{Effect, Rule};
use portcullis_auth::principal::Demand;
use portcullis_config::plan::{ApiPlan, Authn, AuthzPlan, Methods, Origin, Plan, RoutePlan, VersionPlan};

/// All operations against all roles.
pub(super) struct Matrix {
    pub(super) columns: Vec<Who>,
    pub(super) rows: Vec<Row>,
}

/// Of whom a column speaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    NoRole,
    Role(String),
}

/// One operation.
pub(super) struct Row {
    /// `GET /orders/v1/{id}`
    pub(super) operation: String,
    /// `orders/v1/getOrder`
    pub(super) name: String,
    pub(super) cells: Vec<Cell>,
}

/// One operation for one role.
pub(super) struct Cell {
    pub(super) who: Who,
    pub(super) outlook: Outlook,
}

// === impl Who ===

impl Who {
    pub(super) fn title(&self) -> &str {
        match self {
            Self::Nobody => "(anonymous)",
            Self::NoRole => "(no role)",
            Self::Role(name) => name,
        }
    }

    fn standing(&self) -> Standing<'_> {
        match self {
            Self::Nobody => Standing::Anonymous,
            Self::NoRole => Standing::NoRole,
            Self::Role(name) => Standing::Role(name),
        }
    }
}

// === impl Matrix ===

impl Matrix {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut roles: Vec<String> = Vec::new();
        for authz in each(plan).filter_map(|(_, _, route)| route.authz.as_ref()) {
            roles.extend(authz.rules.iter().flat_map(|rule| rule.rule.roles.iter().cloned()));
            roles.extend(authz.source.map.iter().flatten().flat_map(|(_, to)| to.iter().cloned()));
        }
        roles.sort();
        roles.dedup();
        let columns: Vec<Who> =
            [Who::Nobody, Who::NoRole].into_iter().chain(roles.into_iter().map(Who::Role)).collect();
        let rows = each(plan).map(|(api, version, route)| Row {
            operation: operation(api, version, route),
            name: match &version.name {
                Some(version) => format!("{}/{version}/{}", api.name, route.id),
                None => format!("{}/{}", api.name, route.id),
            },
            cells: columns.iter().map(|who| Cell { who: who.clone(), outlook: outlook(route, who) }).collect(),
        });
        Self { rows: rows.collect(), columns }
    }

    pub(super) fn row(&self, name: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == name)
    }

    /// What somebody may do; what is not there nobody may. A role that no rule speaks of is as good as none.
    pub(super) fn outlook(&self, name: &str, who: &Who) -> Outlook {
        let Some(row) = self.row(name) else { return Outlook::Refused };
        let of = |who: &Who| row.cells.iter().find(|cell| cell.who == *who).map(|cell| cell.outlook.clone());
        of(who).or_else(|| of(&Who::NoRole)).unwrap_or(Outlook::Refused)
    }
}

/// Operations that nobody may call because no rule allows anything: what each is called, and where its rules are written. One
/// that says so itself (`authn: refuse`) is none of them.
pub(in crate::command) fn closed(plan: &Plan) -> Vec<(String, &Origin)> {
    let is_allowed = |authz: &AuthzPlan| authz.rules.iter().any(|rule| rule.rule.effect == Effect::Allow);
    let demanded = each(plan).filter(|(.., route)| matches!(route.authn, Authn::Demand(_)));
    demanded
        .filter_map(|(api, version, route)| {
            let authz = route.authz.as_ref().filter(|authz| !is_allowed(authz))?;
            Some((operation(api, version, route), &authz.origin))
        })
        .collect()
}

fn each(plan: &Plan) -> impl Iterator<Item = (&ApiPlan, &VersionPlan, &RoutePlan)> {
    plan.apis.iter().flat_map(|api| {
        api.versions.iter().flat_map(move |version| version.routes.iter().map(move |route| (api, version, route)))
    })
}

fn operation(api: &ApiPlan, version: &VersionPlan, route: &RoutePlan) -> String {
    let methods = match &route.methods {
        Methods::Any => "any".to_owned(),
        Methods::Only(names) => names.join(","),
    };
    let segment = version.path.as_ref().map(|path| format!("/{path}")).unwrap_or_default();
    let path = format!("{}{segment}{}", api.base_path, route.template);
    format!("{methods} {}", if path.is_empty() { "/" } else { &path })
}

fn outlook(route: &RoutePlan, who: &Who) -> Outlook {
    let is_known = *who != Who::Nobody;
    let comes = match &route.authn {
        Authn::Public => return Outlook::Allowed,
        Authn::Refuse => return Outlook::Refused,
        Authn::Demand(plan) => is_known || matches!(plan.demand, Demand::AnyOf { anonymous: true, .. }),
    };
    match &route.authz {
        _ if !comes => Outlook::Refused,
        None => Outlook::Allowed,
        Some(authz) => {
            let rules: Vec<Rule> = authz.rules.iter().map(|rule| rule.rule.clone()).collect();
            Outlook::of(&rules, who.standing())
        }
    }
}
