//! What of answers leaves: the same call as two roles, and what a server says when it fails.

use super::{Row, Scene};

const MASKING: &str = "data masking";
const ERRORS: &str = "error handling";
const INSPECTED: &str = "input validation";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![
        person(scene, "user", "a****************om, length and ETag left out"),
        person(scene, "support", "ada.nowak@example.com"),
        staff(scene, "user", "a****************om; email, id, name"),
        staff(scene, "support", "ada.nowak@example.com; email, id, name, role"),
        crash(scene),
        harmless(scene),
        Row::brief(
            INSPECTED,
            "GET /lab/told, which says 200 and what its database said",
            "502 answer_refused",
            scene.client.get("/lab/told?page=x", ""),
        ),
        Row::brief(INSPECTED, "GET /lab/told, which gives nothing away", "200", scene.client.get("/lab/told", "")),
    ]
}

/// The address of somebody, as a caller of this role sees it.
fn person(scene: &Scene<'_>, role: &str, expected: &'static str) -> Row {
    let outcome = scene.callers.token_as(role).map_err(|stop| stop.summary()).and_then(|token| {
        let answer = scene.client.get("/people/7", &format!("Authorization: Bearer {token}\r\n"))?;
        let email = answer.json().get("email").and_then(|email| email.as_str()).unwrap_or("nothing").to_owned();
        let bare = answer.field("content-length").is_none() && answer.field("etag").is_none();
        let got = match (answer.status, bare) {
            (200, true) => format!("{email}, length and ETag left out"),
            (200, false) => email,
            _ => answer.brief(),
        };
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(MASKING, &format!("GET /people/7 as somebody with the role {role}"), expected, outcome)
}

/// What leaves of somebody where the contract says who sees what, and nothing leaves that it does not declare.
fn staff(scene: &Scene<'_>, role: &str, expected: &'static str) -> Row {
    let outcome = scene.callers.token_as(role).map_err(|stop| stop.summary()).and_then(|token| {
        let answer = scene.client.get("/staff/7", &format!("Authorization: Bearer {token}\r\n"))?;
        let value = answer.json();
        let email = value.get("email").and_then(|email| email.as_str()).unwrap_or("nothing").to_owned();
        let mut names: Vec<String> = value.as_object().into_iter().flatten().map(|(name, _)| name.clone()).collect();
        names.sort_unstable();
        let got = if answer.status == 200 { format!("{email}; {}", names.join(", ")) } else { answer.brief() };
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(MASKING, &format!("GET /staff/7 as {role}: what its contract declares and marks"), expected, outcome)
}

fn crash(scene: &Scene<'_>) -> Row {
    let expected = "500 upstream_error, the rest is in the security record";
    let outcome = scene.client.get("/lab/crash", "").and_then(|answer| {
        let id = answer.field("x-request-id").ok_or("the answer has no X-Request-ID")?.to_owned();
        let leaks = ["Traceback", "orders.py", "10.3.0.14"].iter().any(|sign| answer.body.contains(sign));
        let recorded = scene.eventually(|| {
            let text = std::fs::read_to_string(scene.log.with_file_name("security.log")).ok()?;
            text.lines()
                .find(|line| line.contains(&id) && line.contains("\"stack_trace\"") && line.contains("Traceback"))
                .map(str::to_owned)
        });
        let got = match (leaks, recorded) {
            (true, _) => format!("{}, with a stack trace", answer.brief()),
            (false, None) => format!("{}, and nothing in the security record", answer.brief()),
            (false, Some(_)) => format!("{}, the rest is in the security record", answer.brief()),
        };
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(ERRORS, "GET /lab/crash, which answers with a stack trace", expected, outcome)
}

fn harmless(scene: &Scene<'_>) -> Row {
    let expected = "404, there is no such thing in the shop";
    let outcome = scene.client.get("/orders/v1/9999", "").map(|answer| {
        let said = answer.json().get("error").and_then(|said| said.as_str()).unwrap_or("nothing").to_owned();
        let got = format!("{}, {said}", answer.status);
        let ok = got == expected;
        (got, ok)
    });
    Row::new(ERRORS, "GET /orders/v1/9999, an error that gives nothing away", expected, outcome)
}
