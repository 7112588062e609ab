//! Nothing secret in anything that the gateway says: every credential that callers of a run have sent, good or bad, in its
//! place or out of it, is looked for in all that came out of the gateway and its commands.

#[path = "secrets/search.rs"]
mod search;

use crate::house::{House, Setup};
use crate::provider::{ALGORITHMS, GATEWAY, HOLDER, Provider, WEB, basic, proof};
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_auth::jwt::SigningKey;
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::mail_server::Manner;
use portcullis_testkit::{Client, FakeUpstream, MailServer, SyslogServer};
use search::Search;
use serde_json::Value;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

/// What callers do, and what of it is secret.
struct Run {
    provider: Provider,
    house: House,
    _upstream: FakeUpstream,
    /// What the gateway has signed for the server behind it.
    statements: Arc<Mutex<Vec<String>>>,
    /// Bodies that a collector of traces and records got.
    collected: Arc<Mutex<String>>,
    _collector: FakeUpstream,
    /// Who is told security records and alerts.
    syslog: SyslogServer,
    alerted: Arc<Mutex<String>>,
    _hook: FakeUpstream,
    mail: MailServer,
    search: Search,
    /// What was answered.
    answers: String,
    /// Requests so far, each from another address: whoever fails often would only be told to wait.
    asked: u32,
}

/// A field that only the collector may see.
const COLLECTOR_SECRET: &str = "Zk77d0a5c1b2e94f08c3Qw";

/// What alerts are signed with.
const ALERT_SECRET: &str = "Tr4vQ8zLw1nXe6Kp0sBy7Hd2";
/// What the gateway proves itself to the server of mail with.
const MAIL_SECRET: &str = "qW8zT5nB2xKc7Lp4";

/// What a partner who signs requests shares with the gateway.
const SHARED: &str = "Vb7xq02mLk95sTz41wRd83nYc6Fh0Pje";

/// The lines that sign a GET of this address (RFC 9421), and the signature.
fn signed(address: &str, nonce: &str) -> (String, String) {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    let parameters = format!(r#"("@method" "@target-uri");created={now};keyid="partner-1";nonce="{nonce}""#);
    let base = format!("\"@method\": GET\n\"@target-uri\": {address}\n\"@signature-params\": {parameters}");
    let key = hmac::Key::new(hmac::HMAC_SHA256, SHARED.as_bytes());
    let signature = STANDARD.encode(hmac::sign(&key, base.as_bytes()));
    (format!("Signature-Input: sig={parameters}\r\nSignature: sig=:{signature}:\r\n"), signature)
}

/// A server that keeps the bodies that it gets; the heads as well, where no secret is meant to stand in them.
fn keeping(heads: bool, answer: &'static str) -> (Arc<Mutex<String>>, FakeUpstream) {
    let all: Arc<Mutex<String>> = Arc::default();
    let kept = Arc::clone(&all);
    let server = FakeUpstream::with(move |talk| {
        while let Some(request) = talk.request() {
            let seen = if heads { request.text() } else { String::from_utf8_lossy(&request.body).into_owned() };
            kept.lock().unwrap().push_str(&seen);
            if !talk.send(answer) {
                return;
            }
        }
    });
    (all, server)
}

impl Run {
    fn start() -> Self {
        let provider = Provider::start();
        let statements: Arc<Mutex<Vec<String>>> = Arc::default();
        let told = Arc::clone(&statements);
        let upstream = FakeUpstream::with(move |talk| {
            while let Some(request) = talk.request() {
                told.lock().unwrap().extend(request.field("x-identity-token"));
                if !talk.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") {
                    return;
                }
            }
        });
        let (collected, collector) =
            keeping(false, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}");
        let (alerted, hook) = keeping(true, "HTTP/1.1 204 Taken\r\nContent-Length: 0\r\n\r\n");
        let syslog = SyslogServer::start();
        let mail = MailServer::start(Manner { extensions: &["AUTH PLAIN"], ..Manner::default() });
        let (told, hooked, mailed) = (syslog.address(), hook.address(), mail.address());
        let issuer = provider.issuer();
        let more = format!(
            "store: {{ path: data }}
admin: {{ socket: admin.sock }}
security_log: {{ to: {{ syslog: {{ server: \"tcp://{told}\" }} }}, format: ecs, buffer: {{ folder: buffer }} }}
alerts:
  webhook: {{ url: \"http://{hooked}/\", secret: \"{ALERT_SECRET}\" }}
  email: {{ server: \"smtp://{mailed}\", from: a@b.test, to: [c@b.test], user: gate, password: \"{MAIL_SECRET}\" }}
  file: alerts.log
  group: 1s
identity_token: {{ issuer: \"https://gateway.test\" }}
signers: {{ partner: {{ hmac: {{ id: partner-1, secret: \"{SHARED}\" }} }} }}
tracing: {{ endpoint: \"http://{}\", logs: true, headers: {{ x-tenant: \"{COLLECTOR_SECRET}\" }} }}
issuers:
  corp:
    issuer: \"{issuer}\"
    audiences: [orders]
    jwks: {{ uri: \"{issuer}/jwks\" }}
    introspection:
      uri: \"{issuer}/token/introspection\"
      client: {{ basic: {{ id: {}, secret: {{ file: \"{}\" }} }} }}
",
            collector.address(),
            GATEWAY.id,
            provider.secret_file().display()
        );
        let authn = "{ any_of: [{ jwt: { issuers: [corp] } }, { introspection: { issuer: corp } }, { api_key: {} }, \
                     { signature: { signers: [partner] } }] }";
        let access_log = "{ file: access.log }";
        let listeners = "trusted_proxies: [127.0.0.1]";
        let setup = Setup { authn, listeners, access_log, more, ..Setup::new("secrets", &[upstream.address()]) };
        let (house, mut search) = (House::start(setup), Search::default());
        for secret in [ALERT_SECRET, MAIL_SECRET, COLLECTOR_SECRET, SHARED, WEB.secret, GATEWAY.secret, HOLDER.secret] {
            search.add(secret);
        }
        search.add(basic(GATEWAY.id, GATEWAY.secret).strip_prefix("Basic ").expect("a scheme"));
        Self {
            provider,
            house,
            _upstream: upstream,
            statements,
            collected,
            _collector: collector,
            syslog,
            alerted,
            _hook: hook,
            mail,
            search,
            answers: String::new(),
            asked: 0,
        }
    }

    /// Sends a request whose lines hold nothing that is not in the search already; says its status.
    fn ask(&mut self, target: &str, lines: &str) -> u16 {
        self.asked += 1;
        let from = format!("X-Forwarded-For: 192.0.2.{}", self.asked % 250);
        let request = format!("GET {target} HTTP/1.1\r\nHost: a.test\r\n{from}\r\nConnection: close\r\n{lines}\r\n");
        let answer = Client::connect(self.house.plain).ask(request);
        self.answers.push_str(&answer.head);
        self.answers.push_str(&answer.text());
        answer.status
    }

    fn token(&mut self, audience: &str, form: &str) -> String {
        let token = self.provider.token(WEB, audience, form);
        self.search.add(&token);
        token
    }

    fn key(&mut self) -> String {
        let printed = self.house.command(&["keys", "create", "--consumer", "shop", "--format", "json"]);
        let made: Value = serde_json::from_str(&printed).unwrap_or_else(|why| panic!("{why}: {printed}"));
        let key = made["key"].as_str().expect("a key").to_owned();
        // Prefix and id are public; what follows is not.
        self.search.add(key.splitn(3, '_').nth(2).expect("a secret"));
        key
    }

    /// The status of each way to send a credential, right and wrong.
    fn callers(&mut self) {
        let key = self.key();
        let line = format!("X-API-Key: {key}\r\n");
        eventually("the key is known", || (self.ask("/n/1", &line) == 200).then_some(()));
        let wrong = format!("{}{}", &key[..key.len() - 1], if key.ends_with('x') { 'y' } else { 'x' });
        self.search.add(wrong.splitn(3, '_').nth(2).expect("a secret"));
        assert_eq!(self.ask("/n/1", &format!("X-API-Key: {wrong}\r\n")), 401);
        for algorithm in ALGORITHMS {
            let (good, elsewhere) = (self.token("orders", algorithm), self.token("billing", algorithm));
            assert_eq!(self.ask("/n/1", &format!("Authorization: Bearer {good}\r\n")), 200, "{algorithm}");
            assert_eq!(self.ask("/n/1", &format!("Authorization: Bearer {elsewhere}\r\n")), 401, "{algorithm}");
        }
        let (opaque, elsewhere) = (self.token("orders", "opaque"), self.token("billing", "opaque"));
        assert_eq!(self.ask("/n/1", &format!("Authorization: Bearer {opaque}\r\n")), 200);
        assert_eq!(self.ask("/n/1", &format!("Authorization: Bearer {elsewhere}\r\n")), 401);
        assert_eq!(self.ask(&format!("/n/1?{opaque}=1"), &line), 200);
        self.holders();
        self.partners();
        let (token, password) = (self.token("orders", "ES256"), "hT93kd0aLq2vXw81pQ");
        self.search.add(password);
        let basic = basic("ada", password);
        self.search.add(basic.strip_prefix("Basic ").expect("a scheme"));
        for (target, lines, status) in [
            (format!("/n/1?key={key}"), String::new(), 400),
            (format!("/n/1?{key}"), line.clone(), 400),
            (format!("/n/1?{key}=1"), line.clone(), 400),
            (format!("/n/1?a=1&access_token={token}"), line.clone(), 400),
            (format!("/n/1?{token}=1"), line.clone(), 200),
            (format!("/n/1#access_token={token}"), line.clone(), 400),
            (format!("http://ada:{password}@a.test/n/1"), line.clone(), 400),
            ("/n/1".to_owned(), format!("Authorization: {basic}\r\n"), 401),
            ("/n/1".to_owned(), format!("Authorization: {token}\r\n"), 401),
            ("/n/1".to_owned(), format!("Authorization: Bearer {key}\r\n"), 401),
            ("/n/1".to_owned(), format!("{line}Cookie: session={token}\r\n"), 200),
            ("/n/1".to_owned(), format!("{line}Referer: https://a.test/?code={token}\r\n"), 200),
            ("/n/1".to_owned(), format!("{line}X-Identity-Token: {token}\r\n"), 200),
            ("/n/1".to_owned(), format!("X-API-Key: {key}\r\nX-API-Key: {key}\r\n"), 400),
            ("/n/1".to_owned(), format!("{line}{token}\r\n"), 400),
            ("/n/1".to_owned(), format!("Proxy-Authorization: Bearer {token}\r\n"), 401),
        ] {
            assert_eq!(self.ask(&target, &lines), status, "{target} {lines}");
        }
        for words in [
            &["explain", "GET", "http://a.test/n/1", "-H", line.trim_end()] as &[&str],
            &["explain", "GET", "http://a.test/n/1", "-H", &format!("Authorization: Bearer {token}")],
            &["jwt", "explain", &token],
            &["keys", "list"],
            &["status"],
            &["routes"],
            &["effective-policy", "GET /"],
            &["validate"],
        ] {
            self.answers.push_str(&self.house.command(words));
        }
    }

    /// Tokens that are bound to a key, with and without it.
    fn holders(&mut self) {
        let key = SigningKey::from_seed(&[23; 32]).unwrap();
        let token = self.provider.bound_token(&key, "ES256");
        let proof = proof(&key, "GET", "http://a.test/n/1", Some(&token));
        for secret in [&token, &proof] {
            self.search.add(secret);
        }
        let lines = format!("Authorization: DPoP {token}\r\nDPoP: {proof}\r\n");
        for (lines, status) in [
            (lines.clone(), 200),
            (lines, 401),
            (format!("Authorization: Bearer {token}\r\n"), 401),
            (format!("Authorization: Bearer {proof}\r\n"), 401),
            (format!("Authorization: DPoP {token}\r\nDPoP: {token}\r\n"), 401),
        ] {
            assert_eq!(self.ask("/n/1", &lines), status, "{lines}");
        }
    }

    /// Requests that are signed, once and again, and changed on the way.
    fn partners(&mut self) {
        let ((lines, signature), (unused, other)) =
            (signed("http://a.test/n/1", "n-1"), signed("http://a.test/n/1", "n-2"));
        for secret in [&signature, &other] {
            self.search.add(secret);
        }
        for (target, lines, status) in [
            ("/n/1", lines.clone(), 200),
            ("/n/1", lines, 401),
            ("/n/2", unused, 401),
            ("/n/1", format!("Authorization: Bearer {SHARED}\r\n"), 401),
        ] {
            assert_eq!(self.ask(target, &lines), status, "{target} {lines}");
        }
    }

    /// What was told of what is wrong, in all ways.
    fn alerts(&self) -> String {
        let file = std::fs::read_to_string(self.house.folder.join("alerts.log")).unwrap_or_default();
        let mails = self.mail.mails().into_iter().map(|(_, mail)| {
            let (head, body) = mail.split_once("\r\n\r\n").expect("a head");
            let text = STANDARD.decode(body.replace("\r\n", "").trim_end_matches('.')).expect("base64");
            head.to_owned() + &String::from_utf8(text).expect("a text")
        });
        file + &self.alerted.lock().unwrap() + &mails.collect::<String>()
    }

    /// Somebody who has no credential, and asks all the same, until that is told.
    fn alarm(&mut self) {
        for _ in 0..60 {
            let request =
                "GET /n/1 HTTP/1.1\r\nHost: a.test\r\nX-Forwarded-For: 198.51.100.9\r\nConnection: close\r\n\r\n";
            assert_eq!(Client::connect(self.house.plain).ask(request).status, 401);
        }
        eventually("an alert in all ways", || {
            let told = !self.mail.mails().is_empty() && self.alerts().matches("198.51.100.9").count() >= 6;
            told.then_some(())
        });
    }

    /// Everything that came out, by where.
    fn said(&self) -> Vec<(&'static str, String)> {
        let log = std::fs::read_to_string(self.house.folder.join("access.log")).expect("a log");
        let pages = ["/metrics", "/jwks.json", "/readyz", "/livez", "/", "/problems"]
            .map(|path| self.house.status(path))
            .concat();
        vec![
            ("the access log", log),
            ("the collector", self.collected.lock().unwrap().clone()),
            ("the security records", self.syslog.heard().join("\n")),
            ("the alerts", self.alerts()),
            ("standard error", self.house.said()),
            ("the status listener", pages),
            ("answers and commands", self.answers.clone()),
        ]
    }
}

#[test]
fn no_secret_of_any_caller_is_in_anything_that_is_said() {
    let mut run = Run::start();
    run.callers();
    run.alarm();
    let statements = std::mem::take(&mut *run.statements.lock().unwrap());
    assert!(statements.len() > 5, "nothing was signed for the server");
    statements.iter().for_each(|statement| run.search.add(statement));
    // Planted where it is no secret and is logged, plain and encoded: a search that does not find these finds nothing.
    let mut planted = Search::default();
    planted.add("planted-0123456789-planted");
    let line = "X-API-Key: pk_nobody\r\n";
    run.ask("/n/planted-0123456789-planted", line);
    run.ask(&format!("/n/x{}", search::encoded("yplanted-0123456789-planted")), line);
    for (place, about) in [(0, "the access log"), (1, "the collector"), (2, "the security records")] {
        eventually(about, || (planted.find(&run.said()[place].1).len() >= 2).then_some(()));
    }
    let said = run.said();
    assert!(said.iter().all(|(_, text)| text.len() > 200), "something was not gathered");
    for (place, text) in &said {
        let found = run.search.find(text);
        assert!(found.is_empty(), "in {place}: {found:#?}");
    }
    println!(
        "secrets: {} secrets, {} bytes searched",
        run.search.len(),
        said.iter().map(|(_, text)| text.len()).sum::<usize>()
    );
    run.house.stop();
}
