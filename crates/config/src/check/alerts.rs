//! Alerts: somebody has to hear them, a secret has to be one, and what cannot happen is not to be told.

use super::{Check, anomalies};
use crate::diagnostic::Diagnostic;
use crate::file::{Alerts, AnomalyMode, Email, File, Webhook, defaults};
use crate::plan::{AlertsPlan, AnomaliesPlan, ApiPlan, EmailPlan, ListenerPlan, MailCipher, TargetPlan, WebhookPlan};
use crate::scalar::Period;
use crate::tree::At;
use portcullis_types::Secret;

/// LIMIT: bytes that a secret has at least.
const LEAST_SECRET: usize = 24;
/// LIMIT: whom alerts are for.
const MAX_READERS: usize = 20;
/// LIMIT: bytes of a user and of a password: both in base64 fit a command (RFC 5321 section 4.5.3.1.4).
const MAX_USER: usize = 128;
const MAX_PASSWORD: usize = 200;

/// What there is that alerts could be about.
pub(super) struct Ground<'g> {
    pub(super) listeners: &'g [ListenerPlan],
    pub(super) apis: &'g [ApiPlan],
    pub(super) anomalies: Option<&'g AnomaliesPlan>,
}

impl Check<'_> {
    /// To be called once all that alerts are about has been read.
    pub(super) fn alerts(&mut self, file: &File, root: &At<'_>, ground: &Ground<'_>) -> Option<AlertsPlan> {
        let written = file.alerts.as_ref()?;
        let section = root.key("alerts");
        if written.webhook.is_none() && written.email.is_none() && written.file.is_none() {
            let diagnostic = Diagnostic::new("no-effect", section.name_span(), "nobody hears these alerts");
            let help = "add `webhook: { url: \"https://…\", secret: { env: ALERT_SECRET } }`, `email: { server, from, to }` or `file: alerts.log`";
            self.reject(&section, diagnostic.help(help));
        }
        self.alerts_of_nothing(written, &section, root, ground);
        let webhook = written.webhook.as_ref().map(|webhook| self.webhook(webhook, &section.key("webhook")));
        let email = written.email.as_ref().map(|email| self.email(email, &section.key("email")));
        let path = written.file.as_ref().map(|name| self.file_in_folder(&section.key("file"), name));
        let mut period = |key: &str, value: Option<Period>, default, range| {
            self.period(&section.key(key), value.unwrap_or(default), range)
        };
        let day = Period::seconds(24 * 60 * 60);
        let group = period("group", written.group, defaults::ALERT_GROUP, (Period::seconds(1), Period::seconds(600)));
        let again =
            period("again", written.again, defaults::ALERT_AGAIN, (Period::seconds(60), Period::seconds(7 * 86_400)));
        let range = (day, Period::seconds(365 * 86_400));
        let certificates = period("certificates", written.certificates, defaults::ALERT_CERTIFICATES, range);
        let show = |value: u64| value.to_string();
        let per_hour = written.per_hour.unwrap_or(defaults::ALERTS_PER_HOUR).0;
        let per_hour = self.within(&section.key("per_hour"), per_hour, (1, defaults::MAX_ALERTS_PER_HOUR), show);
        let masking = written.masking_failures.unwrap_or(defaults::ALERT_MASKING).0;
        let range = (1, defaults::MAX_ALERT_MASKING);
        let masking_failures = self.within(&section.key("masking_failures"), masking, range, show);
        let findings = written.findings.unwrap_or(AnomalyMode::Observe);
        Some(AlertsPlan {
            webhook,
            email,
            file: path,
            group,
            again,
            per_hour: usize::try_from(per_hour).unwrap_or(usize::MAX),
            certificates,
            masking_failures,
            findings: (findings != AnomalyMode::Off).then(|| anomalies::step(findings)),
        })
    }

    /// Settings about what there is not.
    fn alerts_of_nothing(&mut self, written: &Alerts, section: &At<'_>, root: &At<'_>, ground: &Ground<'_>) {
        let Ground { listeners, apis, anomalies } = ground;
        let mut routes = apis.iter().flat_map(|api| &api.versions).flat_map(|version| &version.routes);
        let masks = routes.any(|route| !route.shape.masks.is_empty()) || root.key("apis").is_tainted();
        let shows = listeners.iter().any(|listener| listener.tls.is_some()) || root.key("listeners").is_tainted();
        let looks = anomalies.is_some() || root.key("anomalies").is_tainted();
        for (name, is_written, is_there, why) in [
            ("certificates", written.certificates.is_some(), shows, "no listener shows a certificate"),
            ("masking_failures", written.masking_failures.is_some(), masks, "no answer is masked"),
            ("findings", written.findings.is_some(), looks, "nobody looks for what is unusual"),
        ] {
            if is_written && !is_there {
                let at = section.key(name);
                let message = format!("`{name}` has no effect, because {why}");
                self.reject(&at, Diagnostic::new("no-effect", at.name_span(), message).help("remove it"));
            }
        }
    }

    fn webhook(&mut self, written: &Webhook, section: &At<'_>) -> WebhookPlan {
        let (url, secret) = (section.key("url"), section.key("secret"));
        let tls = (written.tls.as_ref(), section.key("tls"));
        let at = self.endpoint(&written.url, (tls.0, &tls.1), written.networks.as_deref(), &url, "the webhook at");
        if written.tls.is_some() && !at.secure && !url.is_tainted() {
            let message = "`tls` has no effect, because `url` does not begin with `https://`";
            let diagnostic = Diagnostic::new("no-effect", tls.1.name_span(), message);
            self.reject(&tls.1, diagnostic.help("remove it"));
        }
        if written.secret.0.len() < LEAST_SECRET {
            let diagnostic = self.wrong(&secret, "weak-secret", "a secret this short can be guessed");
            self.reject(&secret, diagnostic.help(format!("use at least {LEAST_SECRET} random bytes")));
        }
        WebhookPlan { at, secret: Secret::new(written.secret.0.clone()) }
    }

    fn email(&mut self, written: &Email, section: &At<'_>) -> EmailPlan {
        let (at, tls_at) = (section.key("server"), section.key("tls"));
        let cipher = written.server.1;
        let server = TargetPlan { from: self.outside.get(&at.id()).cloned(), ..written.server.0.clone() };
        if cipher == MailCipher::None && !server.is_within_machine() {
            let message = "alerts would be sent in the clear, where others can read and change them";
            let diagnostic = self.wrong(&at, "plaintext", message);
            self.reject(&at, diagnostic.help("write `smtps://…`, or `smtp+starttls://…`"));
        }
        if cipher == MailCipher::None && written.tls.is_some() && !at.is_tainted() {
            let message = "`tls` has no effect, because `server` begins with `smtp://`";
            let diagnostic = Diagnostic::new("no-effect", tls_at.name_span(), message);
            self.reject(&tls_at, diagnostic.help("write `smtps://…`, or remove `tls`"));
        }
        let tls = written.tls.as_ref().map(|tls| self.tls_towards(tls, &tls_at)).unwrap_or_default();
        let to = self.readers(written, &section.key("to"));
        EmailPlan { server, cipher, tls, login: self.mail_login(written, section), from: written.from.0.clone(), to }
    }

    fn readers(&mut self, written: &Email, at: &At<'_>) -> Vec<String> {
        if written.to.is_empty() || written.to.len() > MAX_READERS {
            let diagnostic = Diagnostic::new("bad-list", at.name_span(), format!("`to` names 1 to {MAX_READERS}"));
            self.reject(at, diagnostic.help("write `to: [oncall@example.com]`"));
        }
        let mut to: Vec<String> = Vec::new();
        for (index, reader) in written.to.iter().enumerate() {
            if to.contains(&reader.0) {
                let item = at.index(index);
                let diagnostic = Diagnostic::new("duplicate", item.span(), "the same address stands twice");
                self.reject(&item, diagnostic.help("remove one of the two"));
            }
            to.push(reader.0.clone());
        }
        to
    }

    fn mail_login(&mut self, written: &Email, section: &At<'_>) -> Option<(String, Secret)> {
        for (name, other, is_alone, help) in [
            (
                "user",
                "password",
                written.password.is_none(),
                "add `password: { env: MAIL_PASSWORD }`, or remove `user`",
            ),
            ("password", "user", written.user.is_none(), "add `user`, or remove `password`"),
        ] {
            let at = section.key(name);
            if is_alone && (written.user.is_some() || written.password.is_some()) && !section.key(other).is_tainted() {
                let message = format!("`{name}` stands without a `{other}`");
                self.reject(&at, Diagnostic::new("contradiction", at.name_span(), message).help(help));
            }
        }
        for (name, value, most) in [("user", &written.user, MAX_USER), ("password", &written.password, MAX_PASSWORD)] {
            if value.as_ref().is_some_and(|value| value.0.len() > most) {
                let at = section.key(name);
                let diagnostic =
                    self.wrong(&at, "bad-value", format!("this `{name}` does not fit the command that says it"));
                self.reject(&at, diagnostic.help(format!("use one of at most {most} bytes")));
            }
        }
        let (user, password) = (written.user.as_ref()?, written.password.as_ref()?);
        Some((user.0.clone(), Secret::new(password.0.clone())))
    }
}
