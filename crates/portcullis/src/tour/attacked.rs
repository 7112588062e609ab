//! A light penetration test of a part of the shop, straight and through the gateway.

use super::{Row, Scene};
use crate::command::openings;

const AUDITS: &str = "audits";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![straight(scene), through(scene)]
}

/// What is found at a target, and by how many probes' requests.
fn tried(scene: &Scene<'_>, target: &str) -> Result<Vec<String>, String> {
    let contract = scene.config.with_file_name("shop.yaml");
    let report = openings(target, &contract, &scene.authority).map_err(|stop| stop.summary())?;
    if report.requests < 50 || report.reached.is_empty() {
        return Err(format!("{} requests reached {} operations", report.requests, report.reached.len()));
    }
    Ok(report.findings.into_iter().map(|one| format!("{} {}", one.probe, one.place)).collect())
}

fn straight(scene: &Scene<'_>) -> Row {
    let expected = "PT-H02 GET /customers/{id}, and more";
    let [first, _] = scene.upstreams.addresses();
    let outcome = tried(scene, &format!("http://{first}/shop")).map(|found| {
        let wanted = "PT-H02 GET /customers/{id}";
        let ok = found.iter().any(|one| one == wanted) && found.len() > 1;
        (if ok { expected.to_owned() } else { format!("found: {}", found.join(", ")) }, ok)
    });
    Row::new(AUDITS, "portcullis pentest --light, straight at the shop", expected, outcome)
}

fn through(scene: &Scene<'_>) -> Row {
    let expected = "nothing is found";
    let outcome = tried(scene, &format!("https://localhost:{}/shop", scene.secure.port())).map(|found| {
        let got = if found.is_empty() { expected.to_owned() } else { format!("found: {}", found.join(", ")) };
        (got, found.is_empty())
    });
    Row::new(AUDITS, "portcullis pentest --light, through the gateway", expected, outcome)
}
