//! Callers who prove who they are, and those who do not: API keys and tokens.

use super::{Answer, Outcome, Row, Scene};
use crate::demo::{Member, OPAQUE_TOKEN};
use crate::ending::Stop;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

const AUTHENTICATION: &str = "authentication";
const TOKENS: &str = "JWT validation";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    let mut rows = keys(scene);
    rows.extend(members(scene));
    rows.extend(signed(scene));
    rows.extend(tokens(scene));
    rows.extend(bound(scene));
    rows.extend(certified(scene));
    rows.extend(found(scene));
    rows.extend(opaque(scene));
    rows.push(stated(scene));
    rows.push(described(scene));
    rows
}

fn keys(scene: &Scene<'_>) -> Vec<Row> {
    let key = scene.callers.key.reveal();
    let line = format!("X-API-Key: {key}\r\n");
    let told = answered(scene.client.get("/account", &line), "shop", key);
    let mut wrong = key.to_owned();
    let last = if wrong.ends_with('0') { "1" } else { "0" };
    wrong.replace_range(wrong.len() - 1.., last);
    let ask = |more: &str| format!("GET /account HTTP/1.1\r\nHost: localhost\r\n{more}\r\n");
    let in_query = format!("GET /account?api_key={key} HTTP/1.1\r\nHost: localhost\r\n\r\n");
    vec![
        scene.refused(
            AUTHENTICATION,
            "GET /account without a credential",
            "401 missing_credential",
            ask("").as_bytes(),
        ),
        Row::new(
            AUTHENTICATION,
            "the same with an API key",
            "200, the API is told `shop` and sees no credential",
            told,
        ),
        scene.refused(
            AUTHENTICATION,
            "with a key that is wrong in its last letter",
            "401 invalid_api_key",
            ask(&format!("X-API-Key: {wrong}\r\n")).as_bytes(),
        ),
        scene.refused(AUTHENTICATION, "with the key in the address", "400 credential_in_query", in_query.as_bytes()),
    ]
}

/// Clients that show certificates.
fn members(scene: &Scene<'_>) -> Vec<Row> {
    let ask = |member: &Member| {
        let client = scene.client.showing(&scene.authority, &member.certificate, &member.key)?;
        client.get("/account", "")
    };
    let Member { certificate, .. } = &scene.callers.member;
    let told = answered(ask(&scene.callers.member), "shop.demo", certificate);
    let refused = |member: &Member| match ask(member) {
        Ok(answer) => Ok((answer.brief(), false)),
        Err(_) => Ok(("no connection".to_owned(), true)),
    };
    vec![
        Row::new(
            AUTHENTICATION,
            "with a client certificate and nothing else",
            "200, the API is told `shop.demo` and sees no credential",
            told,
        ),
        Row::new(
            AUTHENTICATION,
            "with one of the same name and another authority",
            "no connection",
            refused(&scene.callers.stranger),
        ),
        Row::new(AUTHENTICATION, "with one that was revoked", "no connection", refused(&scene.callers.revoked)),
    ]
}

/// A partner who signs his requests.
fn signed(scene: &Scene<'_>) -> Vec<Row> {
    let made = scene.callers.signature("https://localhost/account");
    let lines = match made {
        Ok(lines) => lines,
        Err(stop) => return vec![Row::new(AUTHENTICATION, "a signed request", "200", Err(stop.summary()))],
    };
    let signature = lines.lines().last().unwrap_or_default().trim_start_matches("Signature: ").to_owned();
    let told = answered(scene.client.get("/account", &lines), "partner", &signature);
    let ask = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    vec![
        Row::new(AUTHENTICATION, "a signed request", "200, the API is told `partner` and sees no credential", told),
        scene.refused(AUTHENTICATION, "the same request again", "401 invalid_signature", ask("/account").as_bytes()),
    ]
}

fn tokens(scene: &Scene<'_>) -> Vec<Row> {
    let token = |lifetime| scene.callers.token(lifetime).map_err(|stop| stop.summary());
    let bearer = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let refused = |request: &str, expected: &str, token: Result<String, String>| match token {
        Ok(token) => {
            let bytes = format!("GET /account HTTP/1.1\r\nHost: localhost\r\n{}\r\n", bearer(&token));
            scene.refused(TOKENS, request, expected, bytes.as_bytes())
        }
        Err(error) => Row::new(TOKENS, request, expected, Err(error)),
    };
    let forged = token(300).map(|good| {
        let payload = good.split('.').nth(1).unwrap_or_default().to_owned();
        format!("{}.{payload}.", URL_SAFE_NO_PAD.encode(r#"{"typ":"at+jwt","alg":"none"}"#))
    });
    let changed = token(300).map(|good| {
        let other = URL_SAFE_NO_PAD.encode(r#"{"iss":"https://issuer.demo","aud":"account","sub":"root"}"#);
        let mut parts = good.split('.');
        let (head, _, signature) = (parts.next(), parts.next(), parts.next());
        format!("{}.{other}.{}", head.unwrap_or_default(), signature.unwrap_or_default())
    });
    let told = token(300).and_then(|token| answered(scene.client.get("/account", &bearer(&token)), "ada", &token));
    vec![
        Row::new(TOKENS, "GET /account with a token", "200, the API is told `ada` and sees no credential", told),
        refused("with a token that has expired", "401 expired_token", token(-60)),
        refused("with a token that names no algorithm", "401 invalid_token", forged),
        refused("with a token whose claims were changed", "401 invalid_token", changed),
    ]
}

/// A token that is bound to a key of its holder.
fn bound(scene: &Scene<'_>) -> Vec<Row> {
    let made = || -> Result<(String, String, String), Stop> {
        let token = scene.callers.bound_token()?;
        let proof = scene.callers.proof(&token, "https://localhost/account")?;
        let other = scene.callers.proof(&token, "https://localhost/orders")?;
        Ok((token, proof, other))
    };
    let (token, proof, other) = match made() {
        Ok(made) => made,
        Err(stop) => return vec![Row::new(TOKENS, "a token that is bound to a key", "200", Err(stop.summary()))],
    };
    let line = |scheme: &str, proof: &str| format!("Authorization: {scheme} {token}\r\nDPoP: {proof}\r\n");
    let ask = |lines: &str| format!("GET /account HTTP/1.1\r\nHost: localhost\r\n{lines}\r\n");
    let told = answered(scene.client.get("/account", &line("DPoP", &proof)), "ada", &token);
    let refused =
        |request: &str, expected: &str, lines: String| scene.refused(TOKENS, request, expected, ask(&lines).as_bytes());
    vec![
        Row::new(
            TOKENS,
            "with a token that is bound to a key, and a proof",
            "200, the API is told `ada` and sees no credential",
            told,
        ),
        refused("the same proof again", "401 invalid_proof", line("DPoP", &proof)),
        refused("with a proof for another address", "401 invalid_proof", line("DPoP", &other)),
        refused("the same token as whoever had stolen it", "401 insufficient_binding", line("Bearer", &proof)),
    ]
}

/// A token that is bound to a certificate.
fn certified(scene: &Scene<'_>) -> Vec<Row> {
    let token = match scene.callers.certified_token() {
        Ok(token) => token,
        Err(stop) => {
            return vec![Row::new(TOKENS, "a token that is bound to a certificate", "200", Err(stop.summary()))];
        }
    };
    let line = format!("Authorization: Bearer {token}\r\n");
    let Member { certificate, key, .. } = &scene.callers.member;
    let answer =
        scene.client.showing(&scene.authority, certificate, key).and_then(|client| client.get("/account", &line));
    let stolen = format!("GET /account HTTP/1.1\r\nHost: localhost\r\n{line}\r\n");
    vec![
        Row::new(
            TOKENS,
            "with a token that is bound to a certificate, and that certificate",
            "200, the API is told `ada` and sees no credential",
            answered(answer, "ada", &token),
        ),
        scene.refused(TOKENS, "the same token without the certificate", "401 insufficient_binding", stolen.as_bytes()),
    ]
}

/// Tokens of an issuer that is asked where its keys are.
fn found(scene: &Scene<'_>) -> Vec<Row> {
    let line = |good| scene.callers.found_token(good).map_err(|stop| stop.summary());
    let (good, bad) = match (line(true), line(false)) {
        (Ok(good), Ok(bad)) => (good, bad),
        (Err(error), _) | (_, Err(error)) => {
            return vec![Row::new(TOKENS, "a token of an issuer whose keys are found", "200", Err(error))];
        }
    };
    let told = answered(scene.client.get("/account", &format!("Authorization: Bearer {good}\r\n")), "ada", &good);
    let forged = format!("GET /account HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {bad}\r\n\r\n");
    vec![
        Row::new(
            TOKENS,
            "with a token of an issuer that says itself where its keys are",
            "200, the API is told `ada` and sees no credential",
            told,
        ),
        scene.refused(TOKENS, "with one that another issuer has signed", "401 invalid_token", forged.as_bytes()),
    ]
}

fn opaque(scene: &Scene<'_>) -> Vec<Row> {
    let line = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let told = answered(scene.client.get("/account", &line(OPAQUE_TOKEN)), "olga", OPAQUE_TOKEN);
    let guess = format!("GET /account HTTP/1.1\r\nHost: localhost\r\n{}\r\n", line("guessed-opaque-token"));
    vec![
        Row::new(
            AUTHENTICATION,
            "GET /account with an opaque token",
            "200, the API is told `olga` and sees no credential",
            told,
        ),
        scene.refused(AUTHENTICATION, "with one that its issuer does not know", "401 invalid_token", guess.as_bytes()),
    ]
}

/// What the gateway signs about a caller, beside what the caller would like to be signed.
fn stated(scene: &Scene<'_>) -> Row {
    let lines = format!("X-API-Key: {}\r\nX-Identity-Token: of-the-client\r\n", scene.callers.key.reveal());
    let answer = scene.client.get("/account", &lines).map(|answer| {
        let seen = answer.body.to_ascii_lowercase();
        let signed = seen.matches("x-identity-token").count() == 1 && !seen.contains("of-the-client");
        let got = if signed { "200, the API gets one, and not that one" } else { "the API gets another one, or none" };
        (got.to_owned(), answer.status == 200 && signed)
    });
    let request = "with a key and an X-Identity-Token of the client's own";
    Row::new(AUTHENTICATION, request, "200, the API gets one, and not that one", answer)
}

/// Where a client without a token learns whose it needs.
fn described(scene: &Scene<'_>) -> Row {
    let path = "/.well-known/oauth-protected-resource/account";
    let answer = scene.client.get(path, "").map(|answer| {
        let names = answer.body.contains("https://issuer.demo") && answer.body.contains("https://opaque.demo");
        let got = if names { "200, the issuers whose tokens it takes".to_owned() } else { answer.brief() };
        (got, answer.status == 200 && names)
    });
    Row::new(AUTHENTICATION, &format!("GET {path}"), "200, the issuers whose tokens it takes", answer)
}

/// What the API was told, which it repeats.
fn answered(answer: Result<Answer, String>, who: &str, secret: &str) -> Outcome {
    let answer = answer?;
    let seen = answer.body.to_ascii_lowercase();
    let named = seen.contains("x-consumer-id") && answer.body.contains(who);
    let got = match (answer.status, named, answer.body.contains(secret)) {
        (200, true, false) => format!("200, the API is told `{who}` and sees no credential"),
        (200, true, true) => "200, the API sees the credential".to_owned(),
        (200, false, _) => "200, the API is not told who calls".to_owned(),
        (_, _, _) => answer.brief(),
    };
    let ok = got.ends_with("sees no credential");
    Ok((got, ok))
}
