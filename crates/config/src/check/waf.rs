//! Rules about attacks: which a level means, whether they can be loaded, and exceptions that except nothing.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use portcullis_waf::{Disk, Part, RuleSet, Source};

use super::Check;
use super::layers::{Chain, Level, LevelKind};
use crate::diagnostic::Diagnostic;
use crate::file::{Waf, WafMode, WafRules, defaults};
use crate::plan::{WafPlan, WafRulesPlan};
use crate::scalar::{Count, FileName};
use crate::sources::Span;
use crate::tree::At;
use crate::values::Environment;

/// LIMIT: the size of one file of rules or of their data.
const MAX_RULE_FILE_BYTES: u64 = 16 * 1024 * 1024;
/// LIMIT: mistakes in the rules of one set that are reported.
const MAX_MISTAKES: usize = 20;

/// What `waf` comes to on a route.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) mode: Option<(WafMode, Span)>,
    pub(crate) paranoia: Option<(Count, Span)>,
    pub(crate) threshold: Option<(Count, Span)>,
    pub(crate) rules: Option<(Vec<WafRules>, Span)>,
    pub(crate) exclusions: Option<(FileName, Span)>,
}

/// The sets that were loaded so far, by what they were made from; nothing for those that cannot be.
pub(crate) type Sets = Vec<(Named, Option<Arc<WafRulesPlan>>)>;

/// What a set is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Named {
    builtin: bool,
    folders: Vec<PathBuf>,
    paranoia: Option<u64>,
    threshold: Option<u64>,
    exclusions: Option<PathBuf>,
}

/// Files of rules, which are noted as they are read.
struct RuleFiles<'e> {
    environment: &'e Environment,
    seen: RefCell<(Vec<PathBuf>, blake3::Hasher)>,
}

impl Settings {
    pub(crate) fn of(chain: &Chain<'_, '_>) -> Self {
        let span = |level: &Level<'_>, key| level.at.key("waf").key(key).span();
        Self {
            mode: chain.of_waf(|waf| waf.mode).map(|(value, level)| (value, span(level, "mode"))),
            paranoia: chain.of_waf(|waf| waf.paranoia).map(|(value, level)| (value, span(level, "paranoia"))),
            threshold: chain.of_waf(|waf| waf.threshold).map(|(value, level)| (value, span(level, "threshold"))),
            rules: chain.of_waf(|waf| waf.rules.clone()).map(|(value, level)| (value, span(level, "rules"))),
            exclusions: chain
                .of_waf(|waf| waf.exclusions.clone())
                .map(|(value, level)| (value, span(level, "exclusions"))),
        }
    }

    pub(crate) fn mode(&self) -> WafMode {
        self.mode.map_or(WafMode::Enforce, |(mode, _)| mode)
    }
}

impl Check<'_> {
    /// Ranges and contradictions of what one level says.
    pub(super) fn waf_level(&mut self, level: &Level<'_>) {
        let Some(written) = level.waf() else { return };
        let at = level.at.key("waf");
        if let Some(paranoia) = written.paranoia {
            self.within(&at.key("paranoia"), paranoia.0, (1, defaults::MAX_PARANOIA), |value| value.to_string());
        }
        if let Some(threshold) = written.threshold {
            self.within(&at.key("threshold"), threshold.0, (1, defaults::MAX_THRESHOLD), |value| value.to_string());
        }
        if level.kind == LevelKind::Route && written.mode == Some(WafMode::Off) {
            self.waf_for_nothing(written, &at);
        }
        let list = at.key("rules");
        let rules = written.rules.as_deref();
        if rules.is_some_and(<[_]>::is_empty) {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "there are no rules")
                .help("write `rules: [builtin]`, leave `rules` out, or write `mode: off`");
            self.reject(&list, diagnostic);
        }
        for (index, one) in rules.unwrap_or_default().iter().enumerate() {
            if let Some(first) = rules.unwrap_or_default().iter().take(index).position(|other| other == one) {
                let item = list.index(index);
                let diagnostic = Diagnostic::new("duplicate", item.span(), "the same rules are named twice")
                    .also(list.index(first).span(), "first here")
                    .help("remove one of the two");
                self.reject(&item, diagnostic);
            }
        }
    }

    /// What stands beside `mode: off` of a route, below which there is nothing.
    fn waf_for_nothing(&mut self, written: &Waf, at: &At<'_>) {
        for (key, is_written) in [
            ("paranoia", written.paranoia.is_some()),
            ("threshold", written.threshold.is_some()),
            ("rules", written.rules.is_some()),
            ("exclusions", written.exclusions.is_some()),
        ] {
            if is_written {
                let place = at.key(key);
                let message = format!("`{key}` has no effect, because the route's requests are not looked at");
                let diagnostic = Diagnostic::new("no-effect", place.name_span(), message)
                    .also(at.key("mode").span(), "switched off here")
                    .help("remove it, or choose another `mode`");
                self.reject(&place, diagnostic);
            }
        }
    }

    /// What holds where these levels do.
    pub(super) fn waf(&mut self, chain: &Chain<'_, '_>) -> Option<WafPlan> {
        if chain.levels.iter().any(|level| level.at.key("waf").is_tainted()) {
            return None;
        }
        let settings = Settings::of(chain);
        let enforces = match settings.mode() {
            WafMode::Off => return None,
            WafMode::Observe => false,
            WafMode::Enforce => true,
        };
        let named = self.waf_named(&settings);
        let known = self.waf_sets.iter().find(|(have, _)| *have == named).map(|(_, set)| set.clone());
        let rules = match known {
            Some(known) => known,
            None => {
                let loaded = self.waf_set(&named, chain);
                self.waf_sets.push((named, loaded.clone()));
                loaded
            }
        };
        Some(WafPlan { enforces, rules: rules? })
    }

    fn waf_named(&self, settings: &Settings) -> Named {
        let locate = |name: &FileName, span: Span| crate::values::resolve(self.sources.folder(span.file), &name.0);
        let rules = settings.rules.as_ref();
        let (rules, span) = rules.map_or((&[WafRules::Builtin][..], Span::nowhere()), |(list, span)| (list, *span));
        let folders = rules.iter().filter_map(|one| match one {
            WafRules::Crs(name) => Some(locate(name, span)),
            WafRules::Builtin => None,
        });
        Named {
            builtin: rules.contains(&WafRules::Builtin),
            folders: folders.collect(),
            paranoia: settings.paranoia.map(|(value, _)| value.0),
            threshold: settings.threshold.map(|(value, _)| value.0),
            exclusions: settings.exclusions.as_ref().map(|(name, span)| locate(name, *span)),
        }
    }

    /// Loads rules, or says what is wrong with them: file and line of theirs, at the place that names them.
    fn waf_set(&mut self, named: &Named, chain: &Chain<'_, '_>) -> Option<Arc<WafRulesPlan>> {
        if named.is_plain() {
            return WafRulesPlan::builtin();
        }
        let hasher = blake3::Hasher::new();
        let files = RuleFiles { environment: self.environment, seen: RefCell::new((Vec::new(), hasher)) };
        let loaded = RuleSet::load(&named.parts(self.environment), &files);
        let (seen, hasher) = files.seen.into_inner();
        for path in &seen {
            self.watch(path);
        }
        let exceptions = named.exclusions.as_deref().map(|path| path.display().to_string());
        let of_exceptions = |mistake: &portcullis_waf::Diagnostic| exceptions.as_deref() == Some(mistake.file.as_str());
        let (set, mistakes, code) = match loaded {
            Ok(set) => {
                // What a stock file of rules says in vain is no mistake of the operator; his own file is.
                let vain: Vec<_> = set.notes().iter().filter(|note| of_exceptions(note)).cloned().collect();
                (Some(set), vain, "no-effect")
            }
            Err(mistakes) => (None, mistakes, "bad-rules"),
        };
        for mistake in mistakes.iter().take(MAX_MISTAKES) {
            let key = if of_exceptions(mistake) || (named.folders.is_empty()) { "exclusions" } else { "rules" };
            self.waf_mistake(chain, key, code, mistake);
        }
        let text = named.text();
        mistakes.is_empty().then_some(set)?.map(|set| Arc::new(WafRulesPlan { set, text, digest: hasher.finalize() }))
    }

    fn waf_mistake(
        &mut self,
        chain: &Chain<'_, '_>,
        key: &'static str,
        code: &'static str,
        mistake: &portcullis_waf::Diagnostic,
    ) {
        let level = match key {
            "rules" => chain.of_waf(|waf| waf.rules.as_ref().map(|_| ())),
            _ => chain.of_waf(|waf| waf.exclusions.as_ref().map(|_| ())),
        };
        let level = level.map(|(_, level)| level).or(chain.levels.last().copied());
        let Some(level) = level else { return };
        let section = level.at.key("waf");
        let at = section.key(key);
        let place = match mistake.line {
            0 => mistake.file.clone(),
            line => format!("{}:{line}", mistake.file),
        };
        let diagnostic = Diagnostic::new(code, at.span(), format!("{place}: {}", mistake.message));
        let help = match code {
            "no-effect" => "remove the line, or correct it; what it was meant for is not excepted",
            _ => "correct the rules; none of them is left out",
        };
        self.reject(&at, diagnostic.help(help));
    }
}

impl Named {
    /// Whether it is what the gateway brings along, unchanged.
    fn is_plain(&self) -> bool {
        self.builtin
            && self.folders.is_empty()
            && self.paranoia.is_none()
            && self.threshold.is_none()
            && self.exclusions.is_none()
    }

    /// Exceptions first, since their rules switch off what comes after them; then what the sets are told; then the sets, the
    /// built-in one last, because it sums up.
    fn parts(&self, environment: &Environment) -> Vec<Part> {
        let mut parts: Vec<Part> =
            self.exclusions.iter().map(|path| Part::Exclusions(path.display().to_string())).collect();
        for folder in &self.folders {
            let setup = ["crs-setup.conf", "crs-setup.conf.example"]
                .map(|name| folder.join(name))
                .into_iter()
                .find(|path| environment.is_file(path));
            parts.push(match setup {
                Some(path) => Part::File(path.display().to_string()),
                // Debian keeps its settings elsewhere; the set has defaults for all of them but this one.
                None => settings("setup", 199_001, "crs_setup_version=1"),
            });
        }
        parts.extend(
            self.paranoia.map(|level| settings("paranoia", 199_002, &format!("blocking_paranoia_level={level}"))),
        );
        parts.extend(
            self.threshold
                .map(|score| settings("threshold", 199_003, &format!("inbound_anomaly_score_threshold={score}"))),
        );
        parts.extend(self.folders.iter().map(|folder| Part::File(folder.join("rules/*.conf").display().to_string())));
        if self.builtin {
            parts.push(portcullis_waf::builtin());
        }
        parts
    }

    fn text(&self) -> String {
        let folders = self.folders.iter().map(|folder| format!("crs {}", folder.display()));
        let mut words: Vec<String> = folders.chain(self.builtin.then(|| "builtin".to_owned())).collect();
        words.extend(self.paranoia.map(|level| format!("paranoia {level}")));
        words.extend(self.threshold.map(|score| format!("threshold {score}")));
        words.extend(self.exclusions.as_ref().map(|path| format!("exclusions {}", path.display())));
        words.join("; ")
    }
}

/// A setting of the rule sets, said in their language.
fn settings(name: &str, id: u32, change: &str) -> Part {
    let text = format!("SecAction \"id:{id},phase:1,nolog,pass,setvar:'tx.{change}'\"\n");
    Part::Text { name: format!("waf.{name}"), text }
}

impl Source for RuleFiles<'_> {
    fn read(&self, path: &str) -> Result<String, String> {
        let bytes = self
            .environment
            .read(Path::new(path), MAX_RULE_FILE_BYTES)
            .map_err(|why| format!("`{path}` cannot be read: {why}"))?;
        let mut seen = self.seen.borrow_mut();
        seen.0.push(PathBuf::from(path));
        seen.1.update(path.as_bytes()).update(&bytes.len().to_le_bytes()).update(&bytes);
        String::from_utf8(bytes).map_err(|_| format!("`{path}` is not UTF-8"))
    }

    fn expand(&self, pattern: &str) -> Result<Vec<String>, String> {
        let folder = Path::new(pattern).parent().unwrap_or(Path::new(""));
        if !self.environment.is_folder(folder) {
            return Err(format!("the folder `{}` cannot be read", folder.display()));
        }
        Disk.expand(pattern)
    }
}
