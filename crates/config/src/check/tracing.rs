//! Tracing: settings that do nothing, header lines that cannot be sent, and secrets that others could read.

use super::Check;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Continues, File, Tracing, defaults};
use crate::plan::{Continue, ExportPlan, SAMPLE_ALL, TargetPlan, TracingPlan};
use crate::tree::At;
use portcullis_types::Secret;

/// LIMIT: header lines for the collector.
const MAX_HEADERS: usize = 16;
/// LIMIT: bytes of a service's name.
const MAX_SERVICE_NAME: usize = 128;

/// What the exporter writes itself.
const OURS: [&str; 6] = ["host", "content-type", "content-length", "transfer-encoding", "connection", "user-agent"];

impl Check<'_> {
    pub(super) fn tracing(&mut self, file: &File, root: &At<'_>) -> TracingPlan {
        let section = root.key("tracing");
        let Some(written) = &file.tracing else { return TracingPlan::default() };
        let continues = match written.continues {
            None | Some(Continues::Always) => Continue::Always,
            Some(Continues::Never) => Continue::Never,
        };
        let sample_millionths = written.sample.map_or(SAMPLE_ALL, |share| share.millionths);
        let Some(endpoint) = &written.endpoint else {
            self.without_endpoint(written, &section);
            return TracingPlan { continues, ..TracingPlan::default() };
        };
        let logs = written.logs.is_some_and(|flag| flag.0);
        if sample_millionths == 0 && !logs && continues == Continue::Never {
            let at = section.key("sample");
            let diagnostic = self
                .wrong(&at, "no-effect", "nothing is ever sent to `endpoint`")
                .help("raise `sample`, say `logs: true`, or remove `endpoint`");
            self.reject(&at, diagnostic);
        }
        let at = section.key("endpoint");
        let collector = TargetPlan { from: self.outside.get(&at.id()).cloned(), ..endpoint.0.clone() };
        let tls = self.collector_tls(written, &section, &collector);
        let queue = written.queue.unwrap_or(defaults::TRACING_QUEUE).0;
        let queue =
            self.within(&section.key("queue"), queue, (1, defaults::MAX_TRACING_QUEUE), |value| value.to_string());
        let export = ExportPlan {
            headers: self.collector_headers(written, &section, &collector),
            tls,
            service_name: self.service_name(written, &section),
            logs,
            queue: usize::try_from(queue).unwrap_or(usize::MAX),
            collector,
        };
        TracingPlan { continues, sample_millionths, export: Some(export) }
    }

    /// Everything but `continue` is about what is sent.
    fn without_endpoint(&mut self, written: &Tracing, section: &At<'_>) {
        if section.key("endpoint").is_tainted() {
            return;
        }
        let settings = [
            ("sample", written.sample.is_some()),
            ("logs", written.logs.is_some()),
            ("service_name", written.service_name.is_some()),
            ("headers", written.headers.is_some()),
            ("tls", written.tls.is_some()),
            ("queue", written.queue.is_some()),
        ];
        for (name, _) in settings.into_iter().filter(|(_, is_written)| *is_written) {
            let at = section.key(name);
            let message = format!("`{name}` has no effect, because nothing is sent without `endpoint`");
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                .help("add `endpoint: \"http://127.0.0.1:4318\"`, or remove it");
            self.reject(&at, diagnostic);
        }
    }

    fn collector_tls(
        &mut self,
        written: &Tracing,
        section: &At<'_>,
        collector: &TargetPlan,
    ) -> Option<crate::plan::UpstreamTlsPlan> {
        let at = section.key("tls");
        if !collector.tls {
            if written.tls.is_some() && !section.key("endpoint").is_tainted() {
                let message = "`tls` has no effect, because `endpoint` does not begin with `https://`";
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                    .help("write the endpoint as `https://…`, or remove `tls`");
                self.reject(&at, diagnostic);
            }
            return None;
        }
        Some(written.tls.as_ref().map(|tls| self.tls_towards(tls, &at)).unwrap_or_default())
    }

    fn collector_headers(
        &mut self,
        written: &Tracing,
        section: &At<'_>,
        collector: &TargetPlan,
    ) -> Vec<(String, Secret)> {
        let list = section.key("headers");
        let headers = written.headers.iter().flatten();
        if written.headers.as_ref().is_some_and(|headers| headers.len() > MAX_HEADERS) {
            let message = format!("more than {MAX_HEADERS} header lines");
            self.reject(&list, Diagnostic::new("too-large", list.name_span(), message));
        }
        let is_readable = !collector.tls && !collector.is_within_machine() && !section.key("endpoint").is_tainted();
        if is_readable && written.headers.as_ref().is_some_and(|headers| !headers.is_empty()) {
            let diagnostic = Diagnostic::new(
                "plaintext",
                list.name_span(),
                "`headers` would be sent over plain HTTP, where others can read them",
            )
            .also(section.key("endpoint").span(), "not encrypted")
            .help("write the endpoint as `https://…`");
            self.reject(&list, diagnostic);
        }
        let mut lines: Vec<(String, Secret)> = Vec::new();
        for (name, value) in headers.take(MAX_HEADERS) {
            let at = list.key(name);
            let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
            let lower = name.to_ascii_lowercase();
            let problem = if name.is_empty() || !name.bytes().all(is_token) {
                Some("is not the name of a header field")
            } else if OURS.contains(&lower.as_str()) {
                Some("is written by the gateway itself")
            } else if lines.iter().any(|(have, _)| *have == lower) {
                Some("stands twice")
            } else {
                None
            };
            if let Some(problem) = problem {
                let message = format!("{} {problem}", quote(name));
                self.reject(&at, Diagnostic::new("bad-header", at.name_span(), message).help("remove it or rename it"));
            }
            let is_value = value.0.bytes().all(|byte| matches!(byte, b' '..=b'~'));
            if !is_value {
                let message = format!("{} cannot be the value of a header field", self.shown(&at, &value.0));
                let diagnostic = self.wrong(&at, "bad-header", message).help("use visible ASCII characters and blanks");
                self.reject(&at, diagnostic);
            }
            lines.push((lower, Secret::new(value.0.clone())));
        }
        lines
    }

    fn service_name(&mut self, written: &Tracing, section: &At<'_>) -> String {
        let Some(name) = &written.service_name else { return defaults::SERVICE_NAME.to_owned() };
        if name.0.len() > MAX_SERVICE_NAME {
            let at = section.key("service_name");
            let diagnostic = self.wrong(&at, "too-large", format!("a name has at most {MAX_SERVICE_NAME} bytes"));
            self.reject(&at, diagnostic);
        }
        name.0.clone()
    }
}
