//! Whether a request costs more where a hundred thousand callers have accounts than where ten have: the whole way, with a limit that
//! counts each of them.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::Options;
use super::cost::cpu_per_request_us;
use super::figure::{Figure, Target};
use super::load::{CONNECTIONS, wrk_as};
use super::peers::{Subject, Upstream, Workplace, build, gateway_with, upstream};

const FEW: u32 = 10;
const MANY: u32 = 100_000;
/// In the record of every request that its limit let through.
const SERVED: &str = "\"status\":200";

struct Bench<'o> {
    place: Workplace,
    upstream: Upstream,
    binary: PathBuf,
    options: &'o Options,
    script: PathBuf,
}

/// A gateway with the callers that ask it.
struct Asked {
    subject: Subject,
    callers: PathBuf,
}

pub(super) fn measure(options: &Options) -> Result<Figure, String> {
    let binary = build()?;
    let place = Workplace::new()?;
    let upstream = upstream(&place)?;
    let script = place.write("callers.lua", include_str!("callers.lua"))?;
    Bench { place, upstream, binary, options, script }.compare()
}

impl Bench<'_> {
    fn asked(&self, count: u32) -> Result<Asked, String> {
        let mut lines = String::new();
        for caller in 0..count {
            // Spread over the whole of what a name can be, as names are.
            let name = caller.wrapping_mul(0x9e37_79b1);
            writeln!(lines, "X-Caller: caller-{name:08x}").map_err(|error| error.to_string())?;
        }
        let callers = self.place.write(&format!("callers-{count}.txt"), &lines)?;
        let log = self.place.file(&format!("gateway-{count}.access"));
        let template = include_str!("growth.yaml");
        let subject = gateway_with(&self.place, &self.upstream, &self.binary, template, &[], log)?;
        // Each of them asks once before anything is measured, so that all accounts are there.
        wrk_as(subject.plain_port, self.options.seconds.max(30), &callers, &self.script, true)?;
        Ok(Asked { subject, callers })
    }

    fn cost(&self, asked: &Asked) -> Result<f64, String> {
        let port = asked.subject.plain_port;
        let load = || wrk_as(port, self.options.seconds, &asked.callers, &self.script, false);
        cpu_per_request_us(&asked.subject, SERVED, CONNECTIONS, load).map(|(microseconds, _)| microseconds)
    }

    fn compare(&self) -> Result<Figure, String> {
        let (few, many) = (self.asked(FEW)?, self.asked(MANY)?);
        let mut samples = Vec::new();
        for round in 1..=self.options.pairs {
            let (of_few, of_many) = (self.cost(&few)?, self.cost(&many)?);
            let ratio = of_many / of_few;
            eprintln!("keys {round}: {of_few:.2} us with {FEW}, {of_many:.2} us with {MANY}, ratio {ratio:.3}");
            samples.push(ratio);
        }
        Ok(Figure { name: "limit_request_growth", unit: "x", target: Target::AtMost(1.1), samples })
    }
}
