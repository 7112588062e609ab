//! What is wrong with the gateway at a moment.

use super::{Alert, Kind};
use crate::anomalies::FindingFacts;
use crate::gateway::Handle;
use portcullis_anomaly::Step;
use portcullis_config::plan::AlertsPlan;
use portcullis_types::civil::Moment;
use portcullis_types::{Millis, Reason};
use std::collections::VecDeque;

/// Within it masking failures are counted together.
const MASKING_WINDOW_MS: Millis = 5 * 60 * 1000;
/// How long before its end a certificate is critical, in seconds.
const CRITICAL_CERTIFICATE_S: u64 = 2 * 24 * 60 * 60;
/// Shares of a buffer from which on it is told, and is critical, in percent.
const FILLING: [u64; 2] = [50, 90];

/// Whoever looks, and what he saw before.
#[derive(Debug)]
pub(super) struct Look {
    handle: Handle,
    certificates_s: u64,
    masking_failures: u64,
    findings: Option<Step>,
    /// Findings up to this one were looked at.
    found: u64,
    /// Security records that were lost by then.
    lost: u64,
    /// How many answers could not be masked before the window, and by when within it.
    unmasked: (u64, VecDeque<(Millis, u64)>),
}

// === impl Look ===

impl Look {
    pub(super) fn new(plan: &AlertsPlan, handle: Handle) -> Self {
        // What was found before this process is no news.
        let found = handle.shared.anomalies.as_ref().map_or(0, |anomalies| anomalies.findings_since(u64::MAX).0);
        Self {
            handle,
            certificates_s: plan.certificates.as_secs(),
            masking_failures: plan.masking_failures,
            findings: plan.findings,
            found,
            lost: 0,
            unmasked: (0, VecDeque::new()),
        }
    }

    /// Everything that is wrong now.
    pub(super) fn at(&mut self, now: Millis) -> Vec<Alert> {
        let mut alerts = Vec::new();
        self.anomalies(&mut alerts);
        self.stores(now, &mut alerts);
        self.certificates(&mut alerts);
        self.security(&mut alerts);
        self.masking(now, &mut alerts);
        alerts
    }

    fn alert(&self, kind: Kind, about: impl Into<String>, is_critical: bool, text: String) -> Alert {
        let at_ms = self.handle.shared.identity.seconds().saturating_mul(1000);
        let link = self.handle.console_home().map_or_else(String::new, |home| home + kind.page());
        Alert { kind, about: about.into(), is_critical, text, at_ms, link }
    }

    fn anomalies(&mut self, alerts: &mut Vec<Alert>) {
        let (Some(least), Some(anomalies)) = (self.findings, &self.handle.shared.anomalies) else { return };
        let (found, fresh) = anomalies.findings_since(self.found);
        self.found = found;
        let step = |finding: &FindingFacts| Step::ALL.into_iter().find(|step| step.name() == finding.step);
        for finding in fresh.iter().filter(|finding| step(finding) >= Some(least)) {
            let whole = if finding.caller.is_empty() { &finding.address } else { &finding.caller };
            let who = if finding.is_of_address { &finding.address } else { whole };
            let [seen, usual, _] = finding.numbers;
            let what = &finding.kind;
            let (window_s, step) = (finding.window_s, &finding.step);
            let place = if finding.place.is_empty() { String::new() } else { format!(" ({})", finding.place) };
            let text = format!("{what}{place} of {who}: {seen} in {window_s} s, where {usual} is usual; {step}");
            let critical = matches!(finding.step.as_str(), "refuse" | "block");
            alerts.push(Alert {
                at_ms: finding.at_ms,
                ..self.alert(Kind::Anomaly, format!("{what} {who}"), critical, text)
            });
        }
    }

    fn stores(&self, now: Millis, alerts: &mut Vec<Alert>) {
        if self.handle.shared.identity.check(now).is_err() {
            let text = "the store cannot be read; neither keys nor tokens are believed".to_owned();
            alerts.push(self.alert(Kind::StoreUnreachable, "", true, text));
        }
        if self.handle.shared_store().is_some_and(|store| !store.answers) {
            let text = "the store of shared limits does not answer; each gateway enforces its share".to_owned();
            alerts.push(self.alert(Kind::SharedStoreUnreachable, "", false, text));
        }
    }

    fn certificates(&self, alerts: &mut Vec<Alert>) {
        let now = self.handle.shared.identity.seconds();
        for certificate in self.handle.certificates() {
            let Some(end) = certificate.expires_seconds.map(|end| u64::try_from(end).unwrap_or(0)) else { continue };
            if end > now.saturating_add(self.certificates_s) {
                continue;
            }
            let about = format!("{} {}", certificate.listener, certificate.name);
            let moment = Moment::of_unix(i64::try_from(end).unwrap_or(i64::MAX)).rfc3339();
            let verb = if end <= now { "has ended" } else { "ends" };
            let text = format!(
                "the certificate {} of listener {} {verb} at {moment}Z",
                certificate.name, certificate.listener
            );
            let critical = end <= now.saturating_add(CRITICAL_CERTIFICATE_S);
            alerts.push(self.alert(Kind::CertificateExpiring, about, critical, text));
        }
    }

    fn security(&mut self, alerts: &mut Vec<Alert>) {
        let Some(record) = self.handle.shared.records.security() else { return };
        if let Some((bytes, most)) = record.fill() {
            let share = bytes.saturating_mul(100) / most.max(1);
            let [filling, full] = FILLING;
            if share >= filling {
                let text = format!("{share} % of the buffer of security records wait; does their collector answer?");
                alerts.push(self.alert(Kind::SecurityBufferFilling, "", share >= full, text));
            }
        }
        let results = record.tally.results();
        let lost = results.iter().filter(|(result, _)| *result != "written").map(|(_, count)| count).sum();
        if lost > self.lost {
            let text = format!("{} security records were lost", lost - self.lost);
            let alert = self.alert(Kind::SecurityRecordsLost, "", true, text);
            self.lost = lost;
            alerts.push(alert);
        }
    }

    fn masking(&mut self, now: Millis, alerts: &mut Vec<Alert>) {
        let count = self.handle.shared.registry.decisions_of(Reason::AnswerUnreadable);
        let (before, within) = &mut self.unmasked;
        while let Some((_, counted)) = within.pop_front_if(|(at, _)| at.saturating_add(MASKING_WINDOW_MS) <= now) {
            *before = counted;
        }
        if within.back().map_or(*before, |(_, last)| *last) != count {
            within.push_back((now, count));
        }
        let failed = count.saturating_sub(*before);
        if failed >= self.masking_failures {
            let text = format!("{failed} answers within five minutes could not be masked");
            alerts.push(self.alert(Kind::MaskingFailures, "", false, text));
        }
    }
}
