//! What operators see of a running gateway and do to it: an API, and pages over the same functions; and what developers who sign in to
//! the portal do about keys of their own. Questions come in as values and answers go out as such; sockets, TLS and bodies on their way
//! belong to whoever carries them. An answer may take as long as a password, a reload or a write to the disk takes, so that nothing
//! else should wait on its thread.

mod api;
mod ask;
mod desk;
mod door;
mod entrance;
mod guard;
mod history;
mod openapi;
mod order;
mod own;
mod pages;
mod problem;
mod stream;
mod table;
#[cfg(test)]
mod tests;

pub use api::accounts::request_row as key_request_row;
pub use api::keys::{row as key_row, state_of as key_state};
pub use api::limits::{balance as limit_balance, row as limit_row};
pub use api::state::{listeners, reloads, server};
pub use ask::{Answer, BODY_BYTES_MAX, Body, Via};
pub use openapi::document as openapi;
pub use order::{By, Order, Orders, Reloaded};
pub use own::SelfService;
pub use stream::{STREAM_INTERVAL, Stream};

use ask::{Pairs, data, headed, members, refusal};
use desk::Desk;
use door::{Door, Guest, Rules, SessionName};
use entrance::{Entrance, told};
use guard::{Asked, CONSOLE_JAR};
use http::header::{ALLOW, ETAG, HeaderValue};
use http::{Request, StatusCode};
use portcullis_config::Loaded;
use portcullis_config::plan::{ConsolePlan, Role};
use portcullis_proxy::Handle;
use portcullis_types::Clock;
use problem::Problem;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use table::{BASE, Call, Endpoint, Route};

/// The console of a gateway. Copies are the same one.
#[derive(Clone, Debug)]
pub struct Console(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    desk: Desk,
    door: Door,
    streams: Arc<AtomicUsize>,
}

/// What is written down of those who come and go.
const WORDS: [&str; 3] = ["console.login", "console.login_failed", "console.logout"];

/// Who asks.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    pub(crate) by: By,
    pub(crate) role: Role,
    pub(crate) session: Option<SessionName>,
}

// === impl Console ===

impl Console {
    /// A console for these users; `None` if the system has no randomness.
    #[must_use]
    pub fn new(handle: Handle, orders: Orders, plan: &ConsolePlan, loaded: Arc<Loaded>, clock: Clock) -> Option<Self> {
        let door = Door::new(Rules::of(plan), clock)?;
        Some(Self(Arc::new(Inner { desk: Desk::new(handle, orders, loaded), door, streams: Arc::default() })))
    }

    /// From now on this configuration is in force, and these users may come in.
    pub fn take_over(&self, plan: &ConsolePlan, loaded: Arc<Loaded>) {
        self.0.door.take_over(Rules::of(plan));
        self.0.desk.take_over(loaded);
    }

    /// Takes the counts of this second; to be called once in each.
    pub fn sample(&self) {
        self.0.desk.history.sample(self.handle().totals());
    }

    pub(crate) fn handle(&self) -> &Handle {
        &self.0.desk.handle
    }

    pub(crate) fn desk(&self) -> &Desk {
        &self.0.desk
    }

    pub(crate) fn door(&self) -> &Door {
        &self.0.door
    }

    pub(crate) fn is_open(&self, session: &SessionName) -> bool {
        self.0.door.is_open(session)
    }

    /// Answers a question. Blocks for as long as that takes.
    #[must_use]
    pub fn answer(&self, from: Via, request: &Request<Vec<u8>>) -> Answer {
        let is_secure = matches!(from, Via::Listener(_, true));
        let asked = Asked { from, request, jar: CONSOLE_JAR, home: None };
        let path = request.uri().path();
        let answer = match path.strip_prefix(BASE) {
            Some(rest) if rest.is_empty() || rest.starts_with('/') => self.program(&asked, rest),
            Some(_) | None => match from {
                Via::Listener(..) => pages::answer(self, &asked),
                Via::Socket(_) => refusal(&Problem::nothing("the admin socket has no pages")),
            },
        };
        headed(answer, is_secure)
    }

    /// Answers a program.
    fn program(&self, asked: &Asked<'_>, path: &str) -> Answer {
        match self.try_program(asked, path) {
            Ok(answer) => answer,
            Err(problem) => {
                let mut answer = refusal(&problem);
                if problem.status == StatusCode::UNAUTHORIZED {
                    answer.headers_mut().insert("www-authenticate", HeaderValue::from_static("Bearer"));
                }
                answer
            }
        }
    }

    fn try_program(&self, asked: &Asked<'_>, path: &str) -> Result<Answer, Problem> {
        if path == "/session" {
            return self.session(asked);
        }
        let (asker, guest) = self.asker(asked)?;
        match path {
            "" | "/" | "/openapi.json" if asked.is_read() => return Ok(data(StatusCode::OK, &openapi())),
            "/records/stream" if asked.is_read() => return self.stream(asked, &asker),
            _ => {}
        }
        let (endpoint, parameters) = match table::route(asked.method(), path) {
            Route::Found(endpoint, parameters) => (endpoint, parameters),
            Route::Nothing => {
                return Err(Problem::nothing("the API has no such path; /api/v1/openapi.json lists them"));
            }
            Route::OtherMethods(methods) => {
                let mut answer = refusal(&Problem::method());
                if let Ok(methods) = HeaderValue::from_str(&methods.join(", ")) {
                    answer.headers_mut().insert(ALLOW, methods);
                }
                return Ok(answer);
            }
        };
        if endpoint.method != "GET"
            && let Some(guest) = &guest
        {
            asked.is_ours(guest, asked.field("x-csrf-token"))?;
        }
        let query = Pairs::read(asked.request.uri().query().unwrap_or_default())
            .ok_or_else(|| Problem::malformed("the query cannot be read"))?;
        let body = members(asked.request.body())?;
        let value = self.call(endpoint, &asker, (parameters, query, body), asked.field("if-match"))?;
        let mut answer = data(endpoint.success(), &value.0);
        if let Some(tag) = value.1.and_then(|tag| HeaderValue::from_str(&tag).ok()) {
            answer.headers_mut().insert(ETAG, tag);
        }
        Ok(answer)
    }

    /// Calls an operation, if whoever asks may: what came of it, and the tag of the state that it is about.
    pub(crate) fn call(
        &self,
        endpoint: &'static Endpoint,
        asker: &Asker,
        (parameters, query, body): (Vec<String>, Pairs, serde_json::Map<String, Value>),
        if_match: Option<&str>,
    ) -> Result<(Value, Option<String>), Problem> {
        if asker.role < endpoint.role {
            return Err(Problem::forbidden(format!("this takes the role `{}`", endpoint.role.name())));
        }
        endpoint.check(&query, &body)?;
        let is_dry = match query.value("dry_run") {
            None | Some("false") => false,
            Some("true") => true,
            Some(_) => return Err(Problem::malformed("`dry_run` is `true` or `false`")),
        };
        let mut call = Call { desk: self.desk(), by: asker.by.clone(), parameters, query, body, is_dry };
        let tag = |call: &Call<'_>| endpoint.state.map(|state| state(call).map(|state| tag_of(&state))).transpose();
        if let Some(expected) = if_match {
            let now = tag(&call)?.ok_or_else(|| Problem::malformed("this has no state that `If-Match` could name"))?;
            if expected != "*" && !expected.split(',').any(|one| one.trim() == now) {
                return Err(Problem::changed());
            }
        }
        let mut value = (endpoint.run)(&call)?;
        if is_dry && let Some(members) = value.as_object_mut() {
            members.insert("dry_run".to_owned(), true.into());
        }
        call.is_dry = false;
        let tag = if endpoint.method == "GET" { tag(&call)? } else { None };
        Ok((value, tag))
    }

    /// Who asks, and as whom where a cookie says so.
    fn asker(&self, asked: &Asked<'_>) -> Result<(Asker, Option<Guest>), Problem> {
        if let Via::Socket(user) = asked.from {
            return Ok((Asker { by: By::Uid(user), role: Role::Admin, session: None }, None));
        }
        let bearer = asked.field("authorization").map(|value| {
            value.strip_prefix("Bearer ").and_then(|token| self.door().guest(token)).ok_or_else(Problem::unknown_caller)
        });
        match bearer {
            Some(guest) => guest.map(|guest| (Asker::of(&guest), None)),
            None => {
                let guest = self.visitor(asked).ok_or_else(Problem::unknown_caller)?;
                Ok((Asker::of(&guest), Some(guest)))
            }
        }
    }

    /// Whom the cookie belongs to.
    pub(crate) fn visitor(&self, asked: &Asked<'_>) -> Option<Guest> {
        self.door().guest(asked.cookie()?)
    }

    /// Begins, shows and ends sessions of programs.
    fn session(&self, asked: &Asked<'_>) -> Result<Answer, Problem> {
        let Via::Listener(address, _) = asked.from else {
            return Err(Problem::nothing("the admin socket needs no session"));
        };
        match asked.method() {
            "POST" => {
                let body = members(asked.request.body())?;
                let text = |name| {
                    body.get(name)
                        .and_then(Value::as_str)
                        .ok_or_else(|| Problem::malformed(format!("the body lacks `{name}`")))
                };
                let (token, role) = self.log_in(text("name")?, text("password")?, address)?;
                Ok(data(StatusCode::CREATED, &json!({ "token": token, "role": role.name() })))
            }
            "GET" | "HEAD" => {
                let (asker, _) = self.asker(asked)?;
                Ok(data(StatusCode::OK, &json!({ "user": asker.by.to_string(), "role": asker.role.name() })))
            }
            "DELETE" => {
                let (asker, guest) = self.asker(asked)?;
                if let Some(guest) = &guest {
                    asked.is_ours(guest, asked.field("x-csrf-token"))?;
                }
                self.log_out(&asker);
                Ok(data(StatusCode::OK, &json!({ "ended": true })))
            }
            _ => Err(Problem::method()),
        }
    }

    /// Lets somebody in, and writes down how that went.
    pub(crate) fn log_in(
        &self,
        name: &str,
        password: &str,
        address: std::net::IpAddr,
    ) -> Result<(String, Role), Problem> {
        let entrance = Entrance { door: self.door(), orders: self.desk().orders(), words: WORDS };
        entrance.log_in(By::User(told(name)), (name, password, address))
    }

    pub(crate) fn log_out(&self, asker: &Asker) {
        if let Some(session) = &asker.session {
            let entrance = Entrance { door: self.door(), orders: self.desk().orders(), words: WORDS };
            entrance.log_out(&asker.by, session);
        }
    }

    fn stream(&self, asked: &Asked<'_>, asker: &Asker) -> Result<Answer, Problem> {
        let query = Pairs::read(asked.request.uri().query().unwrap_or_default())
            .ok_or_else(|| Problem::malformed("the query cannot be read"))?;
        let only_notable = query.value("only") == Some("notable");
        let after = asked.field("last-event-id").or(query.value("after")).and_then(|text| text.parse().ok());
        let stream =
            Stream::begin(self, asker.session, after, only_notable, &self.0.streams).ok_or_else(Problem::busy)?;
        let mut answer = http::Response::new(Body::Stream(stream));
        answer.headers_mut().insert("content-type", HeaderValue::from_static("text/event-stream"));
        Ok(answer)
    }
}

// === impl Asker ===

impl Asker {
    pub(crate) fn of(guest: &Guest) -> Self {
        Self { by: By::User(Arc::clone(&guest.name)), role: guest.role, session: Some(guest.session) }
    }
}

/// The tag of a state: a strong one (RFC 9110 section 8.8.3).
fn tag_of(state: &Value) -> String {
    format!("\"{}\"", blake3::hash(state.to_string().as_bytes()).to_hex().get(..32).unwrap_or_default())
}
