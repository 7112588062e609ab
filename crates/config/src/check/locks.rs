//! Locked settings: what `defaults` has locked, nothing below may change.

use super::Check;
use super::layers::{Level, LevelKind};
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Defaults, Lockable};
use crate::plan::Authn;
use crate::sources::Span;

/// A setting that is locked, and what it is locked to.
pub(super) struct Lock {
    setting: Lockable,
    value: String,
    /// The value in a message.
    shown: String,
    span: Span,
}

impl Check<'_> {
    /// The locks of a configuration; a lock on nothing is a mistake.
    pub(super) fn locks(&mut self, written: Option<&Defaults>, level: &Level<'_>) -> Vec<Lock> {
        let mut locks: Vec<Lock> = Vec::new();
        let list = level.at.key("locked");
        let names = written.and_then(|defaults| defaults.locked.as_deref()).unwrap_or_default();
        for (index, setting) in names.iter().enumerate() {
            let at = list.index(index);
            if at.is_tainted() {
                continue;
            }
            if let Some(first) = locks.iter().find(|lock| lock.setting == *setting) {
                let message = format!("`{}` is locked twice", setting.name());
                let diagnostic = Diagnostic::new("duplicate", at.span(), message).also(first.span, "first here");
                self.reject(&at, diagnostic.help("remove one of the two"));
                continue;
            }
            if level.with(*setting, |at| at.is_tainted()) {
                continue;
            }
            match level.text(*setting).or_else(|| setting.built_in()) {
                Some(value) => {
                    let shown =
                        level.with(*setting, |at| if at.is_missing() { quote(&value) } else { self.shown(at, &value) });
                    locks.push(Lock { setting: *setting, value, shown, span: at.span() });
                }
                None => {
                    let message = format!("`{}` is locked, but `defaults` does not set it", setting.name());
                    let diagnostic = self.wrong(&at, "empty-lock", message);
                    let help = format!("add `{}` to `defaults`", setting.name());
                    self.reject(&at, diagnostic.help(help));
                }
            }
        }
        locks
    }

    /// Where `defaults` locks its limits.
    pub(super) fn lock_of_limits(locks: &[Lock]) -> Option<Span> {
        locks.iter().find(|lock| lock.setting == Lockable::Limits).map(|lock| lock.span)
    }

    /// Reports a route that anybody may call although rules that are locked would decide: `public` asks none of them.
    pub(super) fn open(&mut self, locks: &[Lock], authn: &Authn, deciding: Option<&Level<'_>>) {
        let lock = locks.iter().find(|lock| lock.setting == Lockable::Authz);
        let below = deciding.filter(|level| level.kind != LevelKind::Defaults && *authn == Authn::Public);
        let (Some(lock), Some(level)) = (lock, below) else { return };
        level.with(Lockable::Authn, |at| {
            let diagnostic = self
                .wrong(at, "locked-setting", "`authz` is locked, and `public` would go past its rules")
                .also(lock.span, "locked here")
                .help("let the route ask who calls, or remove the lock");
            self.reject(at, diagnostic);
        });
    }

    /// Reports what a level changes although it is locked.
    pub(super) fn locked(&mut self, locks: &[Lock], level: &Level<'_>) {
        for lock in locks {
            let Some(value) = level.text(lock.setting) else { continue };
            if value == lock.value {
                continue;
            }
            let setting = lock.setting;
            level.with(setting, |at| {
                let message = format!("`{}` is locked and cannot be changed here", setting.name());
                let diagnostic = self
                    .wrong(at, "locked-setting", message)
                    .also(lock.span, format!("locked to {} here", lock.shown))
                    .help(match setting {
                        Lockable::Authz => "below a lock stand only rules with `effect: refuse` or `effect: require`",
                        Lockable::Authn
                        | Lockable::BodyBytes
                        | Lockable::AllowPathParameters
                        | Lockable::Limits
                        | Lockable::Waf
                        | Lockable::Bodies
                        | Lockable::Validation
                        | Lockable::Timeout
                        | Lockable::ConnectTimeout
                        | Lockable::FirstByteTimeout
                        | Lockable::IdleTimeout
                        | Lockable::IdleConnections => "remove the setting, or the lock if this API is meant to differ",
                    });
                self.reject(at, diagnostic);
            });
        }
    }
}
