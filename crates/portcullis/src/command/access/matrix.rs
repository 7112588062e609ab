//! Who may do what, by a plan: what each operation comes to for each role that rules speak of.

use portcullis_access::outlook::{Outlook, Standing};
use portcullis_config::plan::{ApiPlan, Origin, Plan, RoutePlan, VersionPlan};

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
        for authz in plan.operations().filter_map(|(_, _, route)| route.authz.as_ref()) {
            roles.extend(authz.roles().cloned());
        }
        roles.sort();
        roles.dedup();
        let columns: Vec<Who> =
            [Who::Nobody, Who::NoRole].into_iter().chain(roles.into_iter().map(Who::Role)).collect();
        let rows = plan.operations().map(|(api, version, route)| Row {
            operation: operation(api, version, route),
            name: match &version.name {
                Some(version) => format!("{}/{version}/{}", api.name, route.id),
                None => format!("{}/{}", api.name, route.id),
            },
            cells: columns
                .iter()
                .map(|who| Cell { who: who.clone(), outlook: route.outlook(who.standing()) })
                .collect(),
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

/// Operations that nobody may call because no rule allows anything: what each is called, and where its rules are written.
pub(in crate::command) fn closed(plan: &Plan) -> Vec<(String, &Origin)> {
    let forgotten = plan.operations().filter(|(.., route)| route.is_forgotten());
    forgotten
        .filter_map(|(api, version, route)| Some((operation(api, version, route), &route.authz.as_ref()?.origin)))
        .collect()
}

fn operation(api: &ApiPlan, version: &VersionPlan, route: &RoutePlan) -> String {
    let path = version.paths(api, route).swap_remove(0);
    format!("{} {}", route.method_names().join(","), if path.is_empty() { "/" } else { &path })
}
