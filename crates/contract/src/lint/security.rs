//! Rules about who may call, and over what.

use super::Linter;
use crate::schema::Spot;
use std::collections::HashSet;

const LOCAL: &[&str] = &["localhost", "127.0.0.1", "[::1]"];

/// Whether an address is sent in the clear over a network.
fn is_plain(url: &str) -> bool {
    let rest = url.strip_prefix("http://");
    rest.is_some_and(|rest| {
        let host = rest.split(['/', '?']).next().unwrap_or("");
        !LOCAL.iter().any(|name| host == *name || host.strip_prefix(name).is_some_and(|port| port.starts_with(':')))
    })
}

// === impl Linter ===

impl Linter<'_> {
    pub(super) fn servers(&mut self, root: Spot) {
        let servers = self.library().member(root, "servers").map(|at| self.library().items(at)).unwrap_or_default();
        for server in servers {
            let url = self.library().text_at(server, "url").unwrap_or("").to_owned();
            if is_plain(&url) {
                self.say("C004", server, format!("`{}` is not encrypted", crate::text::short(&url)));
            }
        }
    }

    /// The names of all schemes.
    pub(super) fn schemes(&mut self, root: Spot, resource: u32) -> HashSet<String> {
        let at = self.library().member(root, "components").and_then(|at| self.library().member(at, "securitySchemes"));
        let members = at.map(|at| self.library().members(at)).unwrap_or_default();
        let mut names = HashSet::new();
        for (name, spot) in members {
            names.insert(name);
            let Some((spot, _)) = self.walker.target(spot, resource) else { continue };
            let text = |word: &str| self.library().text_at(spot, word).unwrap_or("").to_ascii_lowercase();
            let (kind, place, scheme, address) = (text("type"), text("in"), text("scheme"), text("openIdConnectUrl"));
            if kind == "apikey" && place == "query" {
                self.say("C005", spot, "the key stands in the query".to_owned());
            }
            if kind == "http" && scheme == "basic" {
                self.say("C006", spot, "a name and a password are sent with each request".to_owned());
            }
            if is_plain(&address) {
                self.say("C008", spot, "`openIdConnectUrl` is not encrypted".to_owned());
            }
            self.flows(spot);
        }
        names
    }

    fn flows(&mut self, scheme: Spot) {
        let flows = self.library().member(scheme, "flows").map(|at| self.library().members(at)).unwrap_or_default();
        for (name, flow) in flows {
            if matches!(name.as_str(), "implicit" | "password") {
                self.say("C007", flow, format!("the flow `{name}` is out of use (RFC 9700 section 2)"));
            }
            for word in ["authorizationUrl", "tokenUrl", "refreshUrl"] {
                if self.library().text_at(flow, word).is_some_and(is_plain) {
                    self.say("C008", flow, format!("`{word}` is not encrypted"));
                }
            }
        }
    }

    /// Whether an operation asks for a caller who proves who he is.
    pub(super) fn security(&mut self, at: Spot, shared: Option<Spot>, schemes: &HashSet<String>) -> bool {
        let Some(asked) = self.library().member(at, "security").or(shared) else {
            self.say("C001", at, "nothing says who may call the operation".to_owned());
            return false;
        };
        let ways = self.library().items(asked);
        let mut secured = false;
        for way in ways {
            let names = self.library().members(way);
            if names.is_empty() {
                self.say("C002", way, "callers who prove nothing are let through as well".to_owned());
            }
            for (name, spot) in names {
                secured = true;
                if !schemes.contains(&name) {
                    self.say("C003", spot, format!("the scheme `{}` is not defined", crate::text::short(&name)));
                }
            }
        }
        secured
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_leaves_the_machine_is_plain() {
        for (url, expected) in [
            ("http://api.example/v1", true),
            ("http://localhost.evil.example", true),
            ("https://api.example", false),
            ("http://localhost:8080/x", false),
            ("http://[::1]:80", false),
            ("/v1", false),
        ] {
            assert_eq!(super::is_plain(url), expected, "{url}");
        }
    }
}
