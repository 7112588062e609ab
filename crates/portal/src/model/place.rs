//! Where clients find an API: scheme, host and port, as near as the configuration tells.

use portcullis_config::plan::{ApiPlan, HostPattern, ListenerPlan, Plan};

/// `https://api.example.com`: its stated address, or the first listener's that speaks TLS.
pub(super) fn origin(plan: &Plan, api: &ApiPlan) -> String {
    if let Some(resource) = &api.resource {
        return resource.origin.clone();
    }
    let secure = plan.listeners.iter().find(|listener| listener.tls.is_some());
    let Some(listener) = secure.or_else(|| plan.listeners.first()) else { return "https://localhost".to_owned() };
    let (scheme, usual) = if listener.tls.is_some() { ("https", 443) } else { ("http", 80) };
    let host = host(api, listener);
    match listener.bind.port() {
        port if port == usual => format!("{scheme}://{host}"),
        port => format!("{scheme}://{host}:{port}"),
    }
}

/// Whether the configuration tells the whole of it: hosts below a domain have names of their own, and a port of 0 is another at each start.
pub(super) fn is_whole(plan: &Plan, api: &ApiPlan) -> bool {
    let below_only = api.hosts.iter().all(|host| matches!(host, HostPattern::Suffix(_)));
    let floats = plan.listeners.iter().any(|listener| listener.bind.port() == 0);
    api.resource.is_some() || !(below_only || floats)
}

fn host(api: &ApiPlan, listener: &ListenerPlan) -> String {
    let exact = api.hosts.iter().find_map(|host| match host {
        HostPattern::Exact(name) => Some(name.clone()),
        HostPattern::Any | HostPattern::Suffix(_) => None,
    });
    let below = || {
        api.hosts.iter().find_map(|host| match host {
            HostPattern::Suffix(suffix) => Some(format!("your-name{suffix}")),
            HostPattern::Any | HostPattern::Exact(_) => None,
        })
    };
    let address = || match listener.bind.ip() {
        ip if ip.is_unspecified() => "localhost".to_owned(),
        std::net::IpAddr::V4(ip) => ip.to_string(),
        std::net::IpAddr::V6(ip) => format!("[{ip}]"),
    };
    exact.or_else(below).unwrap_or_else(address)
}
