//! Who is believed about where a request comes from, and what operators can ask of the running gateway.

use super::{Answer, Row, Scene};
use crate::command::{ask, audit_log_damage, audited};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;

const GATEWAY: &str = "gateway";
const LOGGING: &str = "monitoring";
const AUDITS: &str = "audits";
const UPDATES: &str = "updates";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![
        claimed(scene),
        believed(scene),
        unreadable(scene),
        asked(scene),
        looked_up(scene),
        expiring(scene),
        reloaded(scene),
        written_down(scene),
        sound(scene),
        weak(scene),
    ]
}

/// What the API was told of the client.
fn told(answer: &Answer) -> String {
    let body = answer.body.to_ascii_lowercase();
    let fields = body.matches("x-forwarded-for").count();
    let named = body.split("x-forwarded-for").nth(1).unwrap_or_default();
    let address: String = named
        .chars()
        .skip_while(|c| !c.is_ascii_hexdigit())
        .take_while(|c| c.is_ascii_hexdigit() || ".:".contains(*c))
        .collect();
    if fields == 1 { address } else { format!("{fields} fields") }
}

fn claimed(scene: &Scene<'_>) -> Row {
    let expected = "the API is told 127.0.0.1";
    let outcome = scene.client.get("/lab/echo", "X-Forwarded-For: 192.0.2.7\r\n").map(|answer| {
        let got = format!("the API is told {}", told(&answer));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(GATEWAY, "X-Forwarded-For: 192.0.2.7 of an unknown client", expected, outcome)
}

fn believed(scene: &Scene<'_>) -> Row {
    let expected = "the API is told 192.0.2.7";
    let fields = "X-Forwarded-For: 6.6.6.6, 192.0.2.7\r\n";
    let outcome = scene.client.get_plain(scene.behind, "/lab/echo", fields).map(|answer| {
        let got = format!("the API is told {}", told(&answer));
        let ok = got == expected;
        (got, ok)
    });
    Row::new(GATEWAY, "X-Forwarded-For: 6.6.6.6, 192.0.2.7 of a listed proxy", expected, outcome)
}

fn unreadable(scene: &Scene<'_>) -> Row {
    let fields = "Forwarded: for=6.6.6.6\r\nX-Forwarded-For: 192.0.2.7\r\n";
    let answer = scene.client.get_plain(scene.behind, "/lab/echo", fields);
    Row::brief(GATEWAY, "two fields of it that name two clients", "400 malformed_forwarding", answer)
}

fn asked(scene: &Scene<'_>) -> Row {
    let expected = "serving, 3 listeners, mode 600";
    let outcome = ask(&scene.admin, "GET", "/status").map(|(_, status)| {
        let phase = status.get("phase").and_then(|phase| phase.as_str()).unwrap_or("unknown").to_owned();
        let listeners = status.get("listeners").and_then(|list| list.as_array()).map_or(0, Vec::len);
        let mode = fs::metadata(&scene.admin).map_or(0, |metadata| metadata.permissions().mode() & 0o777);
        let got = format!("{phase}, {listeners} listeners, mode {mode:o}");
        let ok = got == expected;
        (got, ok)
    });
    Row::new(LOGGING, "portcullis status, over the admin socket", expected, outcome)
}

/// A refusal, found again by its id.
fn looked_up(scene: &Scene<'_>) -> Row {
    let expected = "route_closed, with the line that says so";
    let outcome = scene.client.ask("DELETE", "/users/7", "").and_then(|answer| {
        let id = answer.field("x-request-id").ok_or("the answer has no X-Request-ID")?.to_owned();
        let got = scene.eventually(|| {
            let (_, found) = ask(&scene.admin, "GET", &format!("/api/v1/records/{id}")).ok()?;
            let text = |name: &str| found.pointer(&format!("/record/{name}"))?.as_str();
            let told = text("decided_by").is_some_and(|line| line.contains("portcullis.yaml:"));
            Some(format!("{}, {}", text("reason")?, if told { "with the line that says so" } else { "and no line" }))
        });
        let got = got.ok_or("no record with its id within ten seconds")?;
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(LOGGING, "a refusal, found in the console by its id", expected, outcome)
}

fn expiring(scene: &Scene<'_>) -> Row {
    let series = "portcullis_certificate_expiry_timestamp_seconds{listener=\"secure\",name=\"localhost\"}";
    let got = scene.metric(series);
    let outcome = match got {
        Some(seconds) if seconds > 0 => ("a moment".to_owned(), true),
        Some(_) | None => ("nothing".to_owned(), false),
    };
    Row::new(LOGGING, "when the certificate expires, as a metric", "a moment", Ok(outcome))
}

fn reloaded(scene: &Scene<'_>) -> Row {
    let expected = "200, in force";
    let outcome = ask(&scene.admin, "POST", "/reload").map(|(status, answer)| {
        let done = answer.get("reloaded").is_some_and(|done| done == true);
        let got = format!("{status}, {}", if done { "in force" } else { "refused" });
        let ok = got == expected;
        (got, ok)
    });
    Row::new(UPDATES, "portcullis reload, over the admin socket", expected, outcome)
}

/// A line of a copy is changed; the copy says which.
fn written_down(scene: &Scene<'_>) -> Row {
    let expected = "whole; then line 2 was changed";
    let outcome = (|| {
        let store = scene.config.parent().ok_or("no folder")?.join("data");
        let copy = store.join("audit-log-copy");
        let found = |folder: &std::path::Path| audit_log_damage(&store, folder).map_err(|stop| stop.summary());
        let log = store.join("audit-log");
        let first = found(&log)?.map_or("whole".to_owned(), |damage| damage.to_string());
        fs::create_dir_all(&copy).map_err(|error| error.to_string())?;
        for entry in fs::read_dir(&log).map_err(|error| error.to_string())?.flatten() {
            let text = fs::read_to_string(entry.path()).map_err(|error| error.to_string())?;
            let text = text.replacen("\"gateway.start\"", "\"gateway.stars\"", 1);
            fs::write(copy.join(entry.file_name()), text).map_err(|error| error.to_string())?;
        }
        let then = found(&copy)?;
        fs::remove_dir_all(&copy).map_err(|error| error.to_string())?;
        let then =
            then.map_or("whole".to_owned(), |damage| format!("line {} was {}", damage.after + 1, damage.kind.name()));
        let got = format!("{first}; then {then}");
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(LOGGING, "the audit log, and a copy with one letter changed", expected, outcome)
}

fn sound(scene: &Scene<'_>) -> Row {
    let expected = "100 of 100, nothing is found";
    let outcome = audited(&scene.config, None, None).map_err(|stop| stop.summary()).map(|report| {
        let found: Vec<String> = report.findings.iter().map(|one| format!("{} at {}", one.rule, one.place)).collect();
        let found = if found.is_empty() { "nothing is found".to_owned() } else { found.join(", ") };
        let got = format!("{} of 100, {found}", report.score);
        let ok = got == expected;
        (got, ok)
    });
    Row::new(AUDITS, "portcullis audit, of this gateway", expected, outcome)
}

/// The same configuration, with one operation that it does not close any more.
fn weak(scene: &Scene<'_>) -> Row {
    let expected = "PC0101 at orders/v1/createOrder, and no 100";
    let outcome = (|| {
        let text = fs::read_to_string(&scene.config).map_err(|error| error.to_string())?;
        let (open, from) = (scene.config.with_file_name("opened.yaml"), "- id: createOrder\n");
        let line = text.lines().find(|line| {
            line.trim_start().starts_with("authn: { any_of: [{ jwt: { issuers: [demo] } }, { api_key: {} }] }")
        });
        let rules = text.lines().find(|line| line.trim() == "authz: { rules: [{ scopes: [\"shop:write\"] }] }");
        let (line, rules) = line.zip(rules).filter(|_| text.contains(from)).ok_or("the operation is not there")?;
        let changed = text.replacen(line, "            authn: public", 1).replacen(&format!("{rules}\n"), "", 1);
        fs::write(&open, changed).map_err(|error| error.to_string())?;
        let report = audited(&open, None, None).map_err(|stop| stop.summary());
        fs::remove_file(&open).map_err(|error| error.to_string())?;
        let report = report?;
        let found =
            report.findings.iter().map(|one| format!("{} at {}", one.rule, one.place)).collect::<Vec<_>>().join(", ");
        let got = format!("{found}, and {} 100", if report.score < 100 { "no" } else { "a" });
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(AUDITS, "portcullis audit, of a copy that lets anybody order", expected, outcome)
}
