//! What developers who have signed in to the portal do about keys of their own: applications, keys, what they have asked for, how much
//! they have called, why they were refused.
//!
//! Whose something is, is never asked: every look-up goes through the account of whoever has signed in. What belongs to somebody else is
//! answered as what is not there.

mod acts;
mod fields;
mod pace;
mod refusals;
mod sheet;
mod usage;
mod views;

use crate::ask::{Answer, Pairs, Via, headed, wait};
use crate::door::{Door, Guest, Person, Rules};
use crate::entrance::{Entrance, form, told};
use crate::guard::{Asked, PORTAL_JAR};
use crate::order::{By, Orders, note};
use crate::pages::{html, login, see_other, with_cookie};
use crate::problem::Problem;
use http::{Request, StatusCode};
use pace::Pace;
use portcullis_auth::key::KeyText;
use portcullis_auth::password::PasswordHash;
use portcullis_config::plan::{AccountsPlan, OfferPlan, Plan};
use portcullis_portal::Frame;
use portcullis_proxy::Handle;
use portcullis_types::Clock;
use portcullis_types::percent::encoded;
use serde_json::Value;
use sheet::Sheet;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

/// Where it begins.
const BASE: &str = "/account";
const SIGN_IN: &str = "/account/sign-in";
/// What is written down of those who come and go.
const WORDS: [&str; 3] = ["portal.sign_in", "portal.sign_in_failed", "portal.sign_out"];

/// Self-service of a gateway's portal. Copies are the same one.
#[derive(Clone, Debug)]
pub struct SelfService(Arc<Inner>);

struct Inner {
    handle: Handle,
    orders: Orders,
    door: Door<Arc<str>>,
    pace: Pace,
    clock: Clock,
    shown: RwLock<Arc<Shown>>,
}

/// What is in force.
#[derive(Debug)]
struct Shown {
    accounts: AccountsPlan,
    /// The address by which visitors know the portal, if it is stated.
    home: Option<String>,
    frame: Frame,
    /// Every API with its versions.
    apis: Vec<(Arc<str>, Vec<Arc<str>>)>,
}

/// Somebody who has signed in, and what he has sent.
pub(crate) struct Stay<'s> {
    desk: &'s Inner,
    shown: &'s Shown,
    guest: &'s Guest<Arc<str>>,
    asked: &'s Asked<'s>,
    /// What the path is about.
    id: &'s str,
    sent: Pairs,
}

pub(crate) type Outcome = Result<Answer, Problem>;

/// What is answered: a method, a path with `{}` for what it is about, and by what.
pub(crate) type Place = (&'static str, &'static str, fn(&Stay<'_>) -> Outcome);

/// Everything that somebody who has signed in can ask for. What is no GET changes something.
pub(crate) const PLACES: &[Place] = &[
    ("GET", "/account", views::overview),
    ("GET", "/account/applications/{}", views::application),
    ("GET", "/account/keys/{}", views::key),
    ("GET", "/account/usage", usage::page),
    ("GET", "/account/refusals", refusals::page),
    ("POST", "/account/sign-out", acts::sign_out),
    ("POST", "/account/applications", acts::create_application),
    ("POST", "/account/applications/{}/end", acts::end_application),
    ("POST", "/account/applications/{}/keys", acts::create_key),
    ("POST", "/account/keys/{}/rotate", acts::rotate_key),
    ("POST", "/account/keys/{}/revoke", acts::revoke_key),
    ("POST", "/account/requests/{}/make", acts::make_key),
    ("POST", "/account/requests/{}/withdraw", acts::withdraw),
];

// === impl SelfService ===

impl SelfService {
    /// Where developers sign in by a plan; `None` if nobody does, or the system has no randomness.
    #[must_use]
    pub fn new(handle: Handle, orders: Orders, plan: &Plan, frame: Frame, clock: Clock) -> Option<Self> {
        let shown = Shown::of(plan, frame)?;
        let door = Door::new(rules(&handle, &shown.accounts), clock.clone())?;
        let shown = RwLock::new(Arc::new(shown));
        Some(Self(Arc::new(Inner { handle, orders, door, pace: Pace::default(), clock, shown })))
    }

    /// Whether what is asked for is here.
    #[must_use]
    pub fn answers(path: &str) -> bool {
        path.strip_prefix(BASE).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }

    /// From now on these plans count, and pages look so.
    pub fn take_over(&self, plan: &Plan, frame: Frame) {
        let Some(shown) = Shown::of(plan, frame) else { return };
        self.0.door.take_over(rules(&self.0.handle, &shown.accounts));
        *self.0.shown.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(shown);
    }

    /// Another hour begins for everybody.
    #[cfg(test)]
    pub(crate) fn forget_pace(&self) {
        self.0.pace.forget();
    }

    /// Answers a question. Blocks for as long as that takes.
    #[must_use]
    pub fn answer(&self, from: Via, request: &Request<Vec<u8>>) -> Answer {
        let shown = Arc::clone(&self.0.shown.read().unwrap_or_else(PoisonError::into_inner));
        let from = shown.seen(from);
        let home = shown.home.as_deref();
        let asked = Asked { from, request, jar: PORTAL_JAR, home };
        headed(self.0.answer(&shown, &asked), asked.is_secure())
    }
}

impl Inner {
    fn answer(&self, shown: &Shown, asked: &Asked<'_>) -> Answer {
        let path = asked.request.uri().path();
        if path == SIGN_IN {
            return if asked.is_read() { self.sign_in_page(shown, asked) } else { self.sign_in(shown, asked) };
        }
        let guest = asked.cookie().and_then(|token| self.door.guest(token));
        match guest {
            None if asked.is_read() => see_other(&format!("{SIGN_IN}?next={}", encoded(path))),
            None => self.refused((shown, asked), None, &Problem::unknown_visitor()),
            Some(guest) => {
                let outcome = self.visited(shown, asked, &guest, path);
                outcome.unwrap_or_else(|problem| self.refused((shown, asked), Some(&guest), &problem))
            }
        }
    }

    fn visited(&self, shown: &Shown, asked: &Asked<'_>, guest: &Guest<Arc<str>>, path: &str) -> Outcome {
        let mut is_known = false;
        let method = if asked.is_read() { "GET" } else { asked.method() };
        for (own_method, pattern, run) in PLACES {
            let Some(id) = within(pattern, path) else { continue };
            is_known = true;
            if *own_method != method {
                continue;
            }
            let sent = match method {
                "GET" => Some(Pairs::default()),
                _ => std::str::from_utf8(asked.request.body()).ok().and_then(Pairs::read),
            };
            let sent = sent.ok_or_else(|| Problem::malformed("the form cannot be read"))?;
            if method != "GET" {
                asked.is_ours(guest, sent.value("csrf"))?;
            }
            return run(&Stay { desk: self, shown, guest, asked, id, sent });
        }
        Err(if is_known { Problem::method() } else { Problem::nothing("there is no such page") })
    }

    fn sign_in_page(&self, shown: &Shown, asked: &Asked<'_>) -> Answer {
        let query = Pairs::read(asked.request.uri().query().unwrap_or_default()).unwrap_or_default();
        let next = next(query.value("next"));
        if asked.cookie().and_then(|token| self.door.guest(token)).is_some() {
            return see_other(next);
        }
        html(StatusCode::OK, &entry(next, None).framed(&shown.frame, asked.path()))
    }

    fn sign_in(&self, shown: &Shown, asked: &Asked<'_>) -> Answer {
        let Via::Listener(address, _) = asked.from else {
            return self.refused((shown, asked), None, &Problem::method());
        };
        if asked.method() != "POST" {
            return self.refused((shown, asked), None, &Problem::method());
        }
        if let Err(problem) = asked.is_same_site() {
            return self.refused((shown, asked), None, &problem);
        }
        let Some(sent) = std::str::from_utf8(asked.request.body()).ok().and_then(Pairs::read) else {
            return self.refused((shown, asked), None, &Problem::malformed("the form cannot be read"));
        };
        let next = next(sent.value("next"));
        let of = |name| sent.value(name).unwrap_or_default();
        let entrance = Entrance { door: &self.door, orders: &self.orders, words: WORDS };
        let by = By::Account(told(of("name")));
        match entrance.log_in(by, (of("name"), of("password"), address)) {
            Ok((token, _)) => with_cookie(see_other(next), &asked.set_cookie(Some(&token))),
            Err(problem) => {
                let mut answer = html(problem.status, &entry(next, Some(&problem)).framed(&shown.frame, asked.path()));
                wait(&mut answer, &problem);
                answer
            }
        }
    }

    /// Why not, as a page.
    fn refused(
        &self,
        (shown, asked): (&Shown, &Asked<'_>),
        guest: Option<&Guest<Arc<str>>>,
        problem: &Problem,
    ) -> Answer {
        let mut sheet = Sheet::headed(problem.title, "");
        sheet.body.element("p", &[("class", "lead")], |html| html.prose(&problem.detail).done()).line();
        let (address, text) = if guest.is_some() { (BASE, "Your account") } else { (SIGN_IN, "Sign in") };
        sheet.body.element("p", &[], |html| html.link(address, text).done()).line();
        let mut answer = html(problem.status, &sheet.framed(&shown.frame, asked.path()));
        wait(&mut answer, problem);
        answer
    }
}

/// The way in.
fn entry(next: &str, wrong: Option<&Problem>) -> Sheet {
    let lead = "Here you make, replace and revoke API keys, and see what they are used for.";
    let mut sheet = Sheet::headed("Sign in", lead);
    form(&mut sheet.body, ("login own", SIGN_IN), (next, "Sign in"), wrong);
    sheet.body.element("p", &[("class", "note")], |html| {
        html.text("You have no account? Whoever runs these APIs makes one. You have signed in already? ");
        html.link(next, "Go on").done();
    });
    sheet.body.line();
    sheet
}

/// Where to go on: a page of an account.
fn next(text: Option<&str>) -> &str {
    text.filter(|text| SelfService::answers(login::next(Some(text)))).unwrap_or(BASE)
}

/// What a path is about, if it is of this pattern: nothing, where there is nothing to tell.
fn within<'p>(pattern: &str, path: &'p str) -> Option<&'p str> {
    let Some((before, after)) = pattern.split_once("{}") else { return (pattern == path).then_some("") };
    let id = path.strip_prefix(before)?.strip_suffix(after)?;
    (!id.is_empty() && !id.contains('/')).then_some(id)
}

/// Accounts of the store, as they are at each look.
fn rules(handle: &Handle, plan: &AccountsPlan) -> Rules<Arc<str>> {
    let handle = handle.clone();
    let find = move |name: &str| {
        let account = handle.with_store(|store| store.account(name))?.filter(|account| account.closed_at.is_none());
        // A hash that cannot be read lets nobody in.
        Ok(account.and_then(|account| {
            let password = PasswordHash::read(&account.password).ok()?;
            Some(Person { password, role: Arc::from(account.plan) })
        }))
    };
    Rules::new(Arc::new(find), (plan.idle, plan.lifetime), None)
}

// === impl Shown ===

impl Shown {
    fn of(plan: &Plan, frame: Frame) -> Option<Self> {
        let portal = plan.portal.as_ref()?;
        let accounts = portal.accounts.clone()?;
        let versions = |api: &portcullis_config::plan::ApiPlan| {
            api.versions.iter().map(|version| version.name.clone().unwrap_or_default()).collect::<Vec<_>>()
        };
        let apis = plan.apis.iter().map(|api| (Arc::clone(&api.name), versions(api))).collect();
        Some(Self { accounts, home: portal.address.clone(), frame, apis })
    }

    /// Where visitors know the portal by an address of HTTPS, something in front of it speaks that.
    fn seen(&self, from: Via) -> Via {
        let is_behind = self.home.as_ref().is_some_and(|home| home.starts_with("https://"));
        match from {
            Via::Listener(address, is_secure) => Via::Listener(address, is_secure || is_behind),
            Via::Socket(user) => Via::Socket(user),
        }
    }
}

// === impl Stay ===

impl Stay<'_> {
    fn account(&self) -> &str {
        &self.guest.name
    }

    /// What the account may have.
    fn offer(&self) -> Result<&OfferPlan, Problem> {
        let offer = self.shown.accounts.offer(&self.guest.role);
        offer.ok_or_else(|| Problem::forbidden("your plan is not offered any more; ask whoever runs these APIs"))
    }

    /// The number that the path names.
    fn number(&self, what: &'static str) -> Result<u64, Problem> {
        KeyText::number_of(self.id).ok_or_else(|| Problem::nothing(format!("there is no such {what}")))
    }

    fn now(&self) -> u64 {
        self.desk.handle.seconds()
    }

    fn by(&self) -> By {
        By::Account(Arc::clone(&self.guest.name))
    }

    /// Writes down what is about to be done. Whoever does too much waits.
    fn note(&self, what: &'static str, details: Value) -> Result<(), Problem> {
        self.desk.pace.step(&self.guest.name, self.desk.clock.millis())?;
        self.note_always(what, details)
    }

    /// The same for what closes something, which nobody has to wait for; there is no more of it than was opened before.
    fn note_always(&self, what: &'static str, details: Value) -> Result<(), Problem> {
        note(&self.desk.orders, &self.by(), what, details)
    }

    fn answer(&self, status: StatusCode, sheet: &Sheet) -> Answer {
        html(status, &sheet.framed(&self.shown.frame, self.asked.path()))
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SelfService")
    }
}
