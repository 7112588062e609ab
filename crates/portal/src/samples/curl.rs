//! A shell, with curl, and with openssl where something has to be signed.

use super::Call;

/// The call.
pub(super) fn sample(call: &Call<'_>) -> String {
    let mut out = format!("URL={}\n", word(&call.url));
    if let Some(body) = call.body {
        out.push_str(&format!("BODY={}\n", word(body)));
    }
    if call.proof.is_some() {
        out.push_str(&proof(call));
    }
    if call.signature.is_some() {
        out.push_str(&signature(call));
    }
    out.push_str("curl --fail-with-body \"$URL\"");
    let mut option = |text: String| out.push_str(&format!(" \\\n  {text}"));
    if call.method != "GET" {
        option(format!("--request {}", call.method));
    }
    for (name, value) in &call.fields {
        option(format!("--header {}", word(&format!("{name}: {value}"))));
    }
    if call.token {
        option(format!("--header \"Authorization: {} $ACCESS_TOKEN\"", call.scheme()));
    }
    if let Some(field) = call.key_field {
        option(format!("--header \"{field}: $API_KEY\""));
    }
    if call.proof.is_some() {
        option("--header \"DPoP: $PROOF\"".to_owned());
    }
    if call.signature.is_some() {
        if call.body.is_some() {
            option("--header \"Content-Digest: $CONTENT_DIGEST\"".to_owned());
        }
        option("--header \"Signature-Input: sig=$PARAMETERS\"".to_owned());
        option("--header \"Signature: sig=:$SIGNATURE:\"".to_owned());
    }
    if call.certificate {
        option("--cert client.pem --key client-key.pem".to_owned());
    }
    if call.body.is_some() {
        option("--data-binary \"$BODY\"".to_owned());
    }
    out.push('\n');
    out
}

/// A text that no shell looks into.
fn word(text: &str) -> String {
    format!("'{}'", text.replace('\'', "'\\''"))
}

fn proof(call: &Call<'_>) -> String {
    if !call.proof_takes("EdDSA") {
        return "# PROOF is made as the programs below show it\n".to_owned();
    }
    let nonce = if call.proof.is_some_and(|proof| proof.nonce) { ",\"nonce\":\"%s\"" } else { "" };
    let value = if nonce.is_empty() { "" } else { " \"$DPOP_NONCE\"" };
    format!(
        "# dpop-key.pem: openssl genpkey -algorithm ed25519 -out dpop-key.pem\n\
         b64url() {{ base64 | tr -d '=\\n' | tr '/+' '_-'; }}\n\
         X=$(openssl pkey -in dpop-key.pem -pubout -outform DER | tail -c 32 | b64url)\n\
         ATH=$(printf %s \"$ACCESS_TOKEN\" | openssl dgst -sha256 -binary | b64url)\n\
         HEAD=$(printf '{{\"typ\":\"dpop+jwt\",\"alg\":\"EdDSA\",\"jwk\":{{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}}}}' \"$X\" | b64url)\n\
         CLAIMS=$(printf '{{\"htm\":\"{method}\",\"htu\":\"%s\",\"iat\":%s,\"jti\":\"%s\",\"ath\":\"%s\"{nonce}}}' \\\n  \
         \"${{URL%%\\?*}}\" \"$(date +%s)\" \"$(openssl rand -hex 16)\" \"$ATH\"{value} | b64url)\n\
         printf %s \"$HEAD.$CLAIMS\" > proof.txt\n\
         PROOF=$HEAD.$CLAIMS.$(openssl pkeyutl -sign -inkey dpop-key.pem -rawin -in proof.txt | b64url)\n",
        method = call.method
    )
}

fn signature(call: &Call<'_>) -> String {
    let covered = call.covered();
    let list: Vec<String> = covered.iter().map(|one| format!("\\\"{one}\\\"")).collect();
    let end = call.signature_end("$(date +%s)", "$KEY_ID", "$(openssl rand -hex 16)").replace('"', "\\\"");
    let mut out = "# signing-key.pem holds your Ed25519 key, KEY_ID is what the operator knows it by\n".to_owned();
    if call.body.is_some() {
        out.push_str("CONTENT_DIGEST=\"sha-256=:$(printf %s \"$BODY\" | openssl dgst -sha256 -binary | base64):\"\n");
    }
    out.push_str(&format!("PARAMETERS=\"({}){end}\"\n{{\n", list.join(" ")));
    for component in &covered {
        out.push_str(&format!("  echo '\"{component}\": '{}\n", value(call, component)));
    }
    out.push_str(
        "  printf '\"@signature-params\": %s' \"$PARAMETERS\"\n} > base.txt\n\
         SIGNATURE=$(openssl pkeyutl -sign -inkey signing-key.pem -rawin -in base.txt | base64 | tr -d '\\n')\n",
    );
    out
}

/// What a component is of this call.
fn value(call: &Call<'_>, component: &str) -> String {
    let rest = call.url.split_once("://").map_or("", |(_, rest)| rest);
    let (host, target) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len())).unwrap_or((rest, ""));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let field = call.fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(component));
    match component {
        "@method" => word(call.method),
        "@authority" => word(host),
        "@target-uri" => "\"$URL\"".to_owned(),
        "@scheme" => word(call.url.split(':').next().unwrap_or("https")),
        "@path" => word(if path.is_empty() { "/" } else { path }),
        "@query" => word(&format!("?{query}")),
        "@request-target" => word(target),
        "content-digest" => "\"$CONTENT_DIGEST\"".to_owned(),
        "authorization" => format!("\"{} $ACCESS_TOKEN\"", call.scheme()),
        _ => field.map_or_else(|| "\"the value of that field\"".to_owned(), |(_, value)| word(value)),
    }
}
