//! Rust, with `reqwest`, and with small crates where something has to be signed.

use super::Call;

/// The call.
pub(super) fn sample(call: &Call<'_>) -> String {
    let signs = call.proof.is_some() || call.signature.is_some();
    let mut out = String::from("// reqwest = { version = \"0.12\", features = [\"blocking\", \"rustls-tls\"] }\n");
    if signs {
        out.push_str("// base64 = \"0.22\", rand = \"0.8\", sha2 = \"0.10\"");
        if call.proof.is_some() {
            out.push_str(", serde_json = \"1\"");
        }
        if call.proof_takes("ES256") {
            out.push_str(", p256 = \"0.13\"");
        }
        if call.signature.is_some() || (call.proof.is_some() && !call.proof_takes("ES256")) {
            out.push_str(", ed25519-dalek = { version = \"2\", features = [\"pkcs8\", \"pem\"] }");
        }
        out.push_str("\nuse base64::{Engine, engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD}};\nuse sha2::{Digest, Sha256};\nuse std::time::{SystemTime, UNIX_EPOCH};\n");
    }
    out.push_str("\nfn main() -> Result<(), Box<dyn std::error::Error>> {\n");
    out.push_str(&format!("    let (method, url) = ({:?}, {:?});\n", call.method, call.url));
    let body = call.body.map(|body| format!("    let body = {body:?};\n")).unwrap_or_default();
    out.push_str(&body);
    match call.certificate {
        true => out.push_str(
            "    let pem = [std::fs::read(\"client.pem\")?, std::fs::read(\"client-key.pem\")?].concat();\n    \
             let identity = reqwest::Identity::from_pem(&pem)?;\n    \
             let client = reqwest::blocking::Client::builder().identity(identity).build()?;\n",
        ),
        false => out.push_str("    let client = reqwest::blocking::Client::new();\n"),
    }
    if signs {
        out.push_str("    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();\n");
    }
    if call.token {
        out.push_str("    let token = std::env::var(\"ACCESS_TOKEN\")?;\n");
    }
    if call.proof.is_some() {
        out.push_str(&proof(call));
    }
    if call.signature.is_some() {
        out.push_str(&signature(call));
    }
    out.push_str("    let answer = client\n        .request(method.parse()?, url)\n");
    let mut field = |line: String| out.push_str(&format!("        .header({line})\n"));
    for (name, value) in &call.fields {
        field(format!("{name:?}, {value:?}"));
    }
    if call.token {
        field(format!("\"Authorization\", format!(\"{} {{token}}\")", call.scheme()));
    }
    if let Some(name) = call.key_field {
        field(format!("{name:?}, std::env::var(\"API_KEY\")?"));
    }
    if call.proof.is_some() {
        field("\"DPoP\", proof".to_owned());
    }
    if call.signature.is_some() {
        if call.body.is_some() {
            field("\"Content-Digest\", digest".to_owned());
        }
        field("\"Signature-Input\", format!(\"sig={parameters}\")".to_owned());
        field("\"Signature\", format!(\"sig=:{signature}:\")".to_owned());
    }
    if call.body.is_some() {
        out.push_str("        .body(body)\n");
    }
    out.push_str("        .send()?;\n    println!(\"{} {}\", answer.status(), answer.text()?);\n    Ok(())\n}\n");
    out
}

fn proof(call: &Call<'_>) -> String {
    let nonce =
        if call.proof.is_some_and(|proof| proof.nonce) { ", \"nonce\": std::env::var(\"DPOP_NONCE\")?" } else { "" };
    let (name, key, sign) = if call.proof_takes("ES256") {
        (
            "ES256",
            "    use p256::{ecdsa::{Signature, SigningKey, signature::Signer}, pkcs8::DecodePrivateKey};\n    \
             let proof_key = SigningKey::from_pkcs8_pem(&std::fs::read_to_string(\"dpop-key.pem\")?)?;\n    \
             let point = proof_key.verifying_key().to_encoded_point(false);\n    \
             let (x, y) = (point.x().ok_or(\"x\")?, point.y().ok_or(\"y\")?);\n    \
             let jwk = serde_json::json!({\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": URL_SAFE_NO_PAD.encode(x), \"y\": URL_SAFE_NO_PAD.encode(y)});\n",
            "    let proof_signature: Signature = proof_key.sign(signed.as_bytes());\n",
        )
    } else {
        (
            "EdDSA",
            "    use ed25519_dalek::{Signer, SigningKey, pkcs8::DecodePrivateKey};\n    \
             let proof_key = SigningKey::from_pkcs8_pem(&std::fs::read_to_string(\"dpop-key.pem\")?)?;\n    \
             let jwk = serde_json::json!({\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": URL_SAFE_NO_PAD.encode(proof_key.verifying_key())});\n",
            "    let proof_signature = proof_key.sign(signed.as_bytes());\n",
        )
    };
    format!(
        "{key}    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(&token));\n    \
         let id = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());\n    \
         let head = serde_json::json!({{\"typ\": \"dpop+jwt\", \"alg\": \"{name}\", \"jwk\": jwk}});\n    \
         let htu = url.split('?').next();\n    \
         let claims = serde_json::json!({{\"htm\": method, \"htu\": htu, \"iat\": now, \"jti\": id, \"ath\": ath{nonce}}});\n    \
         let signed = format!(\"{{}}.{{}}\", URL_SAFE_NO_PAD.encode(head.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()));\n{sign}    \
         let proof = format!(\"{{signed}}.{{}}\", URL_SAFE_NO_PAD.encode(proof_signature.to_bytes()));\n"
    )
}

fn signature(call: &Call<'_>) -> String {
    let covered = call.covered();
    let names: Vec<String> = covered.iter().map(|one| format!("\\\"{one}\\\"")).collect();
    let end = call.signature_end("{now}", "{}", "{nonce}").replace('"', "\\\"");
    let digest = match call.body {
        Some(_) => "    let digest = format!(\"sha-256=:{}:\", STANDARD.encode(Sha256::digest(body)));\n",
        None => "",
    };
    let mut lines = String::new();
    for one in &covered {
        lines.push_str(&format!("    base += &format!(\"\\\"{one}\\\": {{}}\\n\", {});\n", value(call, one)));
    }
    format!(
        "    use ed25519_dalek::Signer as _;\n{digest}    \
         let nonce = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 16]>());\n    \
         let parameters = format!(\"({}){end}\", std::env::var(\"KEY_ID\")?);\n    \
         let at = reqwest::Url::parse(url)?;\n    let mut base = String::new();\n{lines}    \
         base += &format!(\"\\\"@signature-params\\\": {{parameters}}\");\n    \
         let pem = std::fs::read_to_string(\"signing-key.pem\")?;\n    \
         let signing_key: ed25519_dalek::SigningKey = ed25519_dalek::pkcs8::DecodePrivateKey::from_pkcs8_pem(&pem)?;\n    \
         let signature = STANDARD.encode(signing_key.sign(base.as_bytes()).to_bytes());\n",
        names.join(" ")
    )
}

fn value(call: &Call<'_>, component: &str) -> String {
    let field = call.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(component));
    match component {
        "@method" => "method".to_owned(),
        "@target-uri" => "url".to_owned(),
        "@scheme" => "at.scheme()".to_owned(),
        "@authority" => "at.authority()".to_owned(),
        "@path" => "at.path()".to_owned(),
        "@query" => "format!(\"?{}\", at.query().unwrap_or_default())".to_owned(),
        "@request-target" => "&at[reqwest::url::Position::BeforePath..reqwest::url::Position::AfterQuery]".to_owned(),
        "content-digest" => "digest".to_owned(),
        "authorization" => format!("format!(\"{} {{token}}\")", call.scheme()),
        _ => field.map_or_else(|| "\"the value of that field\"".to_owned(), |(_, value)| format!("{value:?}")),
    }
}
