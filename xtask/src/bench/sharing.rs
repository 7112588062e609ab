//! Limits that two gateways share through a real store, against the same limits kept by one: what a request costs the gateway and
//! the store, how many requests wait for it, and how many calls it gets.

use std::path::PathBuf;

use super::Options;
use super::cost::cpu_per_request_us;
use super::figure::{Figure, Target};
use super::load::{CONNECTIONS, Seen, metric, wrk_as};
use super::peers::{Subject, Upstream, Workplace, build, free_port, gateway_with, upstream};
use super::process::Server;
use crate::command::find;

/// Each asks less often than his limit allows, as long as the gateway serves fewer than 200,000 requests a second.
const CALLERS: u32 = 2_000;
const WAITS: &str = "portcullis_limit_store_waits_total";
const CALLS: &str = "portcullis_limit_store_calls_total";
const ALONE: &str = "portcullis_limit_alone_total";
/// In the record of every request.
const BY_LIMIT: &str = "\"status\":200";

struct Bench<'o> {
    place: Workplace,
    upstream: Upstream,
    binary: PathBuf,
    options: &'o Options,
    callers: PathBuf,
    script: PathBuf,
}

/// What some seconds of load came to.
struct Round {
    gateway_us: f64,
    store_us: f64,
    waits: f64,
    calls: f64,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let binary = build()?;
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    let mut lines = String::new();
    for caller in 0..CALLERS {
        lines.push_str(&format!("X-Forwarded-For: 10.0.{}.{}\n", caller / 250, caller % 250 + 1));
    }
    let callers = place.write("addresses.txt", &lines)?;
    let script = place.write("callers.lua", include_str!("callers.lua"))?;
    Bench { place, upstream, binary, options, callers, script }.compare()
}

impl Bench<'_> {
    fn gateway(&self, name: &str, store: Option<u16>) -> Result<Subject, String> {
        let section = store.map(|port| format!("shared_store: {{ servers: [\"redis://127.0.0.1:{port}\"] }}"));
        let shared = if store.is_some() { ", shared: true" } else { "" };
        let more = [("@STORE@", section.unwrap_or_default()), ("@SHARED@", shared.to_owned())];
        let log = self.place.file(&format!("{name}.access"));
        gateway_with(&self.place, &self.upstream, &self.binary, include_str!("sharing.yaml"), &more, log)
    }

    fn store(&self, port: u16) -> Result<Server, String> {
        let lines = format!("port {port}\nbind 127.0.0.1\nsave \"\"\nappendonly no\n");
        let path = self.place.write("store.conf", &lines)?;
        let program = ["valkey-server", "redis-server"].into_iter().find(|name| find(name).is_some());
        let program = program.ok_or("valkey-server or redis-server is missing")?;
        Server::start(&[program, &path.to_string_lossy()], &self.place.file("store.out"), &[port])
    }

    fn load(&self, subject: &Subject) -> Result<Seen, String> {
        wrk_as(subject.plain_port, self.options.seconds, &self.callers, &self.script, false)
    }

    /// Microseconds a request, and how many there were.
    fn cost(&self, subject: &Subject) -> Result<(f64, f64), String> {
        let mut requests = 0.0;
        let load = || {
            let seen = self.load(subject)?;
            requests = f64::from(seen.requests);
            Ok(seen)
        };
        let (microseconds, _) = cpu_per_request_us(subject, BY_LIMIT, CONNECTIONS, load)?;
        Ok((microseconds, requests))
    }

    /// Of a gateway that has a store.
    fn round(&self, subject: &Subject, store: &Server) -> Result<Round, String> {
        let of = |series: &str| subject.status_port.map_or(Ok(0.0), |port| metric(port, series));
        let (waits, calls, alone, store_us) = (of(WAITS)?, of(CALLS)?, of(ALONE)?, store.cpu_us());
        let (gateway_us, requests) = self.cost(subject)?;
        if of(ALONE)? > alone {
            return Err("the store was away: some requests were decided without it".to_owned());
        }
        let store_us = (store.cpu_us() - store_us) / requests;
        Ok(Round {
            gateway_us,
            store_us,
            waits: (of(WAITS)? - waits) / requests,
            calls: (of(CALLS)? - calls) / requests,
        })
    }

    fn compare(&self) -> Result<Vec<Figure>, String> {
        let port = free_port()?;
        let store = self.store(port)?;
        let alone = self.gateway("alone", None)?;
        let pair = [self.gateway("shared", Some(port))?, self.gateway("other", Some(port))?];
        let [shared, _] = &pair;
        super::process::until("both gateways are seen", || {
            let live = shared.status_port.map(|port| metric(port, "portcullis_limit_gateways"));
            live.is_some_and(|live| live.is_ok_and(|live| live > 1.5))
        })?;
        for subject in [&alone, shared] {
            self.load(subject)?;
        }
        let mut samples: [Vec<f64>; 5] = Default::default();
        for round in 1..=self.options.pairs {
            let (own_us, _) = self.cost(&alone)?;
            let Round { gateway_us, store_us, waits, calls } = self.round(shared, &store)?;
            eprintln!(
                "store {round}: {own_us:.2} us alone, {gateway_us:.2} us shared and {store_us:.2} us of the store, {waits:.4} waits \
                 and {calls:.4} calls a request"
            );
            let values = [gateway_us / own_us, gateway_us, store_us, waits, calls];
            samples.iter_mut().zip(values).for_each(|(all, value)| all.push(value));
        }
        let names = [
            ("limit_shared_cpu_ratio_own", "x", Target::AtMost(1.1)),
            ("limit_shared_request_us", "us/request", Target::Stated),
            ("limit_shared_store_us", "us/request", Target::Stated),
            ("limit_shared_waits", "of requests", Target::AtMost(0.05)),
            ("limit_shared_calls", "of requests", Target::AtMost(1.0)),
        ];
        let figure = |((name, unit, target), samples)| Figure { name, unit, target, samples };
        Ok(names.into_iter().zip(samples).map(figure).collect())
    }
}
