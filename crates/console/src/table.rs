//! The one table of what the admin API has: it routes, says who may, checks what is sent, and the OpenAPI document is made of it.

use crate::api::{accounts, configuration, findings, keys, limits, records, state};
use crate::ask::{Pairs, decoded};
use crate::desk::Desk;
use crate::order::By;
use crate::problem::Problem;
use http::StatusCode;
use portcullis_config::plan::Role;
use serde_json::{Map, Value};

/// Where the API is.
pub(crate) const BASE: &str = "/api/v1";

/// One operation.
#[derive(Debug)]
pub(crate) struct Endpoint {
    pub(crate) method: &'static str,
    /// Below [`BASE`], with names of parameters in braces.
    pub(crate) path: &'static str,
    pub(crate) id: &'static str,
    /// Who may, at least.
    pub(crate) role: Role,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [Member],
    pub(crate) body: &'static [Member],
    /// The status of success.
    pub(crate) status: u16,
    pub(crate) answer: &'static [Member],
    /// What `If-Match` is held against, and the `ETag` of what is read.
    pub(crate) state: Option<fn(&Call<'_>) -> Outcome>,
    /// What is done, or what would be.
    pub(crate) run: fn(&Call<'_>) -> Outcome,
}

/// A value with its name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) is_required: bool,
    pub(crate) about: &'static str,
}

/// What a value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Text,
    Number,
    Flag,
    Texts,
    Objects,
    Object,
    /// A text, or nothing.
    MaybeText,
    /// A number, or nothing.
    MaybeNumber,
}

/// One call of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Call<'c> {
    pub(crate) desk: &'c Desk,
    pub(crate) by: By,
    /// Of the path, in their order.
    pub(crate) parameters: Vec<String>,
    pub(crate) query: Pairs,
    pub(crate) body: Map<String, Value>,
    /// Nothing is to be done.
    pub(crate) is_dry: bool,
}

pub(crate) type Outcome = Result<Value, Problem>;

/// A value that has to be there.
pub(crate) const fn needs(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member { name, kind, is_required: true, about }
}

/// A value that may be there.
pub(crate) const fn may(name: &'static str, kind: Kind, about: &'static str) -> Member {
    Member { name, kind, is_required: false, about }
}

/// Something that is read.
const fn read(path: &'static str, id: &'static str, summary: &'static str, run: fn(&Call<'_>) -> Outcome) -> Endpoint {
    Endpoint {
        method: "GET",
        path,
        id,
        role: Role::Viewer,
        summary,
        query: &[],
        body: &[],
        status: 200,
        answer: &[],
        state: None,
        run,
    }
}

/// Something that is done.
const fn act(
    (path, id): (&'static str, &'static str),
    role: Role,
    summary: &'static str,
    run: fn(&Call<'_>) -> Outcome,
) -> Endpoint {
    Endpoint { method: "POST", role, ..read(path, id, summary, run) }
}

/// All operations.
pub(crate) const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        answer: state::OVERVIEW,
        ..read(
            "/overview",
            "getOverview",
            "How the gateway is, and what it did in the last five minutes",
            state::overview,
        )
    },
    Endpoint {
        query: records::QUERY,
        answer: records::ANSWER,
        ..read(
            "/records",
            "listRecords",
            "The last requests: every refusal and failure, and a sample of the rest",
            records::list,
        )
    },
    Endpoint {
        answer: records::ONE,
        ..read("/records/{request_id}", "getRecord", "What became of one request, and which line decided", records::one)
    },
    Endpoint {
        answer: configuration::ROUTES,
        ..read("/routes", "listRoutes", "Every route, with how often it was called", configuration::routes)
    },
    Endpoint {
        query: &[needs("route", Kind::Text, "the route's id, or method and path: `GET /orders/{id}`")],
        answer: configuration::POLICY,
        ..read("/policy", "getPolicy", "What applies to a route, and the line that says so", configuration::policy)
    },
    Endpoint {
        answer: limits::ANSWER,
        ..read("/limits", "listLimits", "Every limit, and how often it had no room", limits::list)
    },
    Endpoint {
        body: limits::ACCOUNT,
        answer: limits::BALANCE,
        role: Role::Viewer,
        ..act(("/limits/account", "getAccount"), Role::Viewer, "What one caller has left of a limit", limits::account)
    },
    Endpoint {
        body: limits::ACCOUNT,
        answer: limits::RESET,
        ..act(
            ("/limits/reset", "resetAccount"),
            Role::Operator,
            "Forgets what one caller has spent of a limit",
            limits::reset,
        )
    },
    Endpoint {
        query: keys::PAGE,
        answer: keys::LIST,
        ..read("/keys", "listKeys", "The API keys of the store, without their secrets", keys::list)
    },
    Endpoint {
        status: 201,
        body: keys::WISH,
        answer: keys::MADE,
        ..act(
            ("/keys", "createKey"),
            Role::Admin,
            "Makes a key. Its text is in this answer and nowhere else",
            keys::create,
        )
    },
    Endpoint {
        answer: keys::ONE,
        state: Some(keys::state),
        ..read("/keys/{key_id}", "getKey", "One key, without its secret", keys::one)
    },
    Endpoint {
        status: 201,
        body: keys::OVERLAP,
        answer: keys::MADE,
        state: Some(keys::state),
        ..act(
            ("/keys/{key_id}/rotate", "rotateKey"),
            Role::Admin,
            "Makes a key in the place of another, which opens for a while still",
            keys::rotate,
        )
    },
    Endpoint {
        answer: keys::REVOKED,
        state: Some(keys::state),
        ..act(("/keys/{key_id}/revoke", "revokeKey"), Role::Admin, "Revokes a key at once", keys::revoke)
    },
    Endpoint {
        query: accounts::PAGE,
        answer: accounts::ACCOUNTS,
        ..read("/accounts", "listAccounts", "Developers who may sign in to the portal", accounts::list)
    },
    Endpoint {
        answer: accounts::REQUESTS,
        ..read("/key-requests", "listKeyRequests", "Keys that developers wait for", accounts::requests)
    },
    Endpoint {
        answer: accounts::DECIDED,
        ..act(
            ("/key-requests/{request_id}/approve", "approveKeyRequest"),
            Role::Admin,
            "Lets a key be made by whoever has asked for it",
            accounts::approve,
        )
    },
    Endpoint {
        body: accounts::WHY,
        answer: accounts::DECIDED,
        ..act(
            ("/key-requests/{request_id}/decline", "declineKeyRequest"),
            Role::Admin,
            "Lets a key not be made, and says why",
            accounts::decline,
        )
    },
    Endpoint {
        answer: state::ISSUERS,
        ..read("/issuers", "listIssuers", "Issuers whose keys are fetched, and how old those are", state::issuers)
    },
    Endpoint {
        answer: state::UPSTREAMS,
        ..read("/upstreams", "listUpstreams", "Servers that are asked, and how they are", state::upstreams)
    },
    Endpoint {
        answer: state::CERTIFICATES,
        ..read("/certificates", "listCertificates", "Certificates of listeners, and when they end", state::certificates)
    },
    Endpoint {
        answer: findings::ANSWER,
        ..read("/findings", "listFindings", "What was found unusual, with the numbers that say so", findings::list)
    },
    Endpoint {
        body: findings::SEEN,
        answer: findings::ACKNOWLEDGED,
        ..act(
            ("/findings/acknowledge", "acknowledgeFinding"),
            Role::Operator,
            "Notes that somebody has seen a finding; what follows from it goes on",
            findings::acknowledge,
        )
    },
    Endpoint {
        body: findings::WHO,
        answer: findings::PARDONED,
        ..act(
            ("/findings/pardon", "pardonCaller"),
            Role::Operator,
            "Forgets what was found about somebody, and ends what followed",
            findings::pardon,
        )
    },
    Endpoint {
        answer: state::RULES,
        ..read("/rules", "listRules", "What rules about access, masking and attacks have done", state::rules)
    },
    Endpoint {
        answer: configuration::ANSWER,
        state: Some(configuration::in_force),
        ..read(
            "/configuration",
            "getConfiguration",
            "The configuration in force, by its digest",
            configuration::in_force,
        )
    },
    Endpoint {
        answer: configuration::DIFFERENCE,
        ..read("/configuration/difference", "getDifference", "What a reload would change", configuration::difference)
    },
    Endpoint {
        answer: configuration::RELOADED,
        state: Some(configuration::in_force),
        ..act(
            ("/configuration/reload", "reload"),
            Role::Operator,
            "Takes over the configuration as it is in the file, all of it or nothing",
            configuration::reload,
        )
    },
    Endpoint {
        query: state::LAST,
        answer: state::AUDIT_LOG,
        ..read("/audit-log", "listAuditLog", "The last entries of the audit log", state::audit_log)
    },
];

/// What a path leads to.
#[derive(Debug)]
pub(crate) enum Route {
    /// The operation, and the parameters of its path.
    Found(&'static Endpoint, Vec<String>),
    /// The path has other methods.
    OtherMethods(Vec<&'static str>),
    Nothing,
}

/// Looks a path below [`BASE`] up.
pub(crate) fn route(method: &str, path: &str) -> Route {
    let mut others = Vec::new();
    for endpoint in ENDPOINTS {
        let Some(parameters) = parameters(endpoint.path, path) else { continue };
        if endpoint.method == method || (endpoint.method == "GET" && method == "HEAD") {
            return Route::Found(endpoint, parameters);
        }
        others.push(endpoint.method);
    }
    if others.is_empty() { Route::Nothing } else { Route::OtherMethods(others) }
}

/// The operation of an id.
pub(crate) fn named(id: &str) -> Option<&'static Endpoint> {
    ENDPOINTS.iter().find(|endpoint| endpoint.id == id)
}

fn parameters(template: &str, path: &str) -> Option<Vec<String>> {
    let (mut template, mut path) = (template.split('/'), path.split('/'));
    let mut found = Vec::new();
    loop {
        match (template.next(), path.next()) {
            (None, None) => return Some(found),
            (Some(name), Some(value)) if name.starts_with('{') && !value.is_empty() => found.push(decoded(value)?),
            (Some(name), Some(value)) if name == value => {}
            (Some(_) | None, Some(_) | None) => return None,
        }
    }
}

// === impl Endpoint ===

impl Endpoint {
    /// Whether calling it changes something.
    pub(crate) fn changes(&self) -> bool {
        self.method != "GET" && self.role > Role::Viewer
    }

    pub(crate) fn success(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK)
    }

    /// Finds out whether what was sent is what is asked for. `dry_run` may be said of everything that changes something.
    pub(crate) fn check(&self, query: &Pairs, body: &Map<String, Value>) -> Result<(), Problem> {
        for name in query.names() {
            let is_known = self.query.iter().any(|member| member.name == name) || (self.changes() && name == "dry_run");
            if !is_known {
                return Err(Problem::malformed("the query has a name that is not known here"));
            }
        }
        if let Some(member) = self.query.iter().find(|member| member.is_required && query.value(member.name).is_none())
        {
            return Err(Problem::malformed(format!("the query lacks `{}`", member.name)));
        }
        for (name, value) in body {
            match self.body.iter().find(|member| member.name == name) {
                Some(member) if member.kind.fits(value) => {}
                Some(member) => {
                    return Err(Problem::malformed(format!("`{}` is no {}", member.name, member.kind.about())));
                }
                None => return Err(Problem::malformed("the body has a member that is not known here")),
            }
        }
        match self.body.iter().find(|member| member.is_required && !body.contains_key(member.name)) {
            Some(member) => Err(Problem::malformed(format!("the body lacks `{}`", member.name))),
            None => Ok(()),
        }
    }
}

// === impl Kind ===

impl Kind {
    pub(crate) fn fits(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Self::Objects => value.as_array().is_some_and(|list| list.iter().all(Value::is_object)),
            Self::Object => value.is_object(),
            Self::MaybeText => value.is_string() || value.is_null(),
            Self::MaybeNumber => value.is_number() || value.is_null(),
        }
    }

    pub(crate) const fn about(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Flag => "`true` or `false`",
            Self::Texts => "list of texts",
            Self::Objects => "list of objects",
            Self::Object => "object",
            Self::MaybeText => "text or `null`",
            Self::MaybeNumber => "number or `null`",
        }
    }
}

// === impl Call ===

impl Call<'_> {
    /// The first parameter of the path.
    pub(crate) fn parameter(&self) -> &str {
        self.parameters.first().map(String::as_str).unwrap_or_default()
    }

    /// A text of the body; empty without one.
    pub(crate) fn text(&self, name: &str) -> &str {
        self.body.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// A list of texts of the body.
    pub(crate) fn texts(&self, name: &str) -> Vec<String> {
        let list = self.body.get(name).and_then(Value::as_array).into_iter().flatten();
        list.filter_map(|text| text.as_str().map(str::to_owned)).collect()
    }

    /// A whole number of the query.
    pub(crate) fn number(&self, name: &str, usual: u64, most: u64) -> Result<u64, Problem> {
        let Some(text) = self.query.value(name) else { return Ok(usual) };
        let number = text.parse().map_err(|_| Problem::malformed(format!("`{name}` is no whole number")))?;
        Ok(most.min(number))
    }

    /// Writes down what is about to be done. What cannot be written down is not done.
    pub(crate) fn note(&self, what: &'static str, details: Value) -> Result<(), Problem> {
        self.desk.note(&self.by, what, details)
    }
}

#[cfg(test)]
mod tests {
    use super::{ENDPOINTS, Route, route};

    #[test]
    fn a_path_leads_to_one_operation() {
        for (method, path, expect) in [
            ("GET", "/keys", "listKeys []"),
            ("HEAD", "/keys", "listKeys []"),
            ("POST", "/keys", "createKey []"),
            ("GET", "/keys/a%2Fb", "getKey [\"a/b\"]"),
            ("POST", "/keys/x/revoke", "revokeKey [\"x\"]"),
            ("DELETE", "/keys", "others [\"GET\", \"POST\"]"),
            ("GET", "/keys/", "nothing"),
            ("GET", "/keys/x/", "nothing"),
            ("GET", "", "nothing"),
        ] {
            let found = match route(method, path) {
                Route::Found(endpoint, parameters) => format!("{} {parameters:?}", endpoint.id),
                Route::OtherMethods(methods) => format!("others {methods:?}"),
                Route::Nothing => "nothing".to_owned(),
            };
            assert_eq!(found, expect, "{method} {path}");
        }
        let mut ids: Vec<_> = ENDPOINTS.iter().map(|endpoint| endpoint.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), ENDPOINTS.len());
    }
}
