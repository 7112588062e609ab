//! Names of targets are looked up beside the path of requests, again and again, by the thread that makes checks. What was
//! found last stays good while a look-up fails: an outage of the name service must not become one of the API.

mod ttl;

use super::fleet::Server;
use crate::gateway::Shared;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a look-up may take before it counts as failed.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);
/// How soon it is tried again after it failed, and the least time between two look-ups.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
// LIMIT: addresses of one name.
const ADDRESSES_MAX: usize = 8;

/// Keeps the addresses of a server fresh, by the rules in force, until the task is ended.
pub(super) async fn keep(shared: Arc<Shared>, upstream: Arc<str>, server: Arc<Server>) {
    loop {
        let every = {
            let snapshot = shared.snapshot.load();
            let found = snapshot.upstreams.iter().find(|one| one.plan.name == upstream);
            let Some(found) = found else { return };
            found.plan.pool.resolve_every
        };
        let looking = tokio::net::lookup_host((server.plan.host.as_str(), server.plan.port));
        let found = match tokio::time::timeout(LOOK_UP_MAX, looking).await {
            Ok(Ok(found)) => Ok(found.take(ADDRESSES_MAX).collect()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err(format!("no answer within {LOOK_UP_MAX:?}")),
        };
        let pause = if take_over(&server, found) {
            // What the name's records allow, but neither for ever nor many times a second.
            let ttl = ttl::of(&server.plan.host).await.unwrap_or(every);
            ttl.max(AGAIN_AFTER).min(every)
        } else {
            every.min(AGAIN_AFTER)
        };
        tokio::time::sleep(pause).await;
    }
}

/// Enters what a look-up found. Nothing found is nothing learned.
fn take_over(server: &Server, found: Result<Vec<SocketAddr>, String>) -> bool {
    let why = match found {
        Ok(mut addresses) if !addresses.is_empty() => {
            // The order changes with every answer of many name services; what is kept should not.
            addresses.sort_unstable();
            if **server.addresses.load() != addresses {
                server.addresses.store(Arc::new(addresses));
            }
            server.nameless.store(false, Ordering::Relaxed);
            return true;
        }
        Ok(_) => "the name has no address".to_owned(),
        Err(why) => why,
    };
    server.nameless.store(true, Ordering::Relaxed);
    server.note_failure(&format!("name: {why}"));
    false
}

#[cfg(test)]
mod tests {
    use super::{Server, take_over};
    use portcullis_config::plan::TargetPlan;

    #[test]
    fn the_last_good_addresses_stay() {
        let plan = TargetPlan { tls: false, host: "a.test".to_owned(), port: 80, from: None };
        let server = Server::new(&plan, 0);
        let addresses = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>();
        let known = |server: &Server| server.addresses.load().to_vec();
        assert!(!take_over(&server, Err("no such name".to_owned())));
        assert_eq!(known(&server), []);
        assert!(take_over(&server, Ok(addresses(&["10.0.0.2:80", "10.0.0.1:80"]))));
        for lost in [Err("the server is down".to_owned()), Ok(Vec::new())] {
            assert!(!take_over(&server, lost));
            assert_eq!(known(&server), addresses(&["10.0.0.1:80", "10.0.0.2:80"]));
        }
        assert!(take_over(&server, Ok(addresses(&["10.0.0.3:80"]))));
        assert_eq!(known(&server), addresses(&["10.0.0.3:80"]));
    }
}
