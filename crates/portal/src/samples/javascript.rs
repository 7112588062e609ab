//! JavaScript for Node.js, with nothing but what comes with it.

use super::{Call, quoted};

/// The call.
pub(super) fn sample(call: &Call<'_>) -> String {
    let mut out = imports(call);
    out.push_str(&format!("const method = {};\nconst url = new URL({});\n", quoted(call.method), quoted(&call.url)));
    let fields: Vec<String> = call
        .fields
        .iter()
        .map(|(name, value)| format!("{}: {}", quoted(&name.to_lowercase()), quoted(value)))
        .collect();
    out.push_str(&format!("const headers = {{ {} }};\n", fields.join(", ")));
    if let Some(body) = call.body {
        out.push_str(&format!("const body = {};\n", quoted(body)));
    }
    if call.token {
        out.push_str("const token = process.env.ACCESS_TOKEN;\n");
        out.push_str(&format!("headers.authorization = `{} ${{token}}`;\n", call.scheme()));
    }
    if let Some(field) = call.key_field {
        out.push_str(&format!("headers[{}] = process.env.API_KEY;\n", quoted(&field.to_lowercase())));
    }
    if call.proof.is_some() {
        out.push_str(&proof(call));
    }
    if call.signature.is_some() {
        out.push_str(&signature(call));
    }
    out.push('\n');
    match call.certificate {
        true => out.push_str(&over_certificate(call)),
        false => {
            let body = if call.body.is_some() { ", body" } else { "" };
            out.push_str(&format!(
                "const answer = await fetch(url, {{ method, headers{body}, redirect: \"manual\" }});\n"
            ));
            out.push_str("console.log(answer.status, await answer.text());\n");
        }
    }
    out
}

fn imports(call: &Call<'_>) -> String {
    let mut crypto = Vec::new();
    if call.proof.is_some() || (call.signature.is_some() && call.body.is_some()) {
        crypto.push("createHash");
    }
    if call.proof.is_some() || call.signature.is_some() {
        crypto.push("createPrivateKey");
    }
    if call.proof.is_some() {
        crypto.push("createPublicKey");
    }
    if call.proof.is_some() || call.signature.is_some() {
        crypto.extend(["randomUUID", "sign"]);
    }
    let mut out = String::new();
    if !crypto.is_empty() {
        out.push_str(&format!("import {{ {} }} from \"node:crypto\";\n", crypto.join(", ")));
    }
    if !crypto.is_empty() || call.certificate {
        out.push_str("import { readFileSync } from \"node:fs\";\n");
    }
    if call.certificate {
        out.push_str("import { request } from \"node:https\";\n");
    }
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

fn proof(call: &Call<'_>) -> String {
    let nonce = if call.proof.is_some_and(|proof| proof.nonce) { ", nonce: process.env.DPOP_NONCE" } else { "" };
    let (name, sign) = if call.proof_takes("ES256") {
        ("ES256", "sign(\"sha256\", Buffer.from(signed), { key: proofKey, dsaEncoding: \"ieee-p1363\" })")
    } else {
        ("EdDSA", "sign(null, Buffer.from(signed), proofKey)")
    };
    format!(
        "\nconst proofKey = createPrivateKey(readFileSync(\"dpop-key.pem\"));\n\
         const jwk = createPublicKey(proofKey).export({{ format: \"jwk\" }});\n\
         const part = (value) => Buffer.from(JSON.stringify(value)).toString(\"base64url\");\n\
         const ath = createHash(\"sha256\").update(token).digest(\"base64url\");\n\
         const iat = Math.floor(Date.now() / 1000);\n\
         const claims = {{ htm: method, htu: url.origin + url.pathname, iat, jti: randomUUID(), ath{nonce} }};\n\
         const signed = `${{part({{ typ: \"dpop+jwt\", alg: \"{name}\", jwk }})}}.${{part(claims)}}`;\n\
         headers.dpop = `${{signed}}.${{{sign}.toString(\"base64url\")}}`;\n"
    )
}

fn signature(call: &Call<'_>) -> String {
    let covered: Vec<String> = call.covered().iter().map(|one| quoted(one)).collect();
    let end = call.signature_end("${Math.floor(Date.now() / 1000)}", "${process.env.KEY_ID}", "${randomUUID()}");
    let digest = match call.body {
        Some(_) => {
            "headers[\"content-digest\"] = `sha-256=:${createHash(\"sha256\").update(body).digest(\"base64\")}:`;\n"
        }
        None => "",
    };
    format!(
        "\n{digest}const values = {{\n  ...headers,\n  \"@method\": method,\n  \"@target-uri\": url.href,\n  \
         \"@scheme\": url.protocol.slice(0, -1),\n  \"@authority\": url.host,\n  \"@path\": url.pathname,\n  \
         \"@query\": url.search || \"?\",\n  \"@request-target\": url.pathname + url.search,\n}};\n\
         const covered = [{}];\n\
         const parameters = `(${{covered.map((one) => `\"${{one}}\"`).join(\" \")}}){end}`;\n\
         const base = [...covered.map((one) => `\"${{one}}\": ${{values[one]}}`), `\"@signature-params\": ${{parameters}}`].join(\"\\n\");\n\
         const signingKey = createPrivateKey(readFileSync(\"signing-key.pem\")); // Ed25519\n\
         headers[\"signature-input\"] = `sig=${{parameters}}`;\n\
         headers.signature = `sig=:${{sign(null, Buffer.from(base), signingKey).toString(\"base64\")}}:`;\n",
        covered.join(", ")
    )
}

fn over_certificate(call: &Call<'_>) -> String {
    let end = if call.body.is_some() { "call.end(body);" } else { "call.end();" };
    format!(
        "const cert = readFileSync(\"client.pem\");\nconst key = readFileSync(\"client-key.pem\");\n\
         const call = request(url, {{ method, headers, cert, key }}, (answer) => {{\n  \
         console.log(answer.statusCode);\n  answer.pipe(process.stdout);\n}});\n{end}\n"
    )
}
