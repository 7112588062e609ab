//! Alerts as mail: a message (RFC 5322) that says as its subject nothing but our own words, and whose text is base64, so that nothing in it
//! can end a line or the message; and its way to the server until everybody it is for has it, within bounds.

#[cfg(test)]
mod tests;

use super::Alert;
use super::outbox::Message;
use super::send::ATTEMPTS_MAX;
use super::smtp::{self, Fault};
use crate::identity::random;
use crate::outcall::patience::{Ending, Pauses};
use crate::record::wall::WallTexts;
use crate::tls::files::TlsError;
use crate::upstream::tls::UpstreamTls;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portcullis_config::plan::{EmailPlan, MailCipher};
use std::io;
use std::time::{Duration, SystemTime};

// LIMIT: what one attempt may take. Servers let strangers wait for seconds before they speak.
const ATTEMPT: Duration = Duration::from_secs(15);
// LIMIT: characters of one alert's text, of what it is about and of its link, each.
const TEXT_CHARS_MAX: usize = 1_000;
/// Bytes of a line of base64 (RFC 2045 section 6.8).
const LINE_BYTES: usize = 76;

/// Whoever sends mail.
#[derive(Debug)]
pub(super) struct Mailer {
    plan: EmailPlan,
    tls: Option<UpstreamTls>,
    attempt: Duration,
}

// === impl Mailer ===

impl Mailer {
    /// # Errors
    /// TLS files that cannot be used.
    pub(super) fn new(plan: &EmailPlan) -> Result<Self, TlsError> {
        let speaks_tls = plan.cipher != MailCipher::None;
        let tls = speaks_tls.then(|| UpstreamTls::speaking(&plan.tls, Vec::new())).transpose()?;
        Ok(Self { plan: plan.clone(), tls, attempt: ATTEMPT })
    }

    /// The message as it is sent, with the line breaks of mail.
    ///
    /// # Errors
    /// No randomness for its id.
    pub(super) fn compose(&self, message: &Message, wall: &mut WallTexts, now: SystemTime) -> io::Result<String> {
        let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let now_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        let id: String = random::<16>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let domain = self.plan.from.rsplit_once('@').map_or("localhost", |(_, domain)| domain);
        let date = wall.imf(now_ms).replace("GMT", "+0000");
        let mut mail = format!(
            "Date: {date}\r\nFrom: Portcullis <{}>\r\nTo: {}\r\nSubject: {}\r\nMessage-ID: <{id}@{domain}>\r\n\
             MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\
             Auto-Submitted: auto-generated\r\n\r\n",
            self.plan.from,
            self.plan.to.join(",\r\n "),
            subject(message),
        );
        let text = STANDARD.encode(text(message, wall));
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let (line, after) = rest.split_at_checked(LINE_BYTES).unwrap_or((rest, ""));
            mail.push_str(line);
            mail.push_str("\r\n");
            rest = after;
        }
        Ok(mail)
    }

    /// Sends a message until everybody has it; whether everybody has. Whoever had it does not get it again, unless a server takes it and
    /// does not say so.
    pub(super) async fn deliver(&self, mail: &str, ending: &Ending) -> bool {
        let (mut readers, mut all, mut pauses) = (self.plan.to.clone(), true, Pauses::default());
        for attempt in 1..=ATTEMPTS_MAX {
            let handing = smtp::hand_over(&self.plan, self.tls.as_ref(), &readers, mail);
            match ending.before(tokio::time::timeout(self.attempt, handing)).await {
                None | Some(Ok(Err(Fault::Final))) => return false,
                Some(Ok(Ok(taken))) => {
                    all &= taken.refused == 0;
                    readers = taken.later;
                    if readers.is_empty() {
                        return all;
                    }
                }
                Some(Ok(Err(Fault::Passing)) | Err(_)) => {}
            }
            if attempt == ATTEMPTS_MAX || !ending.rest(pauses.next(None)).await {
                return false;
            }
        }
        false
    }
}

/// How bad it is, how many there are, and the kinds: words of ours alone.
fn subject(message: &Message) -> String {
    let mut kinds: Vec<&str> = Vec::new();
    let worst_first = || message.alerts.iter().filter(|alert| alert.is_critical).chain(&message.alerts);
    for alert in worst_first() {
        if !kinds.contains(&alert.kind.name()) {
            kinds.push(alert.kind.name());
        }
    }
    let severity = worst_first().next().map_or("warning", Alert::severity);
    match message.alerts.len() + message.left_out {
        1 => format!("[portcullis] {severity}: {}", kinds.join(", ")),
        count => format!("[portcullis] {severity}: {count} alerts ({})", kinds.join(", ")),
    }
}

/// What people read.
fn text(message: &Message, wall: &mut WallTexts) -> String {
    let mut text = String::new();
    for alert in &message.alerts {
        let mut time = Vec::new();
        wall.rfc3339(alert.at_ms, &mut time);
        let (what, time) = (plain(&alert.text), String::from_utf8_lossy(&time));
        text.push_str(&format!("{what}\r\n  {}, {} at {time}\r\n", alert.severity(), alert.kind.name()));
        for (name, value) in [("about", &alert.about), ("link", &alert.link)] {
            if !value.is_empty() {
                text.push_str(&format!("  {name}: {}\r\n", plain(value)));
            }
        }
        text.push_str("\r\n");
    }
    if message.left_out > 0 {
        text.push_str(&format!("{} more are not told here.\r\n", message.left_out));
    }
    text
}

/// One line: what callers call themselves does not look like another alert.
fn plain(text: &str) -> String {
    let is_plain =
        |letter: char| !letter.is_control() && !matches!(letter, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().take(TEXT_CHARS_MAX).map(|letter| if is_plain(letter) { letter } else { '\u{fffd}' }).collect()
}
