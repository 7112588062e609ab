//! Name servers: none, too many, one of them twice, or none that is ever asked.

use std::net::{IpAddr, SocketAddr};

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::File;
use crate::plan::{ApiPlan, TargetPlan};
use crate::tree::At;

/// LIMIT: name servers; each that is silent costs a second.
const MAX_SERVERS: usize = 4;

impl Check<'_> {
    pub(super) fn dns(&mut self, file: &File, root: &At<'_>, apis: &[ApiPlan]) -> Vec<SocketAddr> {
        let Some(written) = &file.dns else { return Vec::new() };
        let section = root.key("dns");
        let at = section.key("servers");
        let servers: Vec<SocketAddr> = written.servers.iter().map(|server| server.0).collect();
        if servers.is_empty() || servers.len() > MAX_SERVERS {
            let message =
                if servers.is_empty() { "there is no name server" } else { "there are too many name servers" };
            let diagnostic = Diagnostic::new("bad-list", at.name_span(), message)
                .help(format!("write 1 to {MAX_SERVERS} of them, or leave `dns` out"));
            self.reject(&at, diagnostic);
        }
        for (index, server) in servers.iter().enumerate() {
            if let Some(first) = servers.iter().take(index).position(|one| one == server) {
                let item = at.index(index);
                let diagnostic = Diagnostic::new("duplicate", item.span(), "the same name server stands twice")
                    .also(at.index(first).span(), "first here")
                    .help("remove one of the two");
                self.reject(&item, diagnostic);
            }
        }
        let mut targets = apis.iter().flat_map(ApiPlan::targets).peekable();
        // What comes from outside the file may be a name the next time.
        let may_ask = |target: &TargetPlan| target.from.is_some() || target.host.parse::<IpAddr>().is_err();
        if targets.peek().is_some() && !targets.any(may_ask) && !root.key("apis").is_tainted() {
            let message = "`dns` has no effect, because all targets are addresses";
            let diagnostic = Diagnostic::new("no-effect", section.name_span(), message).help("remove it");
            self.reject(&section, diagnostic);
        }
        servers
    }
}
