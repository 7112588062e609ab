//! Updates while serving: a changed configuration is taken over without a lost request, a bad one not at all.

use super::{Row, Scene};
use std::fs;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const UPDATES: &str = "updates";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![reloaded(scene), kept(scene)]
}

/// Adds a route while requests go on, by writing the file that the gateway watches.
fn reloaded(scene: &Scene<'_>) -> Row {
    let expected = "a new route answers, no request lost";
    let outcome = (|| {
        let text = fs::read_to_string(&scene.config).map_err(|error| error.to_string())?;
        let route = "      - { id: echo, path: /echo, methods: [GET] }\n";
        let more = format!("{route}      - {{ id: echoAgain, path: /echo/again, methods: [GET], authn: refuse }}\n");
        let before = scene.client.get("/lab/echo/again", "")?.status;
        let (stop, lost, served) = (AtomicBool::new(false), AtomicU32::new(0), AtomicU32::new(0));
        let after = std::thread::scope(|threads| {
            threads.spawn(|| {
                while !stop.load(Ordering::Relaxed) {
                    let well = scene.client.get("/orders/v1/1001", "").is_ok_and(|answer| answer.status == 200);
                    if well { &served } else { &lost }.fetch_add(1, Ordering::Relaxed);
                }
            });
            let written = fs::write(&scene.config, text.replace(route, &more)).map_err(|error| error.to_string());
            let answer = scene.eventually(|| {
                let answer = scene.client.get("/lab/echo/again", "").ok()?;
                (answer.code() == "route_closed").then(|| answer.brief())
            });
            stop.store(true, Ordering::Relaxed);
            written.map(|()| answer)
        })?;
        let (lost, served) = (lost.into_inner(), served.into_inner());
        Ok(match (before, after, lost) {
            (404, Some(_), 0) if served > 0 => (expected.to_owned(), true),
            (404, Some(_), lost) => (format!("a new route answers, {lost} requests lost of {}", lost + served), false),
            (404, None, _) => ("not taken over within ten seconds".to_owned(), false),
            (status, _, _) => (format!("the route was there before: {status}"), false),
        })
    })();
    Row::new(UPDATES, "a route added to the file while requests go on", expected, outcome)
}

/// A mistake anywhere in the file keeps all of the configuration in force.
fn kept(scene: &Scene<'_>) -> Row {
    let expected = "counted, all answers as before";
    let outcome = (|| {
        let failed = |scene: &Scene<'_>| scene.metric("portcullis_reloads_failed_total").unwrap_or(0);
        let text = fs::read_to_string(&scene.config).map_err(|error| error.to_string())?;
        let before = failed(scene);
        let broken = text.replace("authn: refuse", "autn: refuse");
        fs::write(&scene.config, &broken).map_err(|error| error.to_string())?;
        let counted = scene.eventually(|| (failed(scene) > before).then(String::new)).is_some();
        let closed = scene.client.ask("DELETE", "/users/7", "")?.code() == "route_closed";
        let served = scene.client.get("/orders/v1/1001", "")?.status == 200;
        fs::write(&scene.config, text).map_err(|error| error.to_string())?;
        Ok(match (counted, closed && served) {
            (true, true) => (expected.to_owned(), true),
            (true, false) => ("counted, but something answers otherwise".to_owned(), false),
            (false, _) => ("not counted within ten seconds".to_owned(), false),
        })
    })();
    Row::new(UPDATES, "a misspelt setting in the file", expected, outcome)
}
