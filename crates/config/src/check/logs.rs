//! Records: folders that are there, collectors that nobody overhears, and no setting without effect.

use std::path::{Path, PathBuf};

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{AccessFormat, Buffer, Facility, File, LogTo, Rotate, SecurityFormat, SecurityLog, Syslog, defaults};
use crate::plan::{
    AccessLogPlan, BufferPlan, LogFormat, LogSink, RotationPlan, SecurityLogPlan, SyslogPlan, TargetPlan,
};
use crate::scalar::{Count, FileName, Size};
use crate::tree::At;

/// LIMIT: the least that a file or a buffer may hold.
const LEAST_SIZE: Size = Size::mib(1);
/// LIMIT: the most that a file may hold before it is put aside.
const MOST_SIZE: Size = Size::mib(1 << 20);
/// LIMIT: what may wait on disk.
const MOST_BUFFER: Size = Size::mib(64 * 1024);

impl Check<'_> {
    pub(super) fn access_log(&mut self, file: &File, root: &At<'_>) -> AccessLogPlan {
        let section = root.key("access_log");
        let log = file.access_log.as_ref();
        let sink = match log.and_then(|log| log.to.as_ref()) {
            None => LogSink::Stdout,
            Some(to) => self.log_sink(to, &section.key("to")),
        };
        let format = match log.and_then(|log| log.format) {
            None | Some(AccessFormat::Json) => LogFormat::Json,
            Some(AccessFormat::Ecs) => LogFormat::Ecs,
            Some(AccessFormat::Ocsf) => LogFormat::Ocsf,
            Some(AccessFormat::Common) => LogFormat::Common,
        };
        let rotation = self.rotation(log.and_then(|log| log.rotate.as_ref()), &sink, &section);
        let queue = self.log_queue(log.and_then(|log| log.queue), &section);
        let mut show_query: Vec<String> = Vec::new();
        for (index, name) in log.and_then(|log| log.show_query.as_ref()).into_iter().flatten().enumerate() {
            let list = section.key("show_query");
            let at = list.index(index);
            if show_query.contains(&name.0) {
                let message = format!("{} stands twice", self.shown(&at, &name.0));
                self.reject(&at, Diagnostic::new("duplicate", at.span(), message).help("remove one of the two"));
            }
            show_query.push(name.0.clone());
        }
        AccessLogPlan { sink, format, rotation, queue, show_query }
    }

    /// `None` where there is no security record.
    pub(super) fn security_log(
        &mut self,
        file: &File,
        root: &At<'_>,
        access: &AccessLogPlan,
    ) -> Option<SecurityLogPlan> {
        let log = file.security_log.as_ref()?;
        let section = root.key("security_log");
        let sink = self.log_sink(&log.to, &section.key("to"));
        if sink == LogSink::Off {
            self.security_for_nothing(log, &section);
            return None;
        }
        if matches!(sink, LogSink::File(_)) && sink == access.sink {
            let at = section.key("to");
            let diagnostic = Diagnostic::new("contradiction", at.span(), "access records go to the same file");
            self.reject(&at, diagnostic.help("write another file: each of the two puts its own aside"));
        }
        let format = match log.format {
            None | Some(SecurityFormat::Json) => LogFormat::Json,
            Some(SecurityFormat::Ecs) => LogFormat::Ecs,
            Some(SecurityFormat::Ocsf) => LogFormat::Ocsf,
        };
        let rotation = self.rotation(log.rotate.as_ref(), &sink, &section);
        let queue = self.log_queue(log.queue, &section);
        let buffer = self.log_buffer(log.buffer.as_ref(), &sink, &section);
        Some(SecurityLogPlan { sink, format, rotation, queue, buffer })
    }

    /// Settings of records that nobody writes.
    fn security_for_nothing(&mut self, log: &SecurityLog, section: &At<'_>) {
        let settings = [
            ("format", log.format.is_some()),
            ("rotate", log.rotate.is_some()),
            ("queue", log.queue.is_some()),
            ("buffer", log.buffer.is_some()),
        ];
        for (name, _) in settings.into_iter().filter(|(_, is_written)| *is_written) {
            let at = section.key(name);
            let message = format!("`{name}` has no effect, because no security record is kept");
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("remove it, or write `to: { file: security.log }`"));
        }
    }

    fn log_sink(&mut self, to: &LogTo, at: &At<'_>) -> LogSink {
        match to {
            LogTo::Stdout => LogSink::Stdout,
            LogTo::Off => LogSink::Off,
            LogTo::File(name) => LogSink::File(self.file_in_folder(&at.key("file"), name)),
            LogTo::Syslog(syslog) => LogSink::Syslog(self.syslog(syslog, &at.key("syslog"))),
        }
    }

    /// A file that is made if it is not there, in a folder that is.
    pub(super) fn file_in_folder(&mut self, at: &At<'_>, name: &FileName) -> PathBuf {
        let path = self.locate(at, name);
        self.folder_of(at, name, &path);
        path
    }

    fn folder_of(&mut self, at: &At<'_>, name: &FileName, path: &Path) {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !self.environment.is_folder(folder)) {
            let message = format!("the folder of {} does not exist", self.shown(at, &name.0));
            let diagnostic = self.wrong(at, "missing-folder", message).help("create it, or choose another");
            self.reject(at, diagnostic);
        }
    }

    fn log_queue(&mut self, written: Option<Count>, section: &At<'_>) -> usize {
        let queue = written.unwrap_or(defaults::LOG_QUEUE);
        let queue = self.within(&section.key("queue"), queue.0, (1, defaults::MAX_QUEUE), |value| value.to_string());
        usize::try_from(queue).unwrap_or(usize::MAX)
    }

    fn rotation(&mut self, written: Option<&Rotate>, sink: &LogSink, section: &At<'_>) -> Option<RotationPlan> {
        let (written, at) = (written?, section.key("rotate"));
        if !matches!(sink, LogSink::File(_)) && !section.key("to").is_tainted() {
            let message = "`rotate` has no effect, because records do not go to a file";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(&at, diagnostic.help("remove it, or write `to: { file: NAME }`"));
        }
        let size = written.size.unwrap_or(defaults::ROTATE_SIZE);
        let bytes = self.log_size(&at.key("size"), size, MOST_SIZE);
        let keep = written.keep.unwrap_or(defaults::ROTATE_KEEP).0;
        let keep = self.within(&at.key("keep"), keep, (1, defaults::MAX_ROTATE_KEEP), |value| value.to_string());
        Some(RotationPlan { bytes, keep: u32::try_from(keep).unwrap_or(u32::MAX) })
    }

    fn log_buffer(&mut self, written: Option<&Buffer>, sink: &LogSink, section: &At<'_>) -> Option<BufferPlan> {
        let (at, to) = (section.key("buffer"), section.key("to"));
        match (written, sink) {
            (Some(written), LogSink::Syslog(_)) => {
                let folder_at = at.key("folder");
                let folder = self.file_in_folder(&folder_at, &written.folder);
                let size = written.size.unwrap_or(defaults::BUFFER_SIZE);
                Some(BufferPlan { folder, bytes: self.log_size(&at.key("size"), size, MOST_BUFFER) })
            }
            (Some(_), LogSink::Off | LogSink::Stdout | LogSink::File(_)) => {
                let message = "`buffer` has no effect, because records wait for nobody";
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                self.reject(&at, diagnostic.help("remove it; it is for `to: { syslog: … }`"));
                None
            }
            (None, LogSink::Syslog(_)) => {
                let message = "what the collector does not take would be lost";
                let diagnostic = Diagnostic::new("missing", to.span(), message);
                self.reject(&to, diagnostic.help("add `buffer: { folder: security-buffer }` beside it"));
                None
            }
            (None, LogSink::Off | LogSink::Stdout | LogSink::File(_)) => None,
        }
    }

    fn log_size(&mut self, at: &At<'_>, size: Size, most: Size) -> u64 {
        let show = |bytes: u64| Size { bytes }.to_string();
        self.within(at, size.bytes, (LEAST_SIZE.bytes, most.bytes), show)
    }

    fn syslog(&mut self, written: &Syslog, section: &At<'_>) -> SyslogPlan {
        let at = section.key("server");
        let server = TargetPlan { from: self.outside.get(&at.id()).cloned(), ..written.server.0.clone() };
        let tls_at = section.key("tls");
        if !server.tls && written.tls.is_some() && !at.is_tainted() {
            let message = "`tls` has no effect, because `server` does not begin with `tls://`";
            let diagnostic = Diagnostic::new("no-effect", tls_at.name_span(), message);
            self.reject(&tls_at, diagnostic.help("write the server as `tls://…`, or remove `tls`"));
        }
        let tls = written.tls.as_ref().map(|tls| self.tls_towards(tls, &tls_at));
        self.syslog_in_the_clear(written, &server, section);
        let facility = written.facility.map_or(Facility::Local0.number(), Facility::number);
        SyslogPlan { tls: server.tls.then(|| tls.unwrap_or_default()), facility, server }
    }

    fn syslog_in_the_clear(&mut self, written: &Syslog, server: &TargetPlan, section: &At<'_>) {
        let (at, danger) = (section.key("server"), section.key("danger_plaintext"));
        let allowed = written.danger_plaintext.is_some_and(|flag| flag.0);
        match (server.is_within_machine() || server.tls, allowed) {
            (false, false) => {
                let message = "records would be sent in the clear, where others can read and change them";
                let diagnostic = self.wrong(&at, "plaintext", message);
                self.reject(&at, diagnostic.help("write `tls://…`, or `danger_plaintext: true`"));
            }
            (false, true) => self.danger(&danger, "records cross the network in the clear"),
            (true, true) if !at.is_tainted() => {
                let message = "`danger_plaintext` has no effect: nothing leaves this machine in the clear";
                let diagnostic = Diagnostic::new("no-effect", danger.name_span(), message);
                self.reject(&danger, diagnostic.help("remove it"));
            }
            (true, _) => {}
        }
    }
}

impl Facility {
    /// The number that RFC 5424 section 6.2.1 gives it.
    const fn number(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Auth => 4,
            Self::Authpriv => 10,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}
