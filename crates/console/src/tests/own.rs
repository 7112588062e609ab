//! Developers and their keys: every place asked by nobody, by its owner and by somebody else; what a plan allows; what is hostile.

use super::markup::tags_and;
use super::texts::TEXTS;
use super::{HASH, HOME, PASSWORD, question, taken};
use crate::own::PLACES;
use crate::{Order, SelfService};
use portcullis_auth::key::KeyText;
use portcullis_config::{Environment, load_text};
use portcullis_portal::Frame;
use portcullis_proxy::Gateway;
use portcullis_store::{Account, Decision};
use portcullis_testkit::scratch::Scratch;
use portcullis_types::Clock;
use portcullis_types::percent::encoded;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const CONFIG: &str = r#"
version: 1
listeners: { local: { bind: "127.0.0.1:0" } }
access_log: { to: off }
store: { path: ./data }
portal:
  accounts:
    plans:
      free: { apis: [orders], scopes: [read, write], applications: 3, keys: 4, expires: 30d, overlap: 2h }
      asked: { apis: [orders, stock], scopes: [read], roles: [partner], approval: true }
apis:
  orders:
    hosts: [a.test]
    upstream: { targets: ["http://127.0.0.1:9"] }
    authn: { any_of: [{ api_key: {} }] }
    routes: [{ id: list, path: /orders, methods: [GET] }]
  stock: { hosts: [b.test], upstream: { targets: ["http://127.0.0.1:9"] }, authn: { any_of: [{ api_key: {} }] }, routes: [{ id: list, path: /stock, methods: [GET] }] }
"#;

const OURS: &str = "\r\norigin: http://console.test\r\nsec-fetch-site: same-origin";

/// A gateway with accounts: `ada` and `bob` are free, `cara` has to ask.
struct House {
    gateway: Option<Gateway>,
    service: SelfService,
    noted: Arc<Mutex<Vec<String>>>,
    _scratch: Scratch,
}

/// Somebody who has signed in.
struct Visitor<'h> {
    house: &'h House,
    cookie: String,
}

impl House {
    fn new() -> Self {
        let scratch = Scratch::new();
        let loaded = load_text("test.yaml", CONFIG, scratch.path(), &Environment::process());
        let plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
        let gateway = Gateway::start(plan.clone(), Clock::system(), "http://127.0.0.1/problems/".to_owned()).unwrap();
        for (name, plan) in [("ada", "free"), ("bob", "free"), ("cara", "asked"), ("dan", "gone")] {
            let (name, plan, password) = (name.to_owned(), plan.to_owned(), HASH.clone());
            let account = Account { name, plan, password, created_at: 1, closed_at: None };
            gateway.handle().with_store(|store| store.create_account(&account)).unwrap();
        }
        let noted: Arc<Mutex<Vec<String>>> = Arc::default();
        let heard = Arc::clone(&noted);
        let orders = move |order: Order| {
            if let Order::Note { by, what, details, written } = order {
                heard.lock().unwrap().push(format!("{by} {what} {details}"));
                let _heard = written.unwrap().send(true);
            }
            true
        };
        let service =
            SelfService::new(gateway.handle(), Arc::new(orders), &plan, Frame::default(), Clock::system()).unwrap();
        Self { gateway: Some(gateway), service, noted, _scratch: scratch }
    }

    fn send(&self, request: &str, body: &str) -> (u16, http::HeaderMap, String) {
        taken(self.service.answer(HOME, &question(request, body)))
    }

    fn visitor(&self, name: &str) -> Visitor<'_> {
        let body = format!("name={name}&password={}", PASSWORD.replace(' ', "+"));
        let (status, fields, text) = self.send(&format!("POST /account/sign-in{OURS}"), &body);
        assert_eq!(status, 303, "{text}");
        let set = fields["set-cookie"].to_str().unwrap();
        assert!(set.starts_with("portcullis-portal=") && set.ends_with("; HttpOnly; SameSite=Strict"), "{set}");
        Visitor { house: self, cookie: set.split(';').next().unwrap().to_owned() }
    }

    fn noted(&self, word: &str) -> usize {
        self.noted.lock().unwrap().iter().filter(|entry| entry.contains(word)).count()
    }

    fn store<T>(&self, act: impl FnOnce(&portcullis_store::Store) -> Result<T, portcullis_store::StoreError>) -> T {
        self.gateway.as_ref().unwrap().handle().with_store(act).unwrap()
    }
}

impl Drop for House {
    fn drop(&mut self) {
        self.gateway.take().unwrap().drain(Duration::ZERO);
    }
}

impl Visitor<'_> {
    fn get(&self, path: &str) -> (u16, String) {
        let (status, _, text) = self.house.send(&format!("GET {path}\r\ncookie: {}", self.cookie), "");
        (status, text)
    }

    /// What only our pages have.
    fn token(&self) -> String {
        let text = self.get("/account").1;
        let (_, rest) = text.split_once("name=\"csrf\" value=\"").unwrap();
        rest.split('"').next().unwrap().to_owned()
    }

    /// Sends a form as our page would: the status, and the body or where it leads.
    fn post(&self, path: &str, form: &str) -> (u16, String) {
        let request = format!("POST {path}\r\ncookie: {}{OURS}", self.cookie);
        let (status, fields, text) = self.house.send(&request, &format!("csrf={}&{form}", self.token()));
        let next = fields.get("location").map(|place| place.to_str().unwrap().to_owned());
        (status, next.unwrap_or(text))
    }

    /// The id of a new application.
    fn application(&self, name: &str) -> String {
        let (status, next) = self.post("/account/applications", &format!("name={name}"));
        assert_eq!(status, 303, "{next}");
        next.rsplit('/').next().unwrap().to_owned()
    }

    /// A new key and its id.
    fn key(&self, application: &str, form: &str) -> (String, String) {
        let (status, text) = self.post(&format!("/account/applications/{application}/keys"), form);
        assert_eq!(status, 201, "{text}");
        shown(&text)
    }
}

/// The key that a page shows, and its id.
fn shown(text: &str) -> (String, String) {
    let key = text.split_once("<pre id=\"key\"").unwrap().1.split_once("<code>").unwrap().1.split('<').next().unwrap();
    let id = text.split_once("/account/keys/").unwrap().1.split('"').next().unwrap();
    (key.to_owned(), id.to_owned())
}

#[test]
fn a_key_is_made_replaced_and_revoked_by_its_owner() {
    let house = House::new();
    let ada = house.visitor("ada");
    let application = ada.application("Shop");
    let (key, id) = ada.key(&application, "api=orders&scope=read&days=7");
    assert!(key.starts_with("pk_") && key.contains(&id));
    let (_, text) = ada.post(&format!("/account/applications/{application}/keys"), "api=nothing");
    assert!(text.contains("href=\"../../../assets/style.css\""), "links are those of the place that was asked: {text}");
    let own = house.store(|store| store.own_keys("ada"));
    let record = &own[0].listed.record;
    assert_eq!(
        (record.consumer.as_str(), &record.scopes, &record.apis),
        ("ada", &vec!["read".to_owned()], &vec!["orders".to_owned()])
    );
    assert_eq!(record.expires_at.unwrap() - record.created_at, 7 * 86_400);
    let page = ada.get(&format!("/account/keys/{id}")).1;
    assert!(!page.contains(&key) && page.contains("good"), "{page}");
    let (status, text) = ada.post(&format!("/account/keys/{id}/rotate"), "overlap_hours=1");
    assert_eq!(status, 201, "{text}");
    let (successor, successor_id) = shown(&text);
    assert_ne!(successor, key);
    let own = house.store(|store| store.own_keys("ada"));
    let old = own.iter().find(|one| one.listed.record.rotated_to.is_some()).unwrap();
    let new = own.iter().find(|one| one.listed.record.rotated_to.is_none()).unwrap();
    assert_eq!(new.listed.record.scopes, ["read"], "it may what the old one may");
    let lasts = |record: &portcullis_auth::key::KeyRecord| record.expires_at.unwrap() - record.created_at;
    assert_eq!(lasts(&new.listed.record), 7 * 86_400);
    assert!(lasts(&old.listed.record) <= 3_600 + 5);
    assert_eq!(ada.post(&format!("/account/keys/{id}/rotate"), "").0, 409, "once");
    assert_eq!(ada.post(&format!("/account/keys/{successor_id}/revoke"), "").0, 303);
    assert!(ada.get(&format!("/account/keys/{successor_id}")).1.contains("revoked"));
    for (what, count) in [
        ("keys.create", 1),
        ("keys.rotate", 2),
        ("keys.revoke", 1),
        ("portal.application_create", 1),
        ("portal.sign_in ", 1),
    ] {
        assert_eq!(house.noted(&format!("account:ada {what}")), count, "{what}");
    }
    assert_eq!(house.noted(&key), 0, "no key is written down");
    assert_eq!(ada.post("/account/sign-out", "").0, 303);
    assert_eq!(ada.get("/account").0, 303, "she is out");
}

/// One place, and what it is asked about.
struct Case<'c> {
    method: &'static str,
    pattern: &'static str,
    path: String,
    form: &'static str,
    owner: &'c Visitor<'c>,
    other: &'c Visitor<'c>,
}

impl<'c> Case<'c> {
    /// A place, with fresh things of its owner's to be asked about.
    fn of((method, pattern): (&'static str, &'static str), owner: &'c Visitor<'c>, other: &'c Visitor<'c>) -> Self {
        let house = owner.house;
        let application = owner.application("secret name");
        let id = match pattern {
            _ if pattern.contains("/requests/") => {
                owner.post(&format!("/account/applications/{application}/keys"), "api=orders");
                let request = house.store(|store| store.key_requests("cara")).pop().unwrap();
                if pattern.ends_with("/make") {
                    let decision = Decision::Approved { by: "user:x".to_owned(), at: 1 };
                    house.store(|store| store.decide_request("cara", request.id, decision));
                }
                KeyText::id_of(request.id)
            }
            _ if pattern.contains("/keys/{}") => owner.key(&application, "api=orders").1,
            _ => application,
        };
        let form = match pattern {
            "/account/applications" => "name=another",
            "/account/applications/{}/keys" => "api=orders",
            _ => "",
        };
        Self { method, pattern, path: pattern.replace("{}", &id), form, owner, other }
    }

    fn is_read(&self) -> bool {
        self.method == "GET"
    }

    fn asked_by(&self, visitor: &Visitor<'_>, path: &str) -> (u16, String) {
        if self.is_read() { visitor.get(path) } else { visitor.post(path, self.form) }
    }

    /// Whoever it does not belong to gets nothing.
    fn is_closed_to_others(&self) {
        let Self { method, path, form, owner, other, .. } = self;
        let house = owner.house;
        let (status, fields, _) = house.send(&format!("{method} {path}{OURS}"), form);
        assert_eq!(status, if self.is_read() { 303 } else { 401 }, "{method} {path} by nobody");
        if self.is_read() {
            assert!(fields["location"].to_str().unwrap().starts_with("/account/sign-in?next="), "{path}");
        }
        if self.pattern.contains("{}") {
            let (status, text) = self.asked_by(other, path);
            assert_eq!(status, 404, "{method} {path} by somebody else: {text}");
            assert!(!text.contains("secret name"), "{text}");
            let nothing = self.asked_by(other, &self.pattern.replace("{}", "00000000000"));
            assert_eq!(nothing, (404, text), "nobody can tell that it is there");
        }
        if self.is_read() {
            return;
        }
        // The owner's browser, led by another site, or without what our pages have.
        let (cookie, token) = (&owner.cookie, owner.token());
        let line = format!("{method} {path}\r\ncookie: {cookie}");
        let (own, others) = (format!("csrf={token}&{form}"), format!("csrf={}&{form}", other.token()));
        for (fields, body, what) in [
            ("\r\norigin: http://evil.test\r\nsec-fetch-site: cross-site", own.as_str(), "from elsewhere"),
            ("\r\norigin: http://evil.test", &own, "from elsewhere, by an old browser"),
            ("", &own, "from nowhere"),
            (OURS, form, "without the token"),
            (OURS, &others, "with the token of somebody else"),
        ] {
            assert_eq!(house.send(&format!("{line}{fields}"), body).0, 403, "{method} {path} {what}");
        }
    }
}

#[test]
fn each_place_is_its_owners_alone() {
    let house = House::new();
    let [mut ada, bob, cara] = ["ada", "bob", "cara"].map(|name| house.visitor(name));
    let everything = |name: &str| {
        house.store(|store| Ok((store.applications(name)?, store.own_keys(name)?, store.key_requests(name)?)))
    };
    for &(method, pattern, _) in PLACES {
        let (name, owner) = if pattern.contains("/requests/") { ("cara", &cara) } else { ("ada", &ada) };
        let case = Case::of((method, pattern), owner, &bob);
        let before = everything(name);
        case.is_closed_to_others();
        assert_eq!(everything(name), before, "{method} {pattern}: nothing has happened");
        let (status, text) = case.asked_by(owner, &case.path);
        let expected = match pattern {
            _ if case.is_read() => 200,
            "/account/applications/{}/keys" | "/account/requests/{}/make" | "/account/keys/{}/rotate" => 201,
            _ => 303,
        };
        assert_eq!(status, expected, "{method} {pattern} by its owner: {text}");
        if pattern.ends_with("/sign-out") {
            ada = house.visitor("ada");
        }
        let owner = if name == "ada" { &ada } else { &cara };
        for one in everything(name).0 {
            owner.post(&format!("/account/applications/{}/end", KeyText::id_of(one.id)), "");
        }
        house.service.forget_pace();
    }
    let kinds: std::collections::BTreeSet<_> =
        PLACES.iter().map(|(method, pattern, _)| (method, pattern.contains("{}"))).collect();
    assert_eq!(kinds.len(), 4, "places of all kinds were asked");
}

#[test]
fn nobody_has_more_than_his_plan() {
    let house = House::new();
    let ada = house.visitor("ada");
    let application = ada.application("one");
    let place = format!("/account/applications/{application}/keys");
    for (form, expected) in [
        ("", 422),
        ("api=stock", 403),
        ("api=orders&api=stock", 403),
        ("api=orders&scope=admin", 403),
        ("api=orders&days=31", 403),
        ("api=orders&days=0", 422),
        ("api=orders&days=-1", 422),
        ("api=orders&days=18446744073709551615", 403),
        ("api=orders&days=x", 422),
        ("api=orders&role=partner&roles=admin&consumer=bob", 201),
    ] {
        assert_eq!(ada.post(&place, form).0, expected, "{form}");
    }
    let own = house.store(|store| store.own_keys("ada"));
    let record = &own[0].listed.record;
    assert!(own.len() == 1 && record.roles.is_empty() && record.consumer == "ada" && record.apis == ["orders"]);
    assert_eq!(record.expires_at.unwrap() - record.created_at, 30 * 86_400, "without a number, the most");
    for _ in 0..3 {
        ada.key(&application, "api=orders");
    }
    assert_eq!(ada.post(&place, "api=orders").0, 409, "there are four");
    let id = KeyText::id_of(record.number);
    assert_eq!(ada.post(&format!("/account/keys/{id}/rotate"), "overlap_hours=3").0, 403);
    assert_eq!(ada.post(&format!("/account/keys/{id}/rotate"), "overlap_hours=2").0, 201);
    ada.application("two");
    ada.application("three");
    assert_eq!(ada.post("/account/applications", "name=four").0, 409);
    assert_eq!(ada.post("/account/applications", "name=two").0, 409);
    for (form, what) in [
        ("name=", "nothing"),
        ("name=+", "blanks"),
        (&format!("name={}", "x".repeat(61)), "too long"),
        (&format!("name=x&about={}", "x".repeat(301)), "too long"),
        ("name=a%0Ab", "two lines"),
        ("name=a%E2%80%AEb", "turned around"),
        ("name=a%E2%80%8Bb", "not to be seen"),
    ] {
        assert_eq!(ada.post("/account/applications", form).0, 422, "{what}");
    }
    let dan = house.visitor("dan");
    assert_eq!(dan.post("/account/applications", "name=x").0, 403, "his plan is gone");
    assert!(dan.get("/account").1.contains("not offered any more"));
}

#[test]
fn what_needs_approval_is_made_once_it_has_it() {
    let house = House::new();
    let cara = house.visitor("cara");
    let application = cara.application("one");
    let (status, next) =
        cara.post(&format!("/account/applications/{application}/keys"), "api=stock&scope=read&days=5&why=tests");
    assert_eq!((status, next.as_str()), (303, format!("/account/applications/{application}").as_str()));
    assert!(house.store(|store| store.own_keys("cara")).is_empty());
    let request = house.store(|store| store.waiting_requests(10)).pop().unwrap();
    let id = KeyText::id_of(request.id);
    assert_eq!(cara.post(&format!("/account/requests/{id}/make"), "").0, 409, "it waits");
    assert!(cara.get(&next).1.contains("waits for approval"));
    let decision = Decision::Approved { by: "user:x".to_owned(), at: 1 };
    house.store(|store| store.decide_request("cara", request.id, decision));
    let (status, text) = cara.post(&format!("/account/requests/{id}/make"), "api=orders&days=80");
    assert_eq!(status, 201, "{text}");
    let record = house.store(|store| store.own_keys("cara")).pop().unwrap().listed.record;
    assert_eq!((&record.apis, &record.roles), (&vec!["stock".to_owned()], &vec!["partner".to_owned()]));
    assert_eq!(record.expires_at.unwrap() - record.created_at, 5 * 86_400, "what was approved, and no more");
    assert_eq!(cara.post(&format!("/account/requests/{id}/make"), "").0, 409, "once");
    let (_, text) = cara.post(&format!("/account/keys/{}/rotate", KeyText::id_of(record.number)), "");
    let (_, id) = shown(&text);
    let number = KeyText::number_of(&id).unwrap();
    let successor = house.store(|store| store.own_key("cara", number)).listed.record;
    assert_eq!(successor.expires_at, record.expires_at, "it ends when the approved one would have");
}

#[test]
fn who_may_not_come_in_is_out_at_once() {
    let house = House::new();
    let (ada, bob) = (house.visitor("ada"), house.visitor("bob"));
    house.store(|store| store.change_account("ada", |one| one.closed_at = Some(1)));
    let other = portcullis_auth::password::PasswordHash::make("another password", &[4; 16]).unwrap();
    house.store(|store| store.change_account("bob", |one| one.password = other));
    assert_eq!((ada.get("/account").0, bob.get("/account").0), (303, 303));
    let sign_in = |name: &str, password: &str| {
        let body = format!("name={name}&password={}", password.replace(' ', "+"));
        house.send(&format!("POST /account/sign-in{OURS}"), &body)
    };
    let (status, _, closed) = sign_in("ada", PASSWORD);
    let (_, _, unknown) = sign_in("nobody", PASSWORD);
    assert_eq!((status, &closed), (401, &unknown), "nobody can tell which accounts there are");
    assert_eq!(sign_in("bob", "another password").0, 303);
    for _ in 0..3 {
        assert_eq!(sign_in("cara", "wrong").0, 401);
    }
    assert_eq!(house.noted("portal.sign_in_failed"), 5);
    // A password takes its time: on a slow machine the first waits are over when the next one is looked at.
    let told_to_wait = (0..12).map(|_| sign_in("cara", "wrong")).find(|(status, ..)| *status == 429);
    let (_, fields, _) = told_to_wait.expect("whoever fails again and again waits");
    assert!(fields["retry-after"].to_str().unwrap().parse::<u64>().unwrap() >= 1);
    for (next, expected) in
        [("/account/keys/x", "/account/keys/x"), ("//evil.test", "/account"), ("/other", "/account")]
    {
        let text = house.send(&format!("GET /account/sign-in?next={}", encoded(next)), "").2;
        assert!(text.contains(&format!("name=\"next\" value=\"{expected}\"")), "{next}: {text}");
    }
}

#[test]
fn what_an_account_types_stays_a_text() {
    const MORE: (&[&str], &[&str]) =
        (&["fieldset", "legend"], &["action", "checked", "max", "maxlength", "method", "min"]);
    let house = House::new();
    let cara = house.visitor("cara");
    let (mut taken, mut refused) = (0, 0);
    for hostile in TEXTS {
        house.service.forget_pace();
        let text = encoded(hostile);
        let (status, mut next) = cara.post("/account/applications", &format!("name={text}&about={text}"));
        // The name of an application ends after sixty characters, and has no line breaks.
        if status == 422 {
            refused += 1;
            let about = cara.post("/account/applications", &format!("name=x&about={text}"));
            let is_line = !hostile.chars().any(|one| one.is_control() || one == '\u{202e}');
            assert_eq!(about.0, if is_line { 303 } else { 422 }, "{hostile}");
            next = if is_line { about.1 } else { format!("/account/applications/{}", cara.application("y")) };
        } else {
            assert_eq!(status, 303, "{hostile}: {next}");
            taken += 1;
            let (status, _) = cara.post(&format!("{next}/keys"), &format!("api=orders&why={text}"));
            assert_eq!(status, 303, "{hostile}");
            let request = house.store(|store| store.waiting_requests(10)).pop().unwrap();
            let declined = |why: &str| Decision::Declined { by: "x".to_owned(), at: 1, why: why.to_owned() };
            for path in ["/account", &next] {
                tags_and(path, &cara.get(path).1, MORE);
            }
            house.store(|store| store.decide_request("cara", request.id, declined(hostile)));
            let page = cara.get(&next).1;
            tags_and(&next, &page, MORE);
            assert!(page.contains("declined"));
        }
        // What is sent where a number or a name of something is wanted is never shown.
        for form in [format!("api={text}"), format!("api=orders&days={text}"), format!("api=orders&scope={text}")] {
            let (status, page) = cara.post(&format!("{next}/keys"), &form);
            assert!((400..500).contains(&status), "{form}");
            tags_and("a refusal", &page, MORE);
        }
        let (_, page) = cara.get(&format!("/account/keys/{text}"));
        tags_and("nothing", &page, MORE);
        for one in house.store(|store| store.applications("cara")) {
            cara.post(&format!("/account/applications/{}/end", KeyText::id_of(one.id)), "");
        }
    }
    assert!(taken > 25 && refused > 5, "{taken} and {refused}");
    for hostile in TEXTS {
        let (_, _, page) = house.send(&format!("GET /account/sign-in?next={}", encoded(hostile)), "");
        tags_and("the way in", &page, MORE);
    }
}
