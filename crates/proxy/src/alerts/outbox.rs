//! Which alerts are told, and when: each once within a time, those that come together in one message, no more messages than were
//! asked for. Pure; time comes in.

use super::{Alert, Kind};
use portcullis_config::plan::AlertsPlan;
use portcullis_types::Millis;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

// LIMIT: alerts in one message; what comes on top is only counted in it.
const TOGETHER_MAX: usize = 50;
// LIMIT: alerts that are remembered as told. Beyond it all are forgotten, and may be told again early.
const TOLD_MAX: usize = 4_096;
const HOUR_MS: Millis = 60 * 60 * 1000;

/// What waits, and what was told.
#[derive(Debug)]
pub(super) struct Outbox {
    group_ms: Millis,
    again_ms: Millis,
    per_hour: usize,
    told: HashMap<(Kind, String, bool), Millis>,
    waiting: Vec<Alert>,
    /// That found no room beside those that wait.
    left_out: usize,
    /// When the first one began to wait.
    since: Millis,
    /// When messages of the last hour were sent.
    sent: VecDeque<Millis>,
}

/// Alerts that are told together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) alerts: Vec<Alert>,
    /// How many more there were.
    pub(super) left_out: usize,
}

// === impl Outbox ===

impl Outbox {
    pub(super) fn new(plan: &AlertsPlan) -> Self {
        let millis = |time: Duration| Millis::try_from(time.as_millis()).unwrap_or(Millis::MAX);
        Self {
            group_ms: millis(plan.group),
            again_ms: millis(plan.again),
            per_hour: plan.per_hour,
            told: HashMap::new(),
            waiting: Vec::new(),
            left_out: 0,
            since: 0,
            sent: VecDeque::new(),
        }
    }

    /// Takes an alert, unless it was told lately; whether it did. One that has become critical is another one.
    pub(super) fn take(&mut self, alert: Alert, now: Millis) -> bool {
        let again_ms = self.again_ms;
        let key = (alert.kind, alert.about.clone(), alert.is_critical);
        if self.told.get(&key).is_some_and(|at| now < at.saturating_add(again_ms)) {
            return false;
        }
        if self.told.len() >= TOLD_MAX {
            self.told.retain(|_, at| now < at.saturating_add(again_ms));
        }
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        self.told.insert(key, now);
        if self.waiting.is_empty() {
            self.since = now;
        }
        if self.waiting.len() < TOGETHER_MAX {
            self.waiting.push(alert);
        } else {
            self.left_out += 1;
        }
        true
    }

    /// What is to be sent now, if anything is.
    pub(super) fn due(&mut self, now: Millis) -> Option<Message> {
        if self.waiting.is_empty() || now < self.since.saturating_add(self.group_ms) {
            return None;
        }
        while self.sent.front().is_some_and(|at| at.saturating_add(HOUR_MS) <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() >= self.per_hour {
            return None;
        }
        self.sent.push_back(now);
        self.rest()
    }

    /// Everything that waits, at the end.
    pub(super) fn rest(&mut self) -> Option<Message> {
        let alerts = std::mem::take(&mut self.waiting);
        let left_out = std::mem::take(&mut self.left_out);
        (!alerts.is_empty()).then_some(Message { alerts, left_out })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Alert, Kind};
    use super::{HOUR_MS, Outbox};
    use portcullis_config::plan::AlertsPlan;
    use std::time::Duration;

    fn outbox(per_hour: usize) -> Outbox {
        Outbox::new(&AlertsPlan {
            webhook: None,
            email: None,
            file: None,
            group: Duration::from_secs(30),
            again: Duration::from_secs(600),
            per_hour,
            certificates: Duration::ZERO,
            masking_failures: 1,
            findings: None,
        })
    }

    fn alert(about: &str, is_critical: bool) -> Alert {
        let (kind, text) = (Kind::Anomaly, String::new());
        Alert { kind, about: about.to_owned(), is_critical, text, at_ms: 0, link: String::new() }
    }

    #[test]
    fn alerts_wait_for_each_other_and_none_is_told_twice() {
        let mut outbox = outbox(10);
        assert_eq!(outbox.due(0), None);
        assert!(outbox.take(alert("a", false), 1_000) && outbox.take(alert("b", false), 20_000));
        assert!(!outbox.take(alert("a", false), 25_000), "told already");
        assert!(outbox.take(alert("a", true), 25_000), "it has become worse");
        assert_eq!(outbox.due(30_999), None);
        let message = outbox.due(31_000).unwrap();
        assert_eq!((message.alerts.len(), message.left_out), (3, 0));
        assert_eq!(outbox.due(31_000), None);
        assert!(
            !outbox.take(alert("a", false), 600_999) && outbox.take(alert("a", false), 601_000),
            "again after a time"
        );
    }

    #[test]
    fn no_more_messages_than_asked_for_and_what_waits_is_bounded() {
        let mut outbox = outbox(2);
        let mut sent = 0;
        for second in 0..3_600 {
            assert!(outbox.take(alert(&second.to_string(), false), second * 1_000));
            sent += u32::from(outbox.due(second * 1_000).is_some());
        }
        assert_eq!(sent, 2);
        let message = outbox.due(HOUR_MS + 30_000).expect("the next hour has begun");
        assert_eq!(message.alerts.len(), 50);
        assert_eq!(message.left_out, 3_600 - 62 - 50, "those of the first two messages, and those that are named");
        let mut many = self::outbox(1);
        (0..100_000).for_each(|number| assert!(many.take(alert(&number.to_string(), false), 0)));
        assert!(many.told.len() <= super::TOLD_MAX && many.waiting.len() <= super::TOGETHER_MAX);
    }
}
