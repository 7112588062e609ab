//! What a decision about a request costs by ten Cedar policies: the request is made into entities and every policy is asked.
//!
//! `cargo run --profile dist -p portcullis-policy --example policy_cost` prints one line per figure; it exits 1 if one is missed.

use portcullis_policy::{Action, Judge, Kind, Policies, Shape, Unclear, Value, Values, World};
use std::borrow::Cow;
use std::hint::black_box;
use std::net::IpAddr;
use std::process::ExitCode;

const ROUNDS: usize = 11;
const DECISIONS: u32 = 50_000;
const COST_NS_MAX: f64 = 5_000.0;

/// Ada of the tenant acme asks for herself, with three roles and two scopes.
struct Asked;

impl Values for Asked {
    fn caller(&self) -> Option<&str> {
        Some("ada")
    }

    fn property(&self, name: &str) -> Option<&str> {
        (name == "scheme").then_some("jwt")
    }

    fn roles(&self) -> Vec<Cow<'_, str>> {
        ["viewer", "reporter", "editor"].map(Cow::Borrowed).to_vec()
    }

    fn scopes(&self) -> Vec<Cow<'_, str>> {
        ["orders:read", "orders:write"].map(Cow::Borrowed).to_vec()
    }

    fn path(&self) -> &str {
        "/t/acme/users/ada"
    }

    fn address(&self) -> IpAddr {
        [127, 0, 0, 1].into()
    }

    fn now(&self) -> u64 {
        1_795_737_600
    }

    fn value(&self, kind: Kind, name: &str, _: Shape) -> Result<Option<Value<'_>>, Unclear> {
        let text = match (kind, name) {
            (Kind::Path, "userId") => "ada",
            (Kind::Path, "tenant") | (Kind::Claim, "tid") => "acme",
            _ => return Ok(None),
        };
        Ok(Some(Value::Text(Cow::Borrowed(text))))
    }
}

/// Policies by the name of their figure: ten by role and scope, and ten of which each looks at the object.
fn figures() -> [(&'static str, String); 2] {
    let role = |number: usize| {
        format!(
            "permit(principal in Role::\"role{number}\", action, resource) when {{ principal.scopes.contains(\"s{number}\") }};"
        )
    };
    let owner = "permit(principal is Caller, action, resource) when { resource.path.userId == principal.sub };";
    let tenant = "forbid(principal is Caller, action, resource) unless { principal.claims has tid && principal.claims.tid == resource.path.tenant };";
    let other = |number: usize| {
        format!(
            "permit(principal is Caller, action, resource) when {{ resource.path.userId == \"u{number}\" && principal.claims has tid }};"
        )
    };
    let roles: String = (0..9).map(role).chain([owner.to_owned()]).collect();
    let objects: String = (0..8).map(other).chain([owner.to_owned(), tenant.to_owned()]).collect();
    [("access_ten_policies_of_roles", roles), ("access_ten_policies_of_objects", objects)]
}

fn judge(text: &str) -> Result<Judge, Box<dyn std::error::Error>> {
    let action = Action {
        id: "getUser".to_owned(),
        parameters: vec!["tenant".to_owned(), "userId".to_owned()],
        anonymous: false,
    };
    let values = vec![(Kind::Claim, "tid".to_owned(), Shape::Text)];
    let policies = Policies::read(&[text]).map_err(|mistakes| format!("{mistakes:?}"))?;
    let mistakes = policies.check(&World { actions: vec![action.clone()], values: values.clone() }, &[text]);
    if !mistakes.is_empty() {
        return Err(format!("{mistakes:?}").into());
    }
    let chosen: Vec<_> = (0..policies.statements().len()).map(|place| (&policies, place, place)).collect();
    Ok(Judge::compile(&action, &values, &chosen)?)
}

/// Nanoseconds of one decision: every policy is asked.
fn run(judge: &Judge) -> f64 {
    let start_ns = cpu_ns();
    for _ in 0..DECISIONS {
        let hearing = black_box(judge).hear(&Asked);
        let told: Vec<Option<bool>> = (0..10).map(|number| hearing.applies(black_box(number))).collect();
        assert!(told.contains(&Some(true)) && !told.contains(&None), "nothing was permitted");
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
    let mut met = true;
    for (name, text) in figures() {
        let judge = judge(&text)?;
        let mut samples: Vec<f64> = (0..ROUNDS).map(|_| run(&judge)).collect();
        met &= figure(name, &mut samples);
    }
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
