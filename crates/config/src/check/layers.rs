//! Settings that stand on several levels: the nearest counts, from route over version and API to `defaults`. The one
//! place that knows that order, for the plan as for `effective-policy`.

use crate::file::{Api, Authn, Defaults, Lockable, Route, Version, Waf, defaults};
use crate::scalar::{Count, Flag, Period, Size};
use crate::sources::Span;
use crate::tree::At;

/// What one level says. Places that a level doesn't have are simply empty.
pub(crate) struct Level<'a> {
    pub(crate) at: At<'a>,
    pub(crate) kind: LevelKind,
    authn: Option<Authn>,
    /// What it could open, in a few words.
    authz: Option<String>,
    body_bytes: Option<Size>,
    allow_path_parameters: Option<Flag>,
    timeout: Option<Period>,
    connect_timeout: Option<Period>,
    first_byte_timeout: Option<Period>,
    idle_timeout: Option<Period>,
    idle_connections: Option<Count>,
    waf: Option<Waf>,
    /// Whether these sections stand there.
    bodies: bool,
    validation: bool,
}

/// Which level it is; a route's own timeout stands beside its path, all others under `upstream`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LevelKind {
    Defaults,
    Api,
    Version,
    Route,
}

/// A setting that counts, and where it is written; `None` is what is built in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Found<T> {
    pub(crate) value: T,
    pub(crate) span: Option<Span>,
}

/// Levels, nearest first.
pub(crate) struct Chain<'c, 'a> {
    pub(crate) levels: &'c [&'c Level<'a>],
}

/// All settings that inherit, in the order in which they are shown.
pub(crate) const INHERITED: [Lockable; 8] = [
    Lockable::Authn,
    Lockable::BodyBytes,
    Lockable::AllowPathParameters,
    Lockable::Timeout,
    Lockable::ConnectTimeout,
    Lockable::FirstByteTimeout,
    Lockable::IdleTimeout,
    Lockable::IdleConnections,
];

/// What a level below `defaults` that allows something has in place of its rules, for locks.
const OWN_RULES: &str = "rules of its own";
/// The same of sections of which nothing may be said below a lock.
const OWN_SETTINGS: &str = "settings of its own";
/// What such a section of `defaults` is locked to.
const THESE_SETTINGS: &str = "these settings";

impl Lockable {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Authn => "authn",
            Self::Authz => "authz",
            Self::BodyBytes => "body_bytes",
            Self::AllowPathParameters => "allow_path_parameters",
            Self::Limits => "limits",
            Self::Waf => "waf",
            Self::Bodies => "bodies",
            Self::Validation => "validation",
            Self::Timeout => "timeout",
            Self::ConnectTimeout => "connect_timeout",
            Self::FirstByteTimeout => "first_byte_timeout",
            Self::IdleTimeout => "idle_timeout",
            Self::IdleConnections => "idle_connections",
        }
    }

    fn is_of_upstream(self) -> bool {
        match self {
            Self::Authn
            | Self::Authz
            | Self::BodyBytes
            | Self::AllowPathParameters
            | Self::Limits
            | Self::Waf
            | Self::Bodies
            | Self::Validation => false,
            Self::Timeout
            | Self::ConnectTimeout
            | Self::FirstByteTimeout
            | Self::IdleTimeout
            | Self::IdleConnections => true,
        }
    }

    /// What is built in. There is no built-in answer to who may call.
    pub(crate) fn built_in(self) -> Option<String> {
        match self {
            Self::Authn | Self::Authz => None,
            Self::BodyBytes => Some(defaults::BODY_BYTES.to_string()),
            Self::AllowPathParameters => Some(false.to_string()),
            Self::Limits | Self::Waf | Self::Bodies | Self::Validation => Some("built in".to_owned()),
            Self::Timeout => Some(defaults::TIMEOUT.to_string()),
            Self::ConnectTimeout => Some(defaults::CONNECT_TIMEOUT.to_string()),
            Self::FirstByteTimeout => Some(defaults::FIRST_BYTE_TIMEOUT.to_string()),
            Self::IdleTimeout => Some(defaults::UPSTREAM_IDLE_TIMEOUT.to_string()),
            Self::IdleConnections => Some(defaults::IDLE_CONNECTIONS.to_string()),
        }
    }
}

impl<'a> Level<'a> {
    fn empty(at: At<'a>, kind: LevelKind) -> Self {
        Self {
            at,
            kind,
            authn: None,
            authz: None,
            body_bytes: None,
            allow_path_parameters: None,
            timeout: None,
            connect_timeout: None,
            first_byte_timeout: None,
            idle_timeout: None,
            idle_connections: None,
            waf: None,
            bodies: false,
            validation: false,
        }
    }

    pub(crate) fn of_defaults(at: At<'a>, written: Option<&Defaults>) -> Self {
        let level = Self::empty(at, LevelKind::Defaults);
        let Some(written) = written else { return level };
        let upstream = written.upstream.as_ref();
        Self {
            authn: written.authn.clone(),
            authz: written.authz.as_ref().map(|_| "these rules".to_owned()),
            body_bytes: written.body_bytes,
            allow_path_parameters: written.allow_path_parameters,
            timeout: upstream.and_then(|upstream| upstream.timeout),
            connect_timeout: upstream.and_then(|upstream| upstream.connect_timeout),
            first_byte_timeout: upstream.and_then(|upstream| upstream.first_byte_timeout),
            idle_timeout: upstream.and_then(|upstream| upstream.idle_timeout),
            idle_connections: upstream.and_then(|upstream| upstream.idle_connections),
            waf: written.waf.clone(),
            bodies: written.bodies.is_some(),
            validation: written.validation.is_some(),
            ..level
        }
    }

    pub(crate) fn of_api(at: At<'a>, written: &Api) -> Self {
        let upstream = written.upstream.as_ref();
        Self {
            authn: written.authn.clone(),
            authz: written.authz.as_ref().filter(|authz| authz.loosens()).map(|_| OWN_RULES.to_owned()),
            body_bytes: written.body_bytes,
            allow_path_parameters: written.allow_path_parameters,
            timeout: upstream.and_then(|upstream| upstream.timeout),
            connect_timeout: upstream.and_then(|upstream| upstream.connect_timeout),
            first_byte_timeout: upstream.and_then(|upstream| upstream.first_byte_timeout),
            idle_timeout: upstream.and_then(|upstream| upstream.idle_timeout),
            idle_connections: upstream.and_then(|upstream| upstream.idle_connections),
            waf: written.waf.clone(),
            bodies: written.bodies.is_some(),
            validation: written.validation.is_some(),
            ..Self::empty(at, LevelKind::Api)
        }
    }

    pub(crate) fn of_version(at: At<'a>, written: &Version) -> Self {
        let upstream = written.upstream.as_ref();
        Self {
            authn: written.authn.clone(),
            authz: written.authz.as_ref().filter(|authz| authz.loosens()).map(|_| OWN_RULES.to_owned()),
            body_bytes: written.body_bytes,
            timeout: upstream.and_then(|upstream| upstream.timeout),
            connect_timeout: upstream.and_then(|upstream| upstream.connect_timeout),
            first_byte_timeout: upstream.and_then(|upstream| upstream.first_byte_timeout),
            idle_timeout: upstream.and_then(|upstream| upstream.idle_timeout),
            idle_connections: upstream.and_then(|upstream| upstream.idle_connections),
            waf: written.waf.clone(),
            bodies: written.bodies.is_some(),
            validation: written.validation.is_some(),
            ..Self::empty(at, LevelKind::Version)
        }
    }

    pub(crate) fn of_route(at: At<'a>, written: &Route) -> Self {
        Self {
            authn: written.authn.clone(),
            authz: written.authz.as_ref().filter(|authz| authz.loosens()).map(|_| OWN_RULES.to_owned()),
            body_bytes: written.body_bytes,
            timeout: written.timeout,
            waf: written.waf.clone(),
            bodies: written.bodies.is_some(),
            ..Self::empty(at, LevelKind::Route)
        }
    }

    /// What this level says about a setting, as people write it.
    pub(crate) fn text(&self, setting: Lockable) -> Option<String> {
        match setting {
            Lockable::Authn => self.authn.as_ref().map(Authn::text),
            Lockable::Authz => self.authz.clone(),
            Lockable::BodyBytes => self.body_bytes.map(|size| size.to_string()),
            Lockable::AllowPathParameters => self.allow_path_parameters.map(|flag| flag.to_string()),
            // Inherited name by name, so that they are compared where they are read.
            Lockable::Limits => None,
            Lockable::Waf => self.section(self.waf.is_some()),
            Lockable::Bodies => self.section(self.bodies),
            Lockable::Validation => self.section(self.validation),
            Lockable::Timeout => self.timeout.map(|period| period.to_string()),
            Lockable::ConnectTimeout => self.connect_timeout.map(|period| period.to_string()),
            Lockable::FirstByteTimeout => self.first_byte_timeout.map(|period| period.to_string()),
            Lockable::IdleTimeout => self.idle_timeout.map(|period| period.to_string()),
            Lockable::IdleConnections => self.idle_connections.map(|count| count.to_string()),
        }
    }

    /// A section in a word: what `defaults` says is never what a level below says.
    fn section(&self, is_there: bool) -> Option<String> {
        let text = if self.kind == LevelKind::Defaults { THESE_SETTINGS } else { OWN_SETTINGS };
        is_there.then(|| text.to_owned())
    }

    pub(crate) fn authn(&self) -> Option<&Authn> {
        self.authn.as_ref()
    }

    pub(crate) fn body_bytes(&self) -> Option<Size> {
        self.body_bytes
    }

    pub(crate) fn waf(&self) -> Option<&Waf> {
        self.waf.as_ref()
    }

    /// Looks at the place of a setting on this level.
    pub(crate) fn with<R>(&self, setting: Lockable, look: impl FnOnce(&At<'_>) -> R) -> R {
        let name = setting.name();
        if setting.is_of_upstream() && self.kind != LevelKind::Route {
            let upstream = self.at.key("upstream");
            look(&upstream.key(name))
        } else {
            look(&self.at.key(name))
        }
    }

    fn found<T>(&self, setting: Lockable, value: T) -> Found<T> {
        Found { value, span: Some(self.with(setting, |at| at.span())) }
    }
}

impl<'a> Chain<'_, 'a> {
    fn nearest<T>(&self, setting: Lockable, value: impl Fn(&Level<'a>) -> Option<T>) -> Option<Found<T>> {
        let (level, value) = self.levels.iter().find_map(|level| Some((level, value(level)?)))?;
        Some(level.found(setting, value))
    }

    pub(crate) fn authn(&self) -> Option<Found<Authn>> {
        self.nearest(Lockable::Authn, |level| level.authn.clone())
    }

    pub(crate) fn body_bytes(&self) -> Found<Size> {
        or(self.nearest(Lockable::BodyBytes, |level| level.body_bytes), defaults::BODY_BYTES)
    }

    pub(crate) fn allow_path_parameters(&self) -> Found<Flag> {
        or(self.nearest(Lockable::AllowPathParameters, |level| level.allow_path_parameters), Flag(false))
    }

    pub(crate) fn timeout(&self) -> Found<Period> {
        or(self.nearest(Lockable::Timeout, |level| level.timeout), defaults::TIMEOUT)
    }

    pub(crate) fn connect_timeout(&self) -> Found<Period> {
        or(self.nearest(Lockable::ConnectTimeout, |level| level.connect_timeout), defaults::CONNECT_TIMEOUT)
    }

    pub(crate) fn first_byte_timeout(&self) -> Found<Period> {
        or(self.nearest(Lockable::FirstByteTimeout, |level| level.first_byte_timeout), defaults::FIRST_BYTE_TIMEOUT)
    }

    pub(crate) fn idle_timeout(&self) -> Found<Period> {
        or(self.nearest(Lockable::IdleTimeout, |level| level.idle_timeout), defaults::UPSTREAM_IDLE_TIMEOUT)
    }

    pub(crate) fn idle_connections(&self) -> Found<Count> {
        or(self.nearest(Lockable::IdleConnections, |level| level.idle_connections), defaults::IDLE_CONNECTIONS)
    }

    /// What the nearest `waf` that says something about it says, and on which level.
    pub(crate) fn of_waf<T>(&self, value: impl Fn(&Waf) -> Option<T>) -> Option<(T, &Level<'a>)> {
        self.levels.iter().find_map(|level| Some((value(level.waf()?)?, *level)))
    }

    /// The level that decides a setting, if any does.
    pub(crate) fn deciding(&self, setting: Lockable) -> Option<&Level<'a>> {
        self.levels.iter().copied().find(|level| level.text(setting).is_some())
    }

    /// Whether a decision may be hidden behind something that was reported already.
    pub(crate) fn is_hidden(&self, setting: Lockable) -> bool {
        self.levels.iter().any(|level| level.with(setting, |at| at.is_tainted()))
    }
}

fn or<T>(found: Option<Found<T>>, built_in: T) -> Found<T> {
    found.unwrap_or(Found { value: built_in, span: None })
}
