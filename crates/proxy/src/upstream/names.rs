//! Names of targets are looked up beside the path of requests, again and again, by the thread that makes checks. What was
//! found last stays good while a look-up fails: an outage of the name service must not become one of the API. A request
//! waits for the first look-up only.

mod dns;

use super::fleet::Server;
use crate::gateway::Shared;
use portcullis_types::{Fault, FaultKind};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// How long a look-up may take before it counts as failed.
const LOOK_UP_MAX: Duration = Duration::from_secs(5);
/// How soon it is tried again after it failed, and the least time between two look-ups.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
// LIMIT: addresses of one name that are used, and that are looked at to find the same ones each time.
const ADDRESSES_MAX: usize = 8;
const ADDRESSES_SEEN_MAX: usize = 256;

/// Keeps the addresses of a server fresh, by the rules in force, until the task is ended.
pub(super) async fn keep(shared: Arc<Shared>, upstream: Arc<str>, server: Arc<Server>) {
    loop {
        let (every, servers) = {
            let snapshot = shared.snapshot.load();
            let found = snapshot.upstreams.iter().find(|one| one.plan.name == upstream);
            let Some(found) = found else { return };
            (found.plan.pool.resolve_every, Arc::clone(&snapshot.dns))
        };
        let (addresses, ttl) = match look_up(&servers, &server).await {
            Ok((addresses, ttl)) => (Ok(addresses), ttl),
            Err(why) => (Err(why), None),
        };
        let pause = if take_over(&server, addresses) {
            // Asked after those who wait have their addresses.
            let ttl = if servers.is_empty() { dns::time_to_live(&server.plan.host).await } else { ttl };
            // What the name's records allow, but neither for ever nor many times a second.
            ttl.unwrap_or(every).max(AGAIN_AFTER).min(every)
        } else {
            every.min(AGAIN_AFTER)
        };
        tokio::time::sleep(pause).await;
    }
}

/// Addresses, and how long they may be used if that is known by then.
async fn look_up(servers: &[SocketAddr], server: &Server) -> Result<(Vec<SocketAddr>, Option<Duration>), String> {
    let (host, port) = (server.plan.host.as_str(), server.plan.port);
    if !servers.is_empty() {
        let found = dns::look_up(servers, host).await?;
        return Ok((found.addresses.into_iter().map(|ip| SocketAddr::new(ip, port)).collect(), Some(found.ttl)));
    }
    let found = tokio::time::timeout(LOOK_UP_MAX, tokio::net::lookup_host((host, port))).await;
    let found = found.map_err(|_| format!("no answer within {LOOK_UP_MAX:?}"))?.map_err(|error| error.to_string())?;
    Ok((found.take(ADDRESSES_SEEN_MAX).collect(), None))
}

/// Enters what a look-up found. Nothing found is nothing learned.
fn take_over(server: &Server, found: Result<Vec<SocketAddr>, String>) -> bool {
    let outcome = match found {
        Ok(mut addresses) if !addresses.is_empty() => {
            // The order changes with every answer of many name services; what is kept should not.
            addresses.sort_unstable();
            addresses.dedup();
            addresses.truncate(ADDRESSES_MAX);
            if **server.addresses.load() != addresses {
                server.addresses.store(Arc::new(addresses));
            }
            Ok(())
        }
        Ok(_) => Err("the name has no address".to_owned()),
        Err(why) => Err(why),
    };
    server.nameless.store(outcome.is_err(), Ordering::Relaxed);
    if let Err(why) = &outcome {
        server.note_failure(&format!("name: {why}"));
    }
    server.looked_up.notify_waiters();
    outcome.is_ok()
}

/// Where a server is. Requests wait for the first look-up together, for as long as they have time to connect.
///
/// # Errors
/// A name of which no address is known after a look-up.
pub(super) async fn of(server: &Server) -> Result<Vec<SocketAddr>, Fault> {
    if let Ok(address) = server.plan.host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, server.plan.port)]);
    }
    loop {
        // Before the look, so that what is found after it is not missed.
        let looked_up = server.looked_up.notified();
        let known = server.addresses.load();
        if !known.is_empty() {
            return Ok(known.to_vec());
        }
        if server.nameless.load(Ordering::Relaxed) {
            let text = format!("{}: no address of the name is known", server.plan);
            return Err(Fault::before_sending(FaultKind::Resolve, text));
        }
        drop(known);
        looked_up.await;
    }
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
        let many: Vec<_> = (1..=99).rev().map(|last| format!("10.0.0.{last}:80")).collect();
        assert!(take_over(&server, Ok(addresses(&many.iter().map(String::as_str).collect::<Vec<_>>()))));
        assert_eq!(known(&server).len(), 8, "always the same ones of many");
        assert_eq!(known(&server)[0].to_string(), "10.0.0.1:80");
        assert!(take_over(&server, Ok(addresses(&["10.0.0.3:80"]))));
        assert_eq!(known(&server), addresses(&["10.0.0.3:80"]));
    }
}
