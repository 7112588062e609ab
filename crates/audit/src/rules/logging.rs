//! What operators see, and what others do not.

use super::{Looks, NO_EXAMPLES, Practice, Rule, Severity, Subject, rule};
use crate::FileUse;
use portcullis_config::plan::LogSink;

const P: Practice = Practice::Logging;

/// Names of parameters that hold secrets or people.
const TELLING: [&str; 14] = [
    "token",
    "access_token",
    "id_token",
    "refresh_token",
    "code",
    "password",
    "passwd",
    "secret",
    "api_key",
    "apikey",
    "key",
    "session",
    "email",
    "ssn",
];

pub(super) const RULES: &[Rule] = &[
    rule(
        "PC0901",
        P,
        Severity::High,
        ("no access record is kept", "After an incident nobody can say what happened.", "Set `access_log.to`."),
        &["API8:2023", "ASVS 16.2.1", "CWE-778"],
        ("access_log: { to: off }", ""),
        off,
    ),
    rule(
        "PC0902",
        P,
        Severity::High,
        (
            "values of a telling query parameter are written to the access log",
            "Whoever reads the log has them.",
            "Take it out of `show_query`, and secrets out of queries.",
        ),
        &["ASVS 16.2.5", "CWE-532"],
        ("access_log: { to: stdout, show_query: [token] }", ""),
        telling,
    ),
    rule(
        "PC0903",
        P,
        Severity::Medium,
        (
            "the status listener can be reached from other machines",
            "Metrics and versions tell an attacker where to look.",
            "Bind it to loopback, or keep others away with a firewall and waive this rule.",
        ),
        &["API8:2023", "CWE-200"],
        ("status: { bind: '0.0.0.0:9901', danger_exposed: true }", ""),
        status,
    ),
    rule(
        "PC0904",
        P,
        Severity::Low,
        (
            "the running gateway cannot be asked",
            "Without an admin socket, `status`, `limits show` and `drain` have nobody to ask.",
            "Set `admin.socket`.",
        ),
        &["ASVS 16.4.1"],
        NO_EXAMPLES,
        unasked,
    ),
    rule(
        "PC0905",
        P,
        Severity::Medium,
        (
            "records leave this machine in plain HTTP",
            "They say who calls what, and can be changed on the way.",
            "Name the collector with `https://`.",
        ),
        &["ASVS 16.4.3", "CWE-319"],
        ("tracing: { endpoint: 'http://10.0.0.9:4318' }", "tracing: { endpoint: 'https://10.0.0.9:4318' }"),
        exported,
    ),
    rule(
        "PC0906",
        P,
        Severity::Medium,
        (
            "nothing is written down about who changed what",
            "Without a store there is no audit log.",
            "Set `store.path`.",
        ),
        &["ASVS 16.3.3", "CWE-778"],
        NO_EXAMPLES,
        unaudited,
    ),
    rule(
        "PC0907",
        P,
        Severity::Low,
        (
            "what attackers do is not recorded apart from what everybody does",
            "Refusals and attacks are looked for among all requests, by whoever may read those.",
            "Set `security_log.to`.",
        ),
        &["API8:2023", "ASVS 16.3.2", "CWE-778"],
        ("security_log: { to: off }", ""),
        unrecorded,
    ),
    rule(
        "PC0908",
        P,
        Severity::Low,
        (
            "nobody is told when something is wrong",
            "A certificate that ends or a mask that fails is seen by whoever happens to look.",
            "Set `alerts.webhook`, `alerts.email`, or `alerts.file` that something watches.",
        ),
        &["ASVS 16.4.1", "CWE-778"],
        NO_EXAMPLES,
        untold,
    ),
    rule(
        "PC0909",
        P,
        Severity::Medium,
        (
            "nobody looks for callers who do what is unusual",
            "Ids that are tried one after another pass every rule one at a time.",
            "Take `anomalies.mode: off` away.",
        ),
        &["API6:2023", "ASVS 16.3.3", "CWE-778"],
        ("anomalies: { mode: off }", ""),
        unwatched,
    ),
    rule(
        "PC0910",
        P,
        Severity::Low,
        (
            "a file of records grows without an end",
            "Once the disk is full, records are lost, and what else needs the disk fails.",
            "Set `rotate`, unless something else puts the file aside.",
        ),
        &["ASVS 16.2.1", "CWE-400"],
        ("access_log: { to: { file: access.log } }", "access_log: { to: { file: access.log }, rotate: { keep: 7 } }"),
        endless,
    ),
    rule(
        "PC0951",
        P,
        Severity::Medium,
        (
            "a file of records can be changed by others on this machine",
            "A record that anybody can change proves nothing.",
            "`chmod 640` it.",
        ),
        &["ASVS 16.4.2", "CWE-732"],
        NO_EXAMPLES,
        changeable,
    ),
    rule(
        "PC0952",
        P,
        Severity::High,
        (
            "a file that the gateway is made from can be changed by others on this machine",
            "Whoever can change the configuration, a contract or a key decides what is let through.",
            "`chmod go-w` it.",
        ),
        &["API8:2023", "ASVS 13.4.1", "CWE-732"],
        NO_EXAMPLES,
        governed,
    ),
];

fn off(subject: &Subject<'_>, looks: &mut Looks) {
    looks.at("access_log", None, subject.plan.access_log.sink != LogSink::Off, || "`to: off`".to_owned());
}

fn telling(subject: &Subject<'_>, looks: &mut Looks) {
    let found = subject.plan.access_log.show_query.iter().find(|name| TELLING.contains(&&*name.to_ascii_lowercase()));
    looks
        .at("access_log.show_query", None, found.is_none(), || format!("`{}` is shown", found.map_or("", |name| name)));
}

fn status(subject: &Subject<'_>, looks: &mut Looks) {
    let bind = subject.plan.status.bind;
    looks.at("status", None, bind.ip().is_loopback(), || format!("it listens on {bind}"));
}

fn unasked(subject: &Subject<'_>, looks: &mut Looks) {
    looks.at("admin", None, subject.plan.admin.socket.is_some(), || "no `admin.socket`".to_owned());
}

fn exported(subject: &Subject<'_>, looks: &mut Looks) {
    let Some(export) = &subject.plan.tracing.export else { return };
    let here = export.collector.is_within_machine();
    looks.at("tracing.export", None, export.collector.tls || here, || format!("to {}", export.collector));
}

fn unaudited(subject: &Subject<'_>, looks: &mut Looks) {
    looks.at("store", None, subject.plan.identity.store.is_some(), || "no `store.path`".to_owned());
}

fn changeable(subject: &Subject<'_>, looks: &mut Looks) {
    unchanged(subject, looks, FileUse::Records);
}

fn governed(subject: &Subject<'_>, looks: &mut Looks) {
    unchanged(subject, looks, FileUse::Settings);
}

fn unchanged(subject: &Subject<'_>, looks: &mut Looks, kind: FileUse) {
    for file in subject.facts.files.iter().filter(|file| file.holds == kind) {
        let mode = file.mode & 0o777;
        looks.at(file.path.display().to_string(), None, mode & 0o022 == 0, || format!("its mode is {mode:o}"));
    }
}

fn unrecorded(subject: &Subject<'_>, looks: &mut Looks) {
    looks.at("security_log", None, subject.plan.security_log.is_some(), || "no `security_log`".to_owned());
}

fn untold(subject: &Subject<'_>, looks: &mut Looks) {
    looks.at("alerts", None, subject.plan.alerts.is_some(), || "no `alerts`".to_owned());
}

fn unwatched(subject: &Subject<'_>, looks: &mut Looks) {
    looks.at("anomalies", None, subject.plan.anomalies.is_some(), || "every detector is off".to_owned());
}

fn endless(subject: &Subject<'_>, looks: &mut Looks) {
    let plan = subject.plan;
    let security = plan.security_log.as_ref().map(|log| ("security_log", &log.sink, log.rotation));
    for (place, sink, rotation) in
        [Some(("access_log", &plan.access_log.sink, plan.access_log.rotation)), security].into_iter().flatten()
    {
        if let LogSink::File(path) = sink {
            looks.at(place, None, rotation.is_some(), || format!("{} without `rotate`", path.display()));
        }
    }
}
