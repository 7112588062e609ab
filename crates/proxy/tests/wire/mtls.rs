//! Certificates of clients: who may connect, whom a certificate stands for, what was revoked, and tokens that are bound to one.

use crate::check::problem;
use crate::http2::peer::Peer;
use crate::identity::{House, either, now, told};
use crate::introspection::{asked_at, json_answer};
use crate::websocket;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::Request;
use portcullis_auth::certificate::NameRule;
use portcullis_auth::principal::{Demand, Scheme};
use portcullis_config::plan::{Authn, CertificateFiles, ClientAuthPlan, DemandPlan, Plan, ProofDemand, ResourcePlan};
use portcullis_testkit::certificates::{Authority, SanType, pair};
use portcullis_testkit::gateway;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use rustls::ClientConfig;
use serde_json::json;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// Years around now, whatever the machine's clock says this decade.
const YEARS: (i32, i32) = (2020, 2090);
const GET: &str = "GET /a HTTP/1.1\r\nHost: api.test\r\n\r\n";

fn demand(schemes: &[Scheme], names: &[NameRule]) -> Authn {
    demand_of(Demand::AnyOf { schemes: schemes.to_vec(), anonymous: false }, names)
}

fn demand_of(demand: Demand, names: &[NameRule]) -> Authn {
    Authn::Demand(Arc::new(DemandPlan {
        demand,
        issuers: vec!["corp".into()],
        introspection: None,
        proofs: ProofDemand { certificate_names: names.to_vec(), ..ProofDemand::default() },
        text: "test".to_owned(),
    }))
}

fn dns(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn uri(name: &str) -> SanType {
    SanType::URI(name.try_into().unwrap())
}

/// Authorities of both sides, and a house whose listener `tls` asks for certificates.
struct Site {
    server: Authority,
    clients: Authority,
    scratch: Scratch,
    house: House,
}

impl Site {
    fn new(authn: &Authn, change: impl FnOnce(&mut ClientAuthPlan, &Scratch, &Authority)) -> Self {
        Self::with_plan(authn, change, |_| {})
    }

    fn with_plan(
        authn: &Authn,
        change: impl FnOnce(&mut ClientAuthPlan, &Scratch, &Authority),
        also: impl FnOnce(&mut Plan),
    ) -> Self {
        let (server, clients, scratch) = (Authority::new(), Authority::above(3), Scratch::new());
        let mut plan =
            ClientAuthPlan { ca_files: vec![clients.file()], crl_files: Vec::new(), required: false, intermediates: 2 };
        change(&mut plan, &scratch, &clients);
        let leaf = server.leaf(&["api.test"]);
        let house = House::with(authn, |whole| {
            asks(whole, leaf, plan);
            also(whole);
        });
        Self { server, clients, scratch, house }
    }

    fn connect(&self, config: &Arc<ClientConfig>) -> std::io::Result<Client> {
        let mut client = Client::tls(self.house.gate().listener("tls"), config, "api.test")?;
        // With TLS 1.3 a refusal comes after the client's last word.
        client.try_send(GET)?;
        match client.try_answer(false) {
            Some(answer) => {
                client.ahead.clear();
                last(answer);
                Ok(client)
            }
            None => Err(std::io::Error::other("closed without an answer")),
        }
    }

    fn with(&self, files: &CertificateFiles) -> Arc<ClientConfig> {
        self.server.client_with(pair(files))
    }

    /// The answer to a request over a connection of its own; `None` where there was no connection.
    fn ask(&self, config: &Arc<ClientConfig>, lines: &str) -> Option<Answer> {
        let mut client = Client::tls(self.house.gate().listener("tls"), config, "api.test").ok()?;
        let address = self.house.fresh_address();
        let request = format!("GET /a HTTP/1.1\r\nHost: api.test\r\nX-Forwarded-For: {address}\r\n{lines}\r\n");
        client.try_send(request).ok()?;
        client.try_answer(false)
    }

    fn works(&self, files: &CertificateFiles, after: &str) {
        let answer = self.ask(&self.with(files), "");
        assert_eq!(answer.map(|answer| answer.status), Some(200), "a good certificate after {after}");
    }
}

fn last(answer: Answer) {
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn asks(plan: &mut Plan, leaf: CertificateFiles, client: ClientAuthPlan) {
    let mut tls = gateway::tls(vec![leaf]);
    tls.client_auth = Some(client);
    let mut listener = gateway::listener("tls", Some(tls));
    listener.provenance.trusted = plan.listeners[0].provenance.trusted.clone();
    plan.listeners.push(listener);
}

#[test]
fn a_certificate_opens_and_the_server_is_told_whose_it_is() {
    let site = Site::new(&demand(&[Scheme::Certificate], &[NameRule::SanUri]), |plan, _, _| plan.required = true);
    let (files, _) = site.clients.member("", &[uri("spiffe://corp/shop")]);
    let answer = site.ask(&site.with(&files), "X-Consumer-ID: root\r\n").unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(told(&answer, "x-consumer-id"), ["spiffe://corp/shop"]);
    let print = thumbprint(&files);
    assert_eq!(told(&answer, "x-credential-id"), [print.as_str()]);
    let record = site.house.gate().records().of(answer.field("x-request-id").unwrap());
    assert_eq!((record["scheme"].as_str(), record["principal"].as_str()), (Some("mtls"), Some("spiffe://corp/shop")));
    assert!(site.ask(&site.server.client(&[]), "").is_none(), "nobody connects without one");
    let others = Authority::new();
    let stranger = others.member("", &[uri("spiffe://corp/shop")]).0;
    assert!(site.ask(&site.with(&stranger), "").is_none(), "of another authority");
    let over = site.clients.member_until("", &[uri("spiffe://corp/shop")], (2020, 2021)).0;
    assert!(site.ask(&site.with(&over), "").is_none(), "over");
    assert!(site.ask(&site.with(&site.clients.leaf(&["api.test"])), "").is_some(), "any of its certificates connects");
    site.works(&files, "those that are not");
}

fn thumbprint(files: &CertificateFiles) -> String {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &pair(files).0[0]);
    URL_SAFE_NO_PAD.encode(digest)
}

#[test]
fn the_rule_says_which_name_counts() {
    use NameRule::{CommonName, SanDns, SanUri};
    for (rules, common, names, expected) in [
        (&[SanUri, SanDns][..], "Ada", vec![dns("a.test"), uri("urn:a")], Ok("urn:a")),
        (&[SanDns, SanUri], "Ada", vec![dns("A.test"), uri("urn:a")], Ok("a.test")),
        (&[CommonName], "Ada", vec![dns("a.test")], Ok("Ada")),
        (&[SanUri], "Ada", vec![dns("a.test")], Err(())),
        (&[SanDns], "", vec![dns("a.test"), dns("b.test")], Err(())),
        (&[SanDns], "", vec![dns("*.test")], Err(())),
        (&[CommonName], "", vec![dns("a.test")], Err(())),
    ] {
        let site = Site::new(&demand(&[Scheme::Certificate], rules), |_, _, _| {});
        let (files, _) = site.clients.member(common, &names);
        let answer = site.ask(&site.with(&files), "").unwrap();
        match expected {
            Ok(name) => assert_eq!(told(&answer, "x-consumer-id"), [name], "{rules:?} {names:?}"),
            Err(()) => problem(&answer, 401, "invalid_certificate", &format!("{rules:?} {names:?}")),
        }
    }
}

#[test]
fn where_certificates_are_optional_each_route_decides() {
    let site = Site::new(&demand(&[Scheme::Certificate, Scheme::Jwt], &[NameRule::SanDns]), |_, _, _| {});
    let nobody = site.server.client(&[]);
    let answer = site.ask(&nobody, "").unwrap();
    problem(&answer, 401, "missing_credential", "neither");
    assert!(answer.all("www-authenticate").iter().any(|one| one.starts_with("ClientCertificate ")));
    let bearer = format!("Authorization: Bearer {}\r\n", site.house.token(|_| {}));
    assert_eq!(site.ask(&nobody, &bearer).unwrap().status, 200);
    let (good, _) = site.clients.member("", &[dns("shop.test")]);
    assert_eq!(told(&site.ask(&site.with(&good), "").unwrap(), "x-consumer-id"), ["shop.test"]);
    let (unnamed, _) = site.clients.member("Ada", &[]);
    let answer = site.ask(&site.with(&unnamed), &bearer).unwrap();
    problem(&answer, 401, "invalid_certificate", "one that names nobody, beside a good token");
    assert!(site.ask(&site.with(&Authority::new().member("", &[dns("shop.test")]).0), &bearer).is_none());
    site.works(&good, "those");
}

#[test]
fn a_chain_is_no_longer_than_the_listener_says() {
    for (allowed, works) in [(0, false), (1, false), (2, true), (5, true)] {
        let site = Site::new(&demand(&[Scheme::Certificate], &[NameRule::SanDns]), |plan, _, _| {
            plan.intermediates = allowed;
        });
        let first = site.clients.below("first", 2);
        let second = first.below("second", 1);
        let (files, _) = second.member("", &[dns("shop.test")]);
        let (mut chain, key) = pair(&files);
        for authority in [&second, &first] {
            let path = site.scratch.file("one.pem", authority.pem());
            chain.extend(portcullis_testkit::certificates::chain(&path));
        }
        let answer = site.ask(&site.server.client_with((chain, key)), "");
        assert_eq!(answer.is_some_and(|answer| answer.status == 200), works, "{allowed} between");
    }
}

#[test]
fn what_was_revoked_or_nobody_can_tell_of_opens_nothing() {
    let row = |list: &dyn Fn(&Authority) -> String, serial: u64| {
        let site = Site::new(&demand(&[Scheme::Certificate], &[NameRule::SanDns]), |plan, scratch, clients| {
            plan.crl_files = vec![scratch.file("revoked.pem", &list(clients))];
        });
        let members: Vec<_> = (1..=serial).map(|_| site.clients.member("", &[dns("shop.test")])).collect();
        let (files, number) = members.last().unwrap();
        assert_eq!(*number, serial);
        site.ask(&site.with(files), "").map(|answer| answer.status)
    };
    assert_eq!(row(&|clients| clients.revocations(&[2], YEARS), 1), Some(200), "another one was revoked");
    assert_eq!(row(&|clients| clients.revocations(&[2], YEARS), 2), None, "revoked");
    assert_eq!(row(&|clients| clients.revocations(&[], (2020, 2021)), 1), None, "a list whose time is over");
    let stranger = Authority::new();
    assert_eq!(row(&|_| stranger.revocations(&[], YEARS), 1), None, "the list of another authority");
}

#[test]
fn a_new_list_ends_what_stands_open_and_keeps_the_listener() {
    let list = |path: &PathBuf, text: &str| std::fs::write(path, text).unwrap();
    let site = Site::new(&demand(&[Scheme::Certificate], &[NameRule::SanDns]), |plan, scratch, clients| {
        plan.crl_files = vec![scratch.file("revoked.pem", &clients.revocations(&[], YEARS))];
    });
    let ((ada, serial), (ben, _)) =
        (site.clients.member("", &[dns("ada.test")]), site.clients.member("", &[dns("ben.test")]));
    let (of_ada, of_ben) = (site.with(&ada), site.with(&ben));
    let (mut ada, mut ben) = (site.connect(&of_ada).unwrap(), site.connect(&of_ben).unwrap());
    let address = site.house.gate().listener("tls");
    list(&site.scratch.path().join("revoked.pem"), &site.clients.revocations(&[serial], YEARS));
    assert_eq!(ada.ask(GET).status, 200, "nobody has looked yet");
    site.house.gate().handle().reload(site.house.gate().plan()).unwrap();
    assert_eq!(site.house.gate().listener("tls"), address);
    problem(&ada.ask(GET), 401, "invalid_certificate", "a connection from before");
    assert_eq!(ben.ask(GET).status, 200, "whose certificate is good goes on");
    assert!(site.ask(&of_ada, "").is_none(), "not even by going on with a session");
    assert_eq!(site.ask(&of_ben, "").unwrap().status, 200);
    // A list that cannot be read changes nothing.
    list(&site.scratch.path().join("revoked.pem"), "nothing");
    assert!(site.house.gate().handle().reload(site.house.gate().plan()).is_err());
    problem(&ada.ask(GET), 401, "invalid_certificate", "after a reload that failed");
    assert_eq!(ben.ask(GET).status, 200);
}

/// Events over one connection and a WebSocket over another, both of a caller who has a certificate and nothing else; the same with a
/// token that is bound to the certificate, and where both are demanded.
#[test]
fn a_certificate_that_is_withdrawn_ends_what_it_opened() {
    let all = Demand::AllOf(vec![Scheme::Jwt, Scheme::Certificate]);
    withdrawn(&demand(&[Scheme::Certificate], &[NameRule::SanDns]), false);
    withdrawn(&either(), true);
    withdrawn(&demand_of(all, &[NameRule::SanDns]), false);
}

// LIMIT: what was opened ends so soon after its certificate was withdrawn.
const ENDS_WITHIN: Duration = Duration::from_secs(2);

fn withdrawn(authn: &Authn, is_bound: bool) {
    let upstream = FakeUpstream::with(|talk| {
        let Some(request) = talk.head() else { return };
        if request.field("upgrade").is_some() {
            return websocket::converse(talk, &request);
        }
        talk.send("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n");
        while talk.send("8\r\ndata: 1\n\r\n") {
            talk.pause(Duration::from_millis(50));
        }
    });
    let site = Site::with_plan(
        authn,
        |plan, scratch, clients| plan.crl_files = vec![scratch.file("revoked.pem", &clients.revocations(&[], YEARS))],
        |plan| {
            gateway::each_upstream(plan, |each| each.targets = vec![gateway::target(upstream.address())]);
            websocket::serves(plan);
        },
    );
    let credential = |files: &CertificateFiles| {
        let token = site.house.token(|claims| {
            if is_bound {
                claims.insert("cnf".to_owned(), json!({ "x5t#S256": thumbprint(files) }));
            }
        });
        format!("Authorization: Bearer {token}\r\n")
    };
    let (files, serial) = site.clients.member("", &[dns("ada.test")]);
    let config = site.with(&files);
    let open = || Client::tls(site.house.gate().listener("tls"), &config, "api.test").unwrap();
    let (mut events, mut talking) = (open(), open());
    events.send(format!("GET /a HTTP/1.1\r\nHost: api.test\r\n{}\r\n", credential(&files)));
    assert_eq!(talking.ask(websocket::ask(&credential(&files))).status, 101);
    talking.send(websocket::frame(1, b"hello"));
    assert_eq!(talking.read_exactly(7)[2..], *b"hello");
    let list = site.clients.revocations(&[serial], YEARS);
    std::fs::write(site.scratch.path().join("revoked.pem"), list).unwrap();
    site.house.gate().handle().reload(site.house.gate().plan()).unwrap();
    let withdrawn = Instant::now();
    let answer = events.answer();
    assert!(answer.status == 200 && !answer.whole && !answer.body.is_empty(), "{}", answer.head);
    websocket::expect_goodbye(&mut talking);
    assert!(withdrawn.elapsed() < ENDS_WITHIN, "bound {is_bound}: after {:?}", withdrawn.elapsed());
    let record = site.house.gate().records().of(answer.field("x-request-id").unwrap());
    assert_eq!(record["detail"], "the credential that opened it has ended or was revoked", "{record}");
    let (ben, _) = site.clients.member("", &[dns("ben.test")]);
    let mut goes_on = Client::tls(site.house.gate().listener("tls"), &site.with(&ben), "api.test").unwrap();
    assert_eq!(goes_on.ask(websocket::ask(&credential(&ben))).status, 101, "somebody else's is good");
}

#[test]
fn an_api_says_that_it_takes_tokens_bound_to_certificates() {
    let site = Site::with_plan(
        &either(),
        |_, _, _| {},
        |plan| {
            plan.apis[0].resource = Some(ResourcePlan {
                address: "https://api.test".to_owned(),
                origin: "https://api.test".to_owned(),
                host: "api.test".to_owned(),
            });
        },
    );
    let mut client = Client::connect(site.house.gate().address());
    let answer = client.ask("GET /.well-known/oauth-protected-resource HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(answer.json()["tls_client_certificate_bound_access_tokens"], true, "{}", answer.text());
}

#[test]
fn a_resumed_session_brings_its_certificate() {
    let site = Site::new(&demand(&[Scheme::Certificate], &[NameRule::SanDns]), |_, _, _| {});
    let (files, _) = site.clients.member("", &[dns("shop.test")]);
    let config = site.with(&files);
    for round in 0..3 {
        let client = site.connect(&config).unwrap();
        let resumed = client.session().unwrap().handshake_kind() == Some(rustls::HandshakeKind::Resumed);
        assert_eq!(resumed, round > 0, "connection {round}");
    }
}

#[test]
fn all_of_it_holds_over_http2() {
    let site = Site::new(&demand(&[Scheme::Certificate, Scheme::Jwt], &[NameRule::SanDns]), |_, _, _| {});
    let ((mine, _), (unnamed, _)) = (site.clients.member("", &[dns("shop.test")]), site.clients.member("Ada", &[]));
    let bound =
        site.house.token(|claims| drop(claims.insert("cnf".to_owned(), json!({ "x5t#S256": thumbprint(&mine) }))));
    let ask = |config: &Arc<ClientConfig>, token: Option<&str>| {
        let mut config = ClientConfig::clone(config);
        config.alpn_protocols = vec![b"h2".to_vec()];
        let mut peer = Peer::secure(site.house.gate().listener("tls"), config, "api.test");
        let mut request = Request::get("https://api.test/a").header("x-forwarded-for", site.house.fresh_address());
        if let Some(token) = token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let got = peer.ask(request.body(()).unwrap(), b"");
        let problem = serde_json::from_slice::<serde_json::Value>(&got.body).unwrap_or_default();
        (got.status, problem["code"].as_str().unwrap_or_default().to_owned())
    };
    let (with_mine, nobody) = (site.with(&mine), site.server.client(&[]));
    assert_eq!(ask(&with_mine, None).0, 200);
    assert_eq!(ask(&with_mine, Some(&bound)).0, 200);
    for (config, token, code) in [
        (&nobody, None, "missing_credential"),
        (&nobody, Some(bound.as_str()), "insufficient_binding"),
        (&site.with(&unnamed), None, "invalid_certificate"),
    ] {
        assert_eq!(ask(config, token), (401, code.to_owned()));
    }
    assert_eq!(ask(&with_mine, None).0, 200);
}

/// A token that is bound to a certificate, shown in every way, new to the gateway and known to it: the same verdict.
#[test]
fn a_token_that_is_bound_to_a_certificate_needs_it() {
    let site = Site::new(&either(), |_, _, _| {});
    let ((mine, _), (other, _)) =
        (site.clients.member("", &[dns("a.test")]), site.clients.member("", &[dns("b.test")]));
    let print = thumbprint(&mine);
    let (with_mine, with_other, nobody) = (site.with(&mine), site.with(&other), site.server.client(&[]));
    let fresh = |number: u32| {
        let token = site.house.token(|claims| {
            claims.insert("jti".to_owned(), json!(format!("c-{number}")));
            claims.insert("cnf".to_owned(), json!({ "x5t#S256": print }));
        });
        format!("Authorization: Bearer {token}\r\n")
    };
    let known = fresh(0);
    assert_eq!(site.ask(&with_mine, &known).unwrap().status, 200);
    for (number, (config, about)) in [(&with_other, "another certificate"), (&nobody, "none")].into_iter().enumerate() {
        for (lines, kind) in [(fresh(u32::try_from(number).unwrap() + 1), "new"), (known.clone(), "known")] {
            let answer = site.ask(config, &lines).unwrap();
            problem(&answer, 401, "insufficient_binding", &format!("{about}, a {kind} token"));
        }
        assert_eq!(site.ask(&with_mine, &known).unwrap().status, 200, "after {about}");
    }
    let plain =
        Client::connect(site.house.gate().address()).ask(format!("GET /a HTTP/1.1\r\nHost: api.test\r\n{known}\r\n"));
    problem(&plain, 401, "insufficient_binding", "over a listener that asks for none");
    let unbound = format!("Authorization: Bearer {}\r\n", site.house.token(|_| {}));
    assert_eq!(site.ask(&with_other, &unbound).unwrap().status, 200, "a token that is bound to nothing");
}

/// The same of a token that its issuer explains: what it is bound to stands in the answer (RFC 7662 section 2.2, RFC 8705 section 3.2).
#[test]
fn an_opaque_token_that_is_bound_to_a_certificate_needs_it() {
    let print = Arc::new(Mutex::new(String::new()));
    let told = Arc::clone(&print);
    let provider = FakeUpstream::with(move |talk| {
        while talk.request().is_some() {
            let body = json!({ "active": true, "aud": "orders", "sub": "ada", "exp": now() + 300,
                               "cnf": { "x5t#S256": *told.lock().unwrap() } });
            talk.send(json_answer(&body));
        }
    });
    let authn = Authn::Demand(Arc::new(DemandPlan {
        demand: Demand::AnyOf { schemes: vec![Scheme::Introspection], anonymous: false },
        issuers: vec!["corp".into()],
        introspection: Some("corp".into()),
        proofs: ProofDemand::default(),
        text: "test".to_owned(),
    }));
    let site = Site::with_plan(
        &authn,
        |_, _, _| {},
        |plan| plan.identity.issuers[0].introspection = Some(asked_at(provider.address())),
    );
    let ((mine, _), (other, _)) =
        (site.clients.member("", &[dns("a.test")]), site.clients.member("", &[dns("b.test")]));
    *print.lock().unwrap() = thumbprint(&mine);
    let (with_mine, with_other, nobody) = (site.with(&mine), site.with(&other), site.server.client(&[]));
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    assert_eq!(site.ask(&with_mine, &bearer("known")).unwrap().status, 200);
    for (config, about) in [(&with_other, "another-certificate"), (&nobody, "none")] {
        for (token, kind) in [(format!("new-with-{about}"), "new"), ("known".to_owned(), "known")] {
            let answer = site.ask(config, &bearer(&token)).unwrap();
            problem(&answer, 401, "insufficient_binding", &format!("{about}, a {kind} token"));
        }
        assert_eq!(site.ask(&with_mine, &bearer("known")).unwrap().status, 200, "after {about}");
    }
    assert_eq!(provider.requests(), 3, "each token was asked about once");
}
