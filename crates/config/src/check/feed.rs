//! The feed: keys that can sign, as many as have to, one place where bundles come from, and somewhere to remember them.

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Feed, FeedStage, File, defaults};
use crate::plan::{FeedPlan, FeedSource};
use crate::scalar::{Period, Size};
use crate::tree::At;
use portcullis_patch::{BUNDLE_BYTES_CAP, Stage};

const LEAST_BYTES: Size = Size::kib(1);

impl Check<'_> {
    /// To be called once it is known whether there is a store.
    pub(super) fn feed(&mut self, file: &File, root: &At<'_>) -> Option<FeedPlan> {
        let written = file.feed.as_ref()?;
        let section = root.key("feed");
        if !self.named.store {
            let message = "there is no store that could remember which bundle is in force";
            let diagnostic = Diagnostic::new("no-store", section.name_span(), message);
            self.reject(&section, diagnostic.help("add `store: { path: ./portcullis-data }`"));
        }
        let keys = self.feed_keys(written, &section);
        let count = u64::try_from(keys.len()).unwrap_or(u64::MAX).max(1);
        let at = section.key("threshold");
        let threshold = written.threshold.map_or(count, |threshold| threshold.0);
        let threshold = self.within(&at, threshold, (1, count), |value| value.to_string());
        let size = written.bytes.unwrap_or(defaults::FEED_BYTES);
        let show = |bytes: u64| Size { bytes }.to_string();
        let bytes_max = self.within(&section.key("bytes"), size.bytes, (LEAST_BYTES.bytes, BUNDLE_BYTES_CAP), show);
        let source = self.feed_source(written, &section);
        let at = section.key("stage");
        if written.stage.is_some() && source.is_none() && !section.is_tainted() {
            let message = "`stage` has no effect, because no bundle comes by itself";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(
                &at,
                diagnostic.help("add `file` or `url`, or remove it; `portcullis feed take` has `--observe`"),
            );
        }
        let stage = match written.stage {
            Some(FeedStage::Observe) => Stage::Observe,
            Some(FeedStage::Enforce) | None => Stage::Enforce,
        };
        Some(FeedPlan { keys, threshold: usize::try_from(threshold).unwrap_or(usize::MAX), source, stage, bytes_max })
    }

    fn feed_keys(&mut self, written: &Feed, section: &At<'_>) -> Vec<[u8; 32]> {
        let at = section.key("keys");
        if written.keys.is_empty() || written.keys.len() as u64 > defaults::MAX_FEED_KEYS {
            let message = format!("`keys` names 1 to {}", defaults::MAX_FEED_KEYS);
            let diagnostic = Diagnostic::new("bad-list", at.name_span(), message);
            self.reject(&at, diagnostic.help("write the public keys that `portcullis feed key` prints"));
        }
        let mut keys: Vec<[u8; 32]> = Vec::new();
        for (index, text) in written.keys.iter().enumerate() {
            let item = at.index(index);
            match key(&text.0) {
                None => {
                    let message = format!("{} is no public key", self.shown(&item, &text.0));
                    let diagnostic = self.wrong(&item, "bad-key", message);
                    self.reject(&item, diagnostic.help("a public key is 64 hexadecimal digits in small letters"));
                }
                // One who signs twice would count twice.
                Some(key) if keys.contains(&key) => {
                    let diagnostic = self.wrong(&item, "duplicate", "the same key stands twice");
                    self.reject(&item, diagnostic.help("remove one of the two"));
                }
                Some(key) => keys.push(key),
            }
        }
        keys
    }

    fn feed_source(&mut self, written: &Feed, section: &At<'_>) -> Option<FeedSource> {
        let (file, url) = (section.key("file"), section.key("url"));
        if written.file.is_some() && written.url.is_some() {
            let diagnostic = Diagnostic::new("contradiction", url.name_span(), "bundles come from one place")
                .also(file.name_span(), "another one is named here")
                .help("remove one of the two");
            self.reject(&url, diagnostic);
        }
        for (name, is_written) in [
            ("interval", written.interval.is_some()),
            ("tls", written.tls.is_some()),
            ("networks", written.networks.is_some()),
        ] {
            if is_written && written.url.is_none() && !url.is_tainted() {
                let at = section.key(name);
                let message = format!("`{name}` has no effect, because there is no `url` to be asked");
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                self.reject(&at, diagnostic.help("add `url: \"https://…\"`, or remove it"));
            }
        }
        if let Some(name) = &written.file {
            return Some(FeedSource::File(self.file_in_folder(&file, name)));
        }
        let address = written.url.as_ref()?;
        let tls = section.key("tls");
        let networks = written.networks.as_deref();
        let at = self.endpoint(address, (written.tls.as_ref(), &tls), networks, &url, "the feed at");
        if written.tls.is_some() && !at.secure && !url.is_tainted() {
            let message = "`tls` has no effect, because `url` does not begin with `https://`";
            let diagnostic = Diagnostic::new("no-effect", tls.name_span(), message);
            self.reject(&tls, diagnostic.help("remove it"));
        }
        let interval = written.interval.unwrap_or(defaults::FEED_INTERVAL);
        let range = (Period::millis(100), Period::seconds(24 * 60 * 60));
        let interval = self.period(&section.key("interval"), interval, range);
        Some(FeedSource::Address(Box::new(at), interval))
    }
}

fn key(text: &str) -> Option<[u8; 32]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let pair = |pair: &[u8]| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?);
    text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>()?.try_into().ok()
}
