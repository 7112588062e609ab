//! The address by which clients know an API: that it leads to the API, and that there is something to say there.

use portcullis_auth::web::WebAddress;

use super::Check;
use super::apis::hosts_of;
use crate::diagnostic::Diagnostic;
use crate::file::Api;
use crate::plan::{Authn, HostPattern, ResourcePlan, RoutePlan, VersionPlan};
use crate::tree::At;

impl Check<'_> {
    /// By what clients know an API.
    pub(super) fn resource(
        &mut self,
        api: &Api,
        at: &At<'_>,
        base_path: &str,
        versions: &[VersionPlan],
    ) -> Option<ResourcePlan> {
        let text = &api.resource.as_ref()?.0;
        let at = at.key("resource");
        let takes_tokens = |route: &RoutePlan| match &route.authn {
            Authn::Demand(demand) => !demand.issuers.is_empty() || demand.introspection.is_some(),
            Authn::Public | Authn::Refuse => false,
        };
        if !versions.iter().flat_map(|version| &version.routes).any(takes_tokens) {
            let message = "`resource` has no effect, because no route of the API takes tokens";
            self.reject(&at, Diagnostic::new("no-effect", at.name_span(), message).help("remove it"));
        }
        let address = WebAddress::parse(text).filter(|address| !address.has_query && !address.has_fragment);
        let Some(address) = address.filter(|address| address.secure || address.is_loopback()) else {
            let message = format!("{} is not an `https` address without query and fragment", self.shown(&at, text));
            let diagnostic = self.wrong(&at, "bad-address", message);
            self.reject(&at, diagnostic.help("write it like `https://api.example.com/orders`"));
            return None;
        };
        let answers = |pattern: &HostPattern| match pattern {
            HostPattern::Any => true,
            HostPattern::Exact(name) => *name == address.host,
            HostPattern::Suffix(suffix) => address.host.len() > suffix.len() && address.host.ends_with(suffix.as_str()),
        };
        if !hosts_of(api).iter().any(answers) {
            let message = format!("the API does not answer for the host of {}", self.shown(&at, text));
            let diagnostic =
                self.wrong(&at, "other-place", message).help("write one of `hosts`, or add this one to them");
            self.reject(&at, diagnostic);
        }
        if address.path.trim_end_matches('/') != base_path {
            let message = format!("the path of {} is not the base path of the API", self.shown(&at, text));
            let whole = if base_path.is_empty() { "no path" } else { base_path };
            let diagnostic = self.wrong(&at, "other-place", message).help(format!("end it with {whole}"));
            self.reject(&at, diagnostic);
        }
        let after = text.find("://").map_or(0, |scheme| scheme + 3);
        let end = text.get(after..).and_then(|rest| rest.find('/')).map_or(text.len(), |path| after + path);
        let origin = text.get(..end).unwrap_or_default().to_owned();
        Some(ResourcePlan { address: text.clone(), origin, host: address.host })
    }
}
