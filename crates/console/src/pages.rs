//! The pages, over the same operations as the API: what is read works without a script, what is done is a form.

mod accounts;
mod act;
pub(crate) mod cells;
mod chart;
mod config;
mod frame;
mod keys;
pub(crate) mod login;
mod overview;
mod state;
mod traffic;

use crate::ask::{Answer, Pairs, decoded, whole};
use crate::door::Guest;
use crate::guard::Asked;
use crate::problem::Problem;
use crate::table::named;
use crate::{Asker, Console};
use frame::{Page, framed};
use http::StatusCode;
use http::header::{CACHE_CONTROL, HeaderValue, LOCATION, SET_COOKIE};
use portcullis_types::percent::encoded;
use serde_json::{Map, Value};

const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = include_str!("pages/console.css");
const SCRIPT: &str = include_str!("pages/live.js");
const ICON: &str = include_str!("pages/icon.svg");

/// What a page is made with.
pub(crate) struct Visit<'v> {
    console: &'v Console,
    guest: &'v Guest,
    query: Pairs,
}

/// Answers whoever looks with a browser.
pub(crate) fn answer(console: &Console, asked: &Asked<'_>) -> Answer {
    let path = asked.request.uri().path();
    match (path, asked.is_read()) {
        ("/assets/base.css", true) => asset("text/css; charset=utf-8", portcullis_portal::STYLE_SHEET),
        ("/assets/console.css", true) => asset("text/css; charset=utf-8", STYLE),
        ("/assets/live.js", true) => asset("text/javascript; charset=utf-8", SCRIPT),
        ("/assets/icon.svg", true) => asset("image/svg+xml", ICON),
        ("/login", true) => login::shown(console, asked),
        ("/login", false) => login::log_in(console, asked),
        _ => match console.visitor(asked) {
            None if asked.is_read() => see_other(&format!("/login?next={}", encoded(&target(asked)))),
            None => refused(None, &Problem::unknown_caller()),
            Some(guest) => visited(console, asked, &guest, path),
        },
    }
}

fn visited(console: &Console, asked: &Asked<'_>, guest: &Guest, path: &str) -> Answer {
    let Some(query) = Pairs::read(asked.request.uri().query().unwrap_or_default()) else {
        return refused(Some(guest), &Problem::malformed("the query cannot be read"));
    };
    let visit = Visit { console, guest, query };
    let outcome = match (path, asked.method()) {
        ("/logout", "POST") => login::log_out(&visit, asked),
        (path, "POST") => match path.strip_prefix("/act/") {
            Some(id) => act::act(&visit, asked, id),
            None => Err(Problem::method()),
        },
        (path, "GET" | "HEAD") => page(&visit, path).map(|page| html(StatusCode::OK, &framed(&page, Some(guest)))),
        _ => Err(Problem::method()),
    };
    outcome.unwrap_or_else(|problem| refused(Some(guest), &problem))
}

fn page(visit: &Visit<'_>, path: &str) -> Result<Page, Problem> {
    match path {
        "/" => overview::page(visit),
        "/traffic" => traffic::page(visit),
        "/routes" => config::routes(visit),
        "/policy" => config::policy(visit),
        "/limits" => state::limits(visit),
        "/keys" => keys::list(visit),
        "/accounts" => accounts::page(visit),
        "/issuers" => state::issuers(visit),
        "/upstreams" => state::upstreams(visit),
        "/certificates" => state::certificates(visit),
        "/findings" => state::findings(visit),
        "/rules" => state::rules(visit),
        "/configuration" => config::configuration(visit),
        "/audit-log" => state::audit_log(visit),
        "/requests" => traffic::find(visit),
        _ => {
            let one = |prefix: &str| path.strip_prefix(prefix).filter(|rest| !rest.contains('/')).and_then(decoded);
            match (one("/requests/"), one("/keys/")) {
                (Some(id), _) => traffic::one(visit, &id),
                (None, Some(id)) => keys::one(visit, &id),
                (None, None) => Err(Problem::nothing("there is no such page")),
            }
        }
    }
}

// === impl Visit ===

impl Visit<'_> {
    /// Asks the API.
    fn ask(&self, operation: &str, parameters: Vec<String>, query: &str) -> Result<Value, Problem> {
        let endpoint = named(operation).ok_or_else(|| Problem::nothing("there is no such operation"))?;
        let query = Pairs::read(query).unwrap_or_default();
        self.console
            .call(endpoint, &Asker::of(self.guest), (parameters, query, Map::new()), None)
            .map(|(value, _)| value)
    }

    /// The same about everything that there is.
    fn all(&self, operation: &str) -> Result<Value, Problem> {
        self.ask(operation, Vec::new(), "")
    }
}

/// Path and query as they were asked for.
fn target(asked: &Asked<'_>) -> String {
    asked.request.uri().path_and_query().map_or_else(|| "/".to_owned(), |target| target.as_str().to_owned())
}

pub(crate) fn html(status: StatusCode, text: &str) -> Answer {
    whole(status, HTML, text)
}

fn asset(media_type: &'static str, text: &'static str) -> Answer {
    let mut answer = whole(StatusCode::OK, media_type, text);
    answer.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("max-age=300"));
    answer
}

pub(crate) fn see_other(address: &str) -> Answer {
    let mut answer = whole(StatusCode::SEE_OTHER, "text/plain; charset=utf-8", "");
    if let Ok(address) = HeaderValue::from_str(address) {
        answer.headers_mut().insert(LOCATION, address);
    }
    answer
}

pub(crate) fn with_cookie(mut answer: Answer, cookie: &str) -> Answer {
    if let Ok(cookie) = HeaderValue::from_str(cookie) {
        answer.headers_mut().insert(SET_COOKIE, cookie);
    }
    answer
}

/// Why not, as a page.
fn refused(guest: Option<&Guest>, problem: &Problem) -> Answer {
    let mut page = Page::new("/", problem.title);
    page.body.leaf("h1", &[], problem.title).line();
    page.body.element("p", &[("class", "lead")], |html| html.prose(&problem.detail).done()).line();
    if guest.is_none() {
        page.body.element("p", &[], |html| html.link("/login", "Log in").done()).line();
    }
    let mut answer = html(problem.status, &framed(&page, guest));
    crate::ask::wait(&mut answer, problem);
    answer
}
