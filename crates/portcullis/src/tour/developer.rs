//! What a developer does in the portal: signs in, makes a key, calls with it, replaces it, revokes it.

use super::{Answer, Outcome, Row, Scene};
use crate::demo::PASSWORD_FILE;
use portcullis_types::percent::encoded;
use std::fs;
use std::net::SocketAddr;

const DOCUMENTATION: &str = "documentation";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let told = |request: &str, expected: &str, outcome: Outcome| Row::new(DOCUMENTATION, request, expected, outcome);
    let visitor = match Visitor::signed_in(scene) {
        Ok(visitor) => visitor,
        Err(why) => return vec![told("signing in to the portal", "303, with a cookie", Err(why))],
    };
    let mut rows =
        vec![told("signing in to the portal", "303, with a cookie", Ok(("303, with a cookie".to_owned(), true)))];
    let expected = "401 without the password, 401 for a name that nobody has";
    rows.push(told("guessing at the way in", expected, guessed(scene).map(|got| (got.clone(), got == expected))));
    let made = visitor.application().and_then(|application| visitor.key(&application));
    match made {
        Err(why) => rows.push(told("making a key in the portal", "201, and calls with it are answered", Err(why))),
        Ok((key, id)) => rows.extend(lived(scene, &visitor, &key, &id)),
    }
    rows
}

/// The life of a key.
fn lived(scene: &Scene<'_>, visitor: &Visitor<'_>, key: &str, id: &str) -> Vec<Row> {
    let call = |key: &str| scene.client.get("/account", &format!("X-API-Key: {key}\r\n"));
    let mut rows = vec![Row::brief(DOCUMENTATION, "/account, with a key made in the portal", "200", call(key))];
    let others = visitor.form("/account/applications/00000000000/end", "").map(|answer| answer.status.to_string());
    let others = others.map(|got| (got.clone(), got == "404"));
    rows.push(Row::new(DOCUMENTATION, "ending an application of somebody else", "404", others));
    let successor = visitor.form(&format!("/account/keys/{id}/rotate"), "").and_then(|answer| shown(&answer));
    match successor {
        Err(why) => rows.push(Row::new(DOCUMENTATION, "replacing it", "200 with both meanwhile", Err(why))),
        Ok((next, next_id)) => {
            let both = call(key).and_then(|old| Ok(format!("{} and {}", old.brief(), call(&next)?.brief())));
            let both = both.map(|got| (got.clone(), got == "200 and 200"));
            rows.push(Row::new(DOCUMENTATION, "/account, with the key and with its successor", "200 and 200", both));
            // From addresses of their own: what fails there makes nobody else of the tour wait.
            let revoked = |id: &str, key: &str, address: &str| {
                let elsewhere = format!("X-Forwarded-For: {address}\r\nX-API-Key: {key}\r\n");
                visitor.form(&format!("/account/keys/{id}/revoke"), "")?;
                scene.client.get_plain(scene.behind, "/account", &elsewhere)
            };
            let next = revoked(&next_id, &next, "192.0.2.77");
            rows.push(Row::brief(DOCUMENTATION, "the same, revoked in the portal", "401 invalid_api_key", next));
            // A key that another one has taken the place of is not left open behind the tour.
            let ended = revoked(id, key, "192.0.2.78");
            rows.push(Row::brief(DOCUMENTATION, "the first one, revoked as well", "401 invalid_api_key", ended));
        }
    }
    rows
}

/// What somebody is told who guesses.
fn guessed(scene: &Scene<'_>) -> Result<String, String> {
    let address = scene.portal.ok_or("the demo has no portal")?;
    let wrong = sign_in(scene, address, "dev", "not the password")?;
    let nobody = sign_in(scene, address, "nobody", "not the password")?;
    if wrong.body != nobody.body {
        return Err("the two are told apart".to_owned());
    }
    Ok(format!("{} without the password, {} for a name that nobody has", wrong.status, nobody.status))
}

fn sign_in(scene: &Scene<'_>, address: SocketAddr, name: &str, password: &str) -> Result<Answer, String> {
    let form = format!("name={}&password={}", encoded(name), encoded(password));
    scene.client.post_plain(address, "/account/sign-in", &format!("Origin: http://{address}\r\n"), &form)
}

/// Somebody who has signed in.
struct Visitor<'s> {
    scene: &'s Scene<'s>,
    address: SocketAddr,
    cookie: String,
    token: String,
}

// === impl Visitor ===

impl<'s> Visitor<'s> {
    fn signed_in(scene: &'s Scene<'s>) -> Result<Self, String> {
        let address = scene.portal.ok_or("the demo has no portal")?;
        let folder = scene.config.parent().ok_or("the demo has no folder")?;
        let password = fs::read_to_string(folder.join(PASSWORD_FILE)).map_err(|error| error.to_string())?;
        let answer = sign_in(scene, address, "dev", password.trim())?;
        let cookie = answer.field("set-cookie").and_then(|set| set.split(';').next()).filter(|_| answer.status == 303);
        let cookie = cookie.ok_or_else(|| format!("{} without a cookie", answer.status))?.to_owned();
        let page = scene.client.get_plain(address, "/account", &format!("Cookie: {cookie}\r\n"))?;
        let token = between(&page.body, "name=\"csrf\" value=\"", "\"").ok_or("the page has no token")?.to_owned();
        Ok(Self { scene, address, cookie, token })
    }

    /// Sends a form as the page would.
    fn form(&self, path: &str, fields: &str) -> Result<Answer, String> {
        let head = format!("Origin: http://{}\r\nCookie: {}\r\n", self.address, self.cookie);
        self.scene.client.post_plain(self.address, path, &head, &format!("csrf={}&{fields}", encoded(&self.token)))
    }

    fn application(&self) -> Result<String, String> {
        let answer = self.form("/account/applications", "name=Tour")?;
        let place = answer.field("location").ok_or_else(|| format!("no application: {}", answer.status))?;
        Ok(place.to_owned())
    }

    fn key(&self, application: &str) -> Result<(String, String), String> {
        shown(&self.form(&format!("{application}/keys"), "api=account&scope=account%3Aread&days=1")?)
    }
}

/// The key that a page shows, and its id.
fn shown(answer: &Answer) -> Result<(String, String), String> {
    let key = between(&answer.body, "aria-label=\"The key\"><code>", "<");
    let id = between(&answer.body, "/account/keys/", "\"");
    let found = key.zip(id).filter(|_| answer.status == 201);
    found.map(|(key, id)| (key.to_owned(), id.to_owned())).ok_or_else(|| format!("no key: {}", answer.status))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    text.split_once(before)?.1.split_once(after).map(|(found, _)| found)
}
