//! Known holes are closed while the gateway runs: by bundles that the right keys have signed, and by no others.

use super::{Row, Scene};
use crate::command::{step_back, take_bundle};
use crate::feed::KIND;
use crate::signed::{Signer, seal};

const UPDATES: &str = "updates";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![refused(scene), patched(scene)]
}

fn bundle(version: u64, signer: &Signer) -> Result<String, String> {
    let text = format!(
        r#"{{ "name": "demo", "version": {version}, "expires": "2099-12-31", "patches": [
  {{ "id": "VP-1", "reason": "CVE-2026-4711", "action": "refuse", "api": "orders", "operation": "getOrder",
    "when": [{{ "target": "query", "name": "debug", "present": true }}] }}
] }}"#
    );
    seal(KIND, &text, std::slice::from_ref(signer))
}

/// A number that no bundle of an earlier start has.
fn version(scene: &Scene<'_>) -> u64 {
    let wall = scene.client.clock().wall().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap_or_default();
    wall.as_secs()
}

fn refused(scene: &Scene<'_>) -> Row {
    let expected = "signature; the order is served";
    let outcome = (|| {
        let stranger = Signer::from_seed(&[7; 32]).map_err(str::to_owned)?;
        let code = take_bundle(&scene.config, &bundle(version(scene), &stranger)?).err().unwrap_or("taken");
        let served = scene.client.get("/orders/v2/1001?debug=1", "")?.status == 200;
        let got = format!("{code}; the order is {}", if served { "served" } else { "not served" });
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(UPDATES, "a bundle of virtual patches that a stranger has signed", expected, outcome)
}

fn patched(scene: &Scene<'_>) -> Row {
    let expected = "403 patch_refused; without debug 200; after feed rollback 200";
    let outcome = (|| {
        take_bundle(&scene.config, &bundle(version(scene), &scene.callers.patcher)?).map_err(str::to_owned)?;
        let closed = scene.eventually(|| {
            let answer = scene.client.get("/orders/v2/1001?debug=1", "").ok()?;
            (answer.status == 403).then(|| answer.brief())
        });
        let good = scene.client.get("/orders/v2/1001", "")?.status;
        step_back(&scene.config).map_err(|stop| stop.summary())?;
        let again = scene.eventually(|| {
            let answer = scene.client.get("/orders/v2/1001?debug=1", "").ok()?;
            (answer.status == 200).then(|| answer.brief())
        });
        let closed = closed.unwrap_or_else(|| "still served".to_owned());
        let again = again.unwrap_or_else(|| "still refused".to_owned());
        let got = format!("{closed}; without debug {good}; after feed rollback {again}");
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(UPDATES, "GET /orders/v2/1001?debug=1, after a virtual patch has been taken over", expected, outcome)
}
