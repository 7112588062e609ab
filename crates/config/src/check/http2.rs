//! HTTP/2, lasting streams and WebSocket: ranges, and settings that would do nothing.

use super::Check;
use super::upstream::Written;
use crate::diagnostic::Diagnostic;
use crate::file::{Floods, Http2, Protocol, Route, Streams, defaults};
use crate::plan::{FloodLimits, Http2Plan, Methods, StreamsPlan, UpstreamPlan, UpstreamProtocol, WebSocketPlan};
use crate::scalar::{Count, Period};
use crate::tree::At;

/// LIMIT: what a lasting stream may be given.
const LEAST_STREAM: Period = Period::millis(100);
const MAX_STREAM: Period = Period::seconds(7 * 24 * 60 * 60);

impl Check<'_> {
    /// HTTP/2 of a listener, spoken unless it says otherwise.
    pub(super) fn http2(&mut self, written: Option<&Http2>, at: &At<'_>) -> Option<Http2Plan> {
        let Some(http2) = written else { return Some(Http2Plan::default()) };
        if http2.enabled.is_some_and(|flag| !flag.0) {
            for (name, is_written) in [("streams", http2.streams.is_some()), ("floods", http2.floods.is_some())] {
                if is_written {
                    let part = at.key(name);
                    let message = format!("`{name}` has no effect, because HTTP/2 is off");
                    let diagnostic = Diagnostic::new("no-effect", part.name_span(), message)
                        .also(at.key("enabled").span(), "switched off here")
                        .help(format!("remove `{name}`, or `enabled: false`"));
                    self.reject(&part, diagnostic);
                }
            }
            return None;
        }
        let streams = http2.streams.unwrap_or(defaults::HTTP2_STREAMS).0;
        let streams =
            self.within(&at.key("streams"), streams, (1, defaults::MAX_HTTP2_STREAMS), |value| value.to_string());
        let floods =
            http2.floods.as_ref().map_or_else(FloodLimits::default, |floods| self.floods(floods, &at.key("floods")));
        Some(Http2Plan { streams: u32::try_from(streams).unwrap_or(u32::MAX), floods })
    }

    fn floods(&mut self, floods: &Floods, at: &At<'_>) -> FloodLimits {
        let mut burst = |name: &str, written: Option<Count>, default: u32| {
            let value = written.map_or(u64::from(default), |count| count.0);
            let value = self.within(&at.key(name), value, (1, defaults::MAX_FLOOD), |value| value.to_string());
            u32::try_from(value).unwrap_or(u32::MAX)
        };
        let built_in = FloodLimits::default();
        FloodLimits {
            resets: burst("resets", floods.resets, built_in.resets),
            settings: burst("settings", floods.settings, built_in.settings),
            pings: burst("pings", floods.pings, built_in.pings),
            empty_data: burst("empty_data", floods.empty_data, built_in.empty_data),
            priorities: burst("priorities", floods.priorities, built_in.priorities),
            window_updates: burst("window_updates", floods.window_updates, built_in.window_updates),
            continuations: burst("continuations", floods.continuations, built_in.continuations),
        }
    }

    /// What an upstream speaks; its own word before the one it inherits.
    pub(super) fn protocol(own: &Written<'_>, parent: Option<&UpstreamPlan>) -> UpstreamProtocol {
        match own.section.and_then(|section| section.protocol) {
            Some(Protocol::Http1) => UpstreamProtocol::Http1,
            Some(Protocol::Http2) => UpstreamProtocol::Http2,
            None => parent.map(|parent| parent.protocol).unwrap_or_default(),
        }
    }

    /// How long streams may last and rest.
    pub(super) fn streams(&mut self, own: &Written<'_>, parent: Option<&UpstreamPlan>) -> StreamsPlan {
        let inherited = parent.map(|parent| parent.streams).unwrap_or_default();
        let Some(written) = own.section.and_then(|section| section.streams.as_ref()) else { return inherited };
        let at = own.at.key("streams");
        let Streams { idle_timeout, lifetime } = written;
        let mut period = |name: &str, written: Option<Period>, inherited| {
            written.map_or(inherited, |written| self.period(&at.key(name), written, (LEAST_STREAM, MAX_STREAM)))
        };
        let lifetime_value = period("lifetime", *lifetime, inherited.lifetime);
        let idle = period("idle_timeout", *idle_timeout, inherited.idle_timeout);
        if idle_timeout.is_some() && idle > lifetime_value {
            let part = at.key("idle_timeout");
            let message = "`idle_timeout` is longer than `lifetime`, so it never ends a stream";
            let diagnostic =
                Diagnostic::new("contradiction", part.span(), message).help("choose less, or raise `lifetime`");
            self.reject(&part, diagnostic);
        }
        // What is built in gives way to a shorter lifetime.
        StreamsPlan { idle_timeout: idle.min(lifetime_value), lifetime: lifetime_value }
    }

    /// WebSocket of a route: it begins with a GET, and goes to a server that speaks HTTP/1.
    pub(super) fn websocket(
        &mut self,
        route: &Route,
        (at, methods): (&At<'_>, &Methods),
        upstream: &UpstreamPlan,
    ) -> Option<WebSocketPlan> {
        let written = route.websocket.as_ref()?;
        let at = at.key("websocket");
        let gets = match methods {
            Methods::Any => true,
            Methods::Only(names) => names.iter().any(|name| name == "GET"),
        };
        if !gets {
            let message = "`websocket` has no effect, because the route does not answer GET";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message).help("add GET to `methods`");
            self.reject(&at, diagnostic);
        }
        if upstream.protocol == UpstreamProtocol::Http2 {
            let message = "a WebSocket goes to a server that speaks HTTP/1.1, and this upstream has `protocol: http2`";
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), message)
                .help("give the route's version or API an upstream with `protocol: http1`");
            self.reject(&at, diagnostic);
        }
        let origins = self.origins(&written.origins, "no page may open a WebSocket", &at.key("origins"));
        Some(WebSocketPlan { origins, require_origin: written.require_origin.is_some_and(|flag| flag.0) })
    }
}
