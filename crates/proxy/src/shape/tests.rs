//! Every reason for refusing, in every form: security headers, who may read it, and the problem itself.

use super::{Frame, Inner, Masking, problem};
use crate::head::FieldMap;
use crate::limits::Charged;
use crate::problem::{Form, Problem};
use crate::snapshot::cors::Cors;
use crate::snapshot::headers::SecurityHeaders;
use portcullis_config::plan::{CorsPlan, HeadersPlan, Origins};
use portcullis_types::id::RequestId;
use portcullis_types::{Reason, Refusal, Stage};
use std::sync::Arc;

const PAGE: &[u8] = b"https://app.example.com";
const BASE: &str = "http://127.0.0.1:9901/problems/";

/// The fields of a head of HTTP/1, names in lower case.
fn fields(head: &[u8]) -> Vec<(String, String)> {
    let text = std::str::from_utf8(head).unwrap();
    let lines = text.strip_suffix("\r\n\r\n").unwrap().split("\r\n").skip(1);
    lines.map(|line| line.split_once(": ").unwrap()).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn all<'f>(fields: &'f [(String, String)], name: &str) -> Vec<&'f str> {
    fields.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
}

fn check(reason: Reason, form: Form, profile: Option<&HeadersPlan>, known_page: bool) {
    let about = format!("{} as {form:?}, profile {:?}", reason.code(), profile.map(|plan| plan.profile));
    let refusal =
        Refusal { private: Some("secret internals".to_owned()), ..Refusal::new(Stage::Route, reason, "a detail") };
    let told = Problem::refused(&refusal);
    let plan =
        CorsPlan { origins: Origins::Only(vec![String::from_utf8_lossy(PAGE).into_owned()]), ..CorsPlan::default() };
    let cors = Cors::compile(&Arc::new(plan), "X-API-Key", false);
    let headers = profile.map(|plan| SecurityHeaders::compile(plan, "").unwrap());
    let origin: &[u8] = if known_page { PAGE } else { b"https://evil.example" };
    let charged = Charged::default();
    let frame = Frame {
        id: RequestId::default(),
        headers: headers.as_ref().map(|headers| headers.of(true)),
        personal: false,
        secure: true,
        keep_alive: true,
        old: false,
        to_head: false,
        accept: None,
        sharing: Some(cors.sharing(Some(origin))),
        lifecycle: None,
        vary: None,
        date: "Fri, 27 Nov 2026 00:00:00 GMT",
        masking: Masking::default(),
        charged: &charged,
        ahead: &[],
        hidden: &[],
        inner: Inner::default(),
    };
    let body = told.body(form, frame.id, BASE);
    let mut head = Vec::new();
    problem(&told, form, body.len(), &frame, &mut head);
    let lines = fields(&head);
    let expected = profile.cloned().unwrap_or_default();
    for (name, value) in &expected.fields {
        assert_eq!(all(&lines, name), [value], "{about}: {name}");
    }
    assert_eq!(all(&lines, "strict-transport-security"), ["max-age=31536000; includeSubDomains"], "{about}");
    assert_eq!(all(&lines, "x-request-id").len(), 1, "{about}");
    assert_eq!(all(&lines, "cache-control"), ["no-store"], "{about}");
    let readers: &[&str] = if known_page { &["https://app.example.com"] } else { &[] };
    assert_eq!(all(&lines, "access-control-allow-origin"), readers, "{about}");
    assert!(all(&lines, "vary").iter().any(|value| value.eq_ignore_ascii_case("origin")), "{about}");
    assert!(all(&lines, "proxy-status")[0].starts_with("portcullis; error="), "{about}");
    assert!(
        !body.contains("secret internals") && !String::from_utf8_lossy(&head).contains("secret internals"),
        "{about}"
    );
    if form == Form::Json {
        let told: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(all(&lines, "content-type"), ["application/problem+json"], "{about}");
        assert_eq!((&told["status"], &told["code"]), (&reason.status().into(), &reason.code().into()), "{about}");
        for member in ["type", "title", "detail", "request_id"] {
            assert!(told[member].as_str().is_some_and(|text| !text.is_empty()), "{about}: {member}");
        }
        assert!(head.starts_with(format!("HTTP/1.1 {} ", reason.status()).as_bytes()), "{about}");
    }
    // HTTP/2 says the same.
    let mut map = FieldMap::default();
    problem(&told, form, body.len(), &frame, &mut map);
    let answer = map.into_answer().unwrap();
    for (name, value) in &expected.fields {
        assert_eq!(
            answer.headers().get_all(name.as_str()).iter().collect::<Vec<_>>(),
            [value.as_str()],
            "{about}: {name}"
        );
    }
}

#[test]
fn every_refusal_has_its_headers_and_its_form() {
    let profiles = [None, Some(HeadersPlan::default()), Some(HeadersPlan::browser()), Some(HeadersPlan::portal())];
    for reason in Reason::ALL {
        for form in [Form::Json, Form::Html, Form::Grpc] {
            for profile in &profiles {
                check(*reason, form, profile.as_ref(), true);
                check(*reason, form, profile.as_ref(), false);
            }
        }
    }
}
