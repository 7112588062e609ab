//! Whom a listener believes, and how slow its clients may be: settings that would do nothing, and trust in everybody.

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Listener, ListenerLimits as Written, ProxyProtocol, defaults};
use crate::plan::{PacePlan, ProvenancePlan};
use crate::scalar::{Period, Size};
use crate::tree::At;

/// LIMIT: networks of trusted proxies of one listener; each is compared with every address on the way.
const MAX_TRUSTED: usize = 256;
/// LIMIT: what may be asked of a client, and for how long less may be had.
const MAX_RATE: Size = Size::mib(1);
const LEAST_GRACE: Period = Period::millis(100);
const MAX_GRACE: Period = Period::seconds(60 * 60);

impl Check<'_> {
    pub(super) fn provenance(&mut self, listener: &Listener, at: &At<'_>) -> ProvenancePlan {
        let list = at.key("trusted_proxies");
        let mut trusted = Vec::new();
        for (index, network) in listener.trusted_proxies.iter().flatten().enumerate() {
            let item = list.index(index);
            if network.0.prefix() == 0 {
                let message = format!("{} is everybody", self.shown(&item, &network.0.to_string()));
                let diagnostic = self.wrong(&item, "trusts-everybody", message);
                let help = "name the proxies in front of the gateway; whoever is trusted can pretend to be anybody";
                self.reject(&item, diagnostic.help(help));
            }
            if trusted.contains(&network.0) {
                let message = format!("{} stands twice", self.shown(&item, &network.0.to_string()));
                self.reject(&item, Diagnostic::new("duplicate", item.span(), message).help("remove one of the two"));
            }
            trusted.push(network.0);
        }
        if trusted.is_empty() && listener.trusted_proxies.is_some() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "nobody is trusted")
                .help("name proxies, as in `trusted_proxies: [10.0.0.0/8]`, or remove the line");
            self.reject(&list, diagnostic);
        }
        if trusted.len() > MAX_TRUSTED {
            let message = format!("{} networks are more than {MAX_TRUSTED}", trusted.len());
            let diagnostic = Diagnostic::new("out-of-range", list.name_span(), message).help("join networks");
            self.reject(&list, diagnostic);
        }
        let proxy_protocol = listener.proxy_protocol == Some(ProxyProtocol::Required);
        if proxy_protocol && listener.trusted_proxies.is_none() && !list.is_tainted() {
            let setting = at.key("proxy_protocol");
            let message = "a PROXY header counts from trusted proxies only, and there is none";
            let diagnostic = self.wrong(&setting, "missing-setting", message);
            self.reject(&setting, diagnostic.help("name who sends it, as in `trusted_proxies: [10.0.0.0/8]`"));
        }
        ProvenancePlan { proxy_protocol, trusted }
    }

    /// `at` is the listener's `limits`.
    pub(super) fn pace(&mut self, written: Option<&Written>, at: &At<'_>) -> PacePlan {
        let body = written.and_then(|limits| limits.body_rate).unwrap_or(defaults::BODY_RATE);
        let send = written.and_then(|limits| limits.send_rate).unwrap_or(defaults::SEND_RATE);
        let grace = written.and_then(|limits| limits.rate_grace).unwrap_or(defaults::RATE_GRACE);
        PacePlan {
            body_rate: self.size(&at.key("body_rate"), body, (1, MAX_RATE.bytes)),
            send_rate: self.size(&at.key("send_rate"), send, (1, MAX_RATE.bytes)),
            grace: self.period(&at.key("rate_grace"), grace, (LEAST_GRACE, MAX_GRACE)),
        }
    }
}
