//! The end of a version: what its callers are told on every answer, what they meet at announced times, and after the end.

use crate::check::{good_request_works, problem, security_headers};
use portcullis_auth::jwt::SigningKey;
use portcullis_config::plan::{LifecyclePlan, VersionPlan};
use portcullis_config::{Environment, load_text};
use portcullis_testkit::gateway::Gatehouse;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client, FakeUpstream};
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const DAY: i64 = 86_400;

const BROWNOUT: &str = r#"
version: 1
listeners: { public: { bind: "127.0.0.1:0" } }
issuers:
  corp: { issuer: "https://idp.test", audiences: [shop], jwks: { file: jwks.json } }
apis:
  shop:
    hosts: [api.test]
    authn: { any_of: [{ jwt: { issuers: [corp] } }, anonymous] }
    upstream: { targets: ["http://UPSTREAM"] }
    versions:
      v1:
        sunset_at: 2099-01-01
        brownouts: [{ from: 2020-01-01, until: 2098-12-31 }]
        brownout_exempt: [partner]
        routes: [{ path: /orders, methods: [GET] }]
"#;

fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO);
    i64::try_from(since.as_secs()).unwrap()
}

/// `/v1` comes to its end as stated, beside routes that do not.
fn gate(lifecycle: LifecyclePlan) -> (FakeUpstream, Gatehouse) {
    let upstream = FakeUpstream::answering(
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDeprecation: @1\r\nsunset: never\r\nLink: </a>; rel=\"next\"\r\n\r\nok",
    );
    let gate = Gatehouse::with(upstream.address(), |plan| {
        let routes = plan.apis[0].versions[0].routes.clone();
        plan.apis[0].versions.push(VersionPlan {
            name: Some("v1".into()),
            path: Some("v1".to_owned()),
            default: false,
            lifecycle: Some(Arc::new(lifecycle)),
            published: None,
            routes,
        });
    });
    (upstream, gate)
}

fn ask(gate: &Gatehouse) -> Answer {
    Client::connect(gate.address()).ask("GET /v1/orders HTTP/1.1\r\nHost: api.test\r\n\r\n")
}

#[test]
fn callers_are_told_on_every_answer() {
    let (deprecated, sunset) = (1_759_276_800, 4_102_444_799);
    let (upstream, gate) = gate(LifecyclePlan {
        deprecated_at: Some(deprecated),
        sunset_at: Some(sunset),
        link: Some("https://developers.example.com/v2".to_owned()),
        successor: Some("/v2".to_owned()),
        brownouts: Vec::new(),
        exempt: Vec::new(),
    });
    let told = |answer: &Answer| {
        assert_eq!(answer.all("deprecation"), ["@1759276800"]);
        assert_eq!(answer.all("sunset"), ["Thu, 31 Dec 2099 23:59:59 GMT"]);
        let links = answer.all("link").join(", ");
        for relation in ["deprecation", "sunset"] {
            assert!(links.contains(&format!("<https://developers.example.com/v2>; rel=\"{relation}\"")), "{links}");
        }
        assert!(links.contains("</v2>; rel=\"successor-version\""), "{links}");
    };
    let answer = ask(&gate);
    assert_eq!(answer.status, 200);
    told(&answer);
    assert!(answer.all("link").iter().any(|link| link.contains("rel=\"next\"")), "the server's own links stay");
    let address = upstream.address();
    drop(upstream);
    // Its thread may take one more connection before it ends.
    portcullis_testkit::deadline::eventually("the server is gone", || {
        std::net::TcpStream::connect(address).is_err().then_some(())
    });
    let answer = ask(&gate);
    problem(&answer, 502, "upstream_unreachable", "a server that is gone");
    told(&answer);
}

#[test]
fn nothing_is_said_of_others() {
    let (_upstream, gate) = gate(LifecyclePlan { deprecated_at: Some(0), ..LifecyclePlan::default() });
    let answer = Client::connect(gate.address()).ask("GET /orders HTTP/1.1\r\nHost: api.test\r\n\r\n");
    assert_eq!(answer.all("deprecation"), ["@1"], "what the server says passes where nobody says otherwise");
    assert_eq!(answer.all("sunset"), ["never"]);
    let answer = ask(&gate);
    assert_eq!((answer.status, answer.all("deprecation"), answer.field("sunset")), (200, vec!["@0"], None));
}

#[test]
fn after_its_end_a_version_is_gone() {
    let (upstream, gate) = gate(LifecyclePlan {
        sunset_at: Some(now() - 1),
        successor: Some("/v2".to_owned()),
        ..LifecyclePlan::default()
    });
    let answer = ask(&gate);
    problem(&answer, 410, "version_gone", "after the end");
    security_headers(&answer, "after the end");
    assert!(answer.field("sunset").is_some() && answer.field("link").unwrap().contains("</v2>"));
    assert_eq!(upstream.requests(), 0);
    good_request_works(&gate, "a version that is gone");
    assert!(
        gate.metric("portcullis_decisions_total{stage=\"route\",decision=\"refused\",reason=\"version_gone\"}") > 0.5
    );
}

#[test]
fn at_announced_times_it_answers_as_if_it_were_gone() {
    for (brownouts, gone) in [
        (vec![(now() - DAY, now() + DAY)], true),
        (vec![(now() - 2 * DAY, now() - DAY), (now() - 1, now() + DAY)], true),
        (vec![(now() - DAY, now() - 1), (now() + DAY, now() + 2 * DAY)], false),
    ] {
        let (_upstream, gate) = gate(LifecyclePlan {
            sunset_at: Some(now() + 9 * DAY),
            brownouts: brownouts.clone(),
            ..LifecyclePlan::default()
        });
        let answer = ask(&gate);
        if gone {
            problem(&answer, 410, "version_brownout", "an announced time");
            let seconds: i64 = answer.field("retry-after").unwrap().parse().unwrap();
            assert!((DAY - 60..=DAY).contains(&seconds), "{seconds}");
        } else {
            assert_eq!(answer.status, 200, "{brownouts:?}");
        }
        assert!(answer.field("sunset").is_some());
        good_request_works(&gate, "an announced time");
    }
}

#[test]
fn exempt_callers_are_served_at_announced_times() {
    let upstream = FakeUpstream::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    let scratch = Scratch::new();
    let signer = SigningKey::from_seed(&[7; 32]).unwrap();
    let _jwks = scratch.file("jwks.json", &json!({ "keys": [signer.public_jwk()] }).to_string());
    let text = BROWNOUT.replace("UPSTREAM", &upstream.address().to_string());
    let loaded = load_text("gate.yaml", &text, scratch.path(), &Environment::fixed::<&str, &str>([]));
    let mut plan = loaded.unwrap_or_else(|failure| panic!("{}", failure.render(false))).plan;
    plan.status.bind = "127.0.0.1:0".parse().unwrap();
    let gate = Gatehouse::start(plan);
    let ask = |subject: &str| {
        let claims = json!({ "iss": "https://idp.test", "aud": "shop", "sub": subject, "client_id": "web", "jti": "t", "iat": now(), "exp": now() + 300 });
        let token = signer.sign("at+jwt", claims.as_object().unwrap(), false).unwrap();
        let line = if subject.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
        Client::connect(gate.address()).ask(format!("GET /v1/orders HTTP/1.1\r\nHost: api.test\r\n{line}\r\n"))
    };
    assert_eq!(ask("partner").status, 200);
    for subject in ["bob", "partners", ""] {
        let answer = ask(subject);
        problem(&answer, 410, "version_brownout", "an announced time");
        assert!(answer.field("retry-after").is_some() && answer.field("sunset").is_some());
    }
    assert_eq!(ask("partner").status, 200);
    assert_eq!(upstream.requests(), 2);
}
