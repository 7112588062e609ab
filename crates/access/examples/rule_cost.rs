//! What a decision about a request costs, by the rules of its operation.
//!
//! `cargo run --profile dist -p portcullis-access --example rule_cost` prints one line per figure; it exits 1 if one is missed.

use portcullis_access::{Caller, Effect, Expression, Field, Mistake, Policy, Request, RoleSource, Rule};
use std::hint::black_box;
use std::process::ExitCode;

const ROUNDS: usize = 11;
const DECISIONS: u32 = 500_000;
const COST_NS_MAX: f64 = 300.0;

fn texts(all: &[&str]) -> Vec<String> {
    all.iter().map(|text| (*text).to_owned()).collect()
}

/// Rules by the name of their figure.
fn figures() -> Result<Vec<(&'static str, Vec<Rule>)>, Mistake> {
    let admin = Rule { roles: texts(&["admin"]), ..Rule::new(Effect::Allow) };
    let write = Rule { roles: texts(&["editor"]), scopes: texts(&["orders:write"]), ..Rule::new(Effect::Allow) };
    let own = Rule { when: vec![Expression::parse("path.userId == principal.sub")?], ..Rule::new(Effect::Allow) };
    let tenant = Rule { when: vec![Expression::parse("header.X-Tenant == claims.tid")?], ..Rule::new(Effect::Require) };
    let ten: Vec<Rule> = (0..10).map(|index| Rule { roles: vec![format!("role{index}")], ..admin.clone() }).collect();
    Ok(vec![
        ("access_role_and_scope", vec![admin.clone(), write.clone()]),
        ("access_last_of_ten_rules", [ten, vec![write.clone()]].concat()),
        ("access_owner", vec![admin.clone(), own]),
        ("access_tenant_role_and_scope", vec![tenant, admin, write]),
    ])
}

/// Nanoseconds of one decision.
fn run(policy: &Policy, request: &Request<'_>) -> f64 {
    let start_ns = cpu_ns();
    for _ in 0..DECISIONS {
        let decision = black_box(policy).decide(black_box(request));
        assert_eq!(decision.refused, None, "somebody was refused");
    }
    (cpu_ns() - start_ns) / f64::from(DECISIONS)
}

/// What this thread has had of a processor, so that a machine that does other things as well can be measured on. Linux only;
/// elsewhere there is no number, and no figure is met.
fn cpu_ns() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|field| field.parse().ok()).unwrap_or(f64::NAN)
}

#[expect(clippy::print_stdout, reason = "the figures are what it is for")]
fn figure(name: &str, samples: &mut [f64]) -> bool {
    samples.sort_by(f64::total_cmp);
    let of = |place: usize| samples.get(place).copied().unwrap_or(f64::NAN);
    let (median, low, high) = (of(samples.len() / 2), of(0), of(samples.len().saturating_sub(1)));
    let met = median <= COST_NS_MAX;
    let verdict = if met { "met" } else { "missed" };
    println!("figure {name} {median:.0} ns/decision spread {low:.0}..{high:.0} target <= {COST_NS_MAX} {verdict}");
    met
}

fn main() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let claims = [("sub", "ada"), ("tid", "acme"), ("scope", "orders:read orders:write")];
    let claims = claims.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect();
    let (roles, scopes) = (texts(&["viewer", "reporter", "editor"]), texts(&["orders:read", "orders:write"]));
    let caller = Caller {
        id: "ada",
        username: None,
        issuer: None,
        scheme: "jwt",
        also: &[],
        scopes: &scopes,
        roles: &roles,
        claims: &claims,
    };
    let request = Request {
        now: 1_795_737_600,
        path: "/t/acme/users/ada",
        field: &|_| Field::One(b"acme"),
        ..Request::of_caller(Some(caller), std::net::Ipv4Addr::LOCALHOST.into())
    };
    let mut met = true;
    for (name, rules) in figures()? {
        let policy = Policy::compile(&rules, &RoleSource::default(), "/t/{tenant}/users/{userId}")?;
        let mut samples: Vec<f64> = (0..ROUNDS).map(|_| run(&policy, &request)).collect();
        met &= figure(name, &mut samples);
    }
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
