//! What whoever looks for attacks is told: security records by syslog, and alerts in a file and by e-mail.

use super::{Row, Scene};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use std::fs;

const LOGGING: &str = "logging";
const MONITORING: &str = "monitoring";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![told(scene), alerted(scene), mailed(scene)]
}

/// What a member of a record says.
fn member(record: &Value, name: &str) -> String {
    record.get(name).and_then(Value::as_str).unwrap_or("nothing").to_owned()
}

fn told(scene: &Scene<'_>) -> Row {
    let expected = "<85>1 portcullis security: refused, ambiguous_target";
    let outcome = scene.client.get("/orders%2f", "").and_then(|answer| {
        let id = answer.field("x-request-id").ok_or("the answer has no X-Request-ID")?.to_owned();
        // The demo's collector writes down what it has been sent.
        let messages = scene.log.with_file_name("security.log");
        let message = scene.eventually(|| {
            let text = fs::read_to_string(&messages).ok()?;
            text.lines().find(|line| line.contains(&id)).map(str::to_owned)
        });
        let message = message.ok_or("no message with its id within ten seconds")?;
        let (header, record) = message.split_once(" - ").ok_or("no structured data")?;
        let words: Vec<&str> = header.split(' ').collect();
        let [priority, _, _, program, _, kind] = words.as_slice() else { return Ok((header.to_owned(), false)) };
        let record: Value = serde_json::from_str(record).map_err(|error| error.to_string())?;
        let got = format!("{priority} {program} {kind}: {}, {}", member(&record, "event"), member(&record, "reason"));
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(LOGGING, "the security record of a refusal, at a collector by syslog", expected, outcome)
}

fn alerted(scene: &Scene<'_>) -> Row {
    let expected = "anomaly, critical: sequential_ids ada";
    let alerts = scene.log.with_file_name("alerts.log");
    let found = scene.eventually(|| {
        let text = fs::read_to_string(&alerts).ok()?;
        let all = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
        let mut texts = all.map(|alert| {
            format!("{}, {}: {}", member(&alert, "kind"), member(&alert, "severity"), member(&alert, "about"))
        });
        texts.find(|text| text == expected)
    });
    let got = found.unwrap_or_else(|| "no such alert within ten seconds".to_owned());
    let ok = got == expected;
    Row::new(MONITORING, "the alert about whoever took one person after another", expected, Ok((got, ok)))
}

fn mailed(scene: &Scene<'_>) -> Row {
    let expected = "critical, for oncall@demo.example: about sequential_ids ada";
    // The demo's server of mail writes down what it has taken.
    let mails = scene.log.with_file_name("mail.txt");
    let found = scene.eventually(|| {
        let all = fs::read_to_string(&mails).ok()?;
        all.split_inclusive("\r\n.\r\n").find_map(|mail| {
            let (head, body) = mail.strip_suffix("\r\n.\r\n")?.split_once("\r\n\r\n")?;
            let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
            let severity = field("Subject: [portcullis] ")?.split(':').next()?;
            let text = String::from_utf8(STANDARD.decode(body.replace("\r\n", "")).ok()?).ok()?;
            let about = text.lines().filter_map(|line| line.strip_prefix("  about: "));
            let mut texts =
                about.map(|about| format!("{severity}, for {}: about {about}", field("To: ").unwrap_or("nobody")));
            texts.find(|text| text == expected)
        })
    });
    let got = found.unwrap_or_else(|| "no such mail within ten seconds".to_owned());
    let ok = got == expected;
    Row::new(MONITORING, "the same alert by e-mail", expected, Ok((got, ok)))
}
