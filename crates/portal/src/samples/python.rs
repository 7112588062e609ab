//! Python, with `requests`, and with `cryptography` where something has to be signed.

use super::{Call, quoted};

/// The call.
pub(super) fn sample(call: &Call<'_>) -> String {
    let signs = call.proof.is_some() || call.signature.is_some();
    let mut out = String::new();
    if signs {
        out.push_str("import base64, hashlib, json, os, secrets, time\nfrom urllib.parse import urlsplit\n\n");
        out.push_str(
            "import requests\nfrom cryptography.hazmat.primitives.serialization import load_pem_private_key\n",
        );
    } else {
        out.push_str("import os\n\nimport requests\n");
    }
    out.push_str(&format!("\nmethod, url = {}, {}\n", quoted(call.method), quoted(&call.url)));
    let fields: Vec<String> =
        call.fields.iter().map(|(name, value)| format!("{}: {}", quoted(name), quoted(value))).collect();
    out.push_str(&format!("headers = {{{}}}\n", fields.join(", ")));
    match call.body {
        Some(body) => out.push_str(&format!("body = {}.encode()\n", quoted(body))),
        None => out.push_str("body = None\n"),
    }
    if call.token {
        out.push_str("token = os.environ[\"ACCESS_TOKEN\"]\n");
        out.push_str(&format!("headers[\"Authorization\"] = \"{} \" + token\n", call.scheme()));
    }
    if let Some(field) = call.key_field {
        out.push_str(&format!("headers[{}] = os.environ[\"API_KEY\"]\n", quoted(field)));
    }
    if call.proof.is_some() {
        out.push_str(&proof(call));
    }
    if call.signature.is_some() {
        out.push_str(&signature(call));
    }
    let certificate = if call.certificate { ", cert=(\"client.pem\", \"client-key.pem\")" } else { "" };
    out.push_str(&format!(
        "\nanswer = requests.request(method, url, headers=headers, data=body{certificate}, timeout=30, allow_redirects=False)\n\
         print(answer.status_code, answer.text)\n"
    ));
    out
}

fn proof(call: &Call<'_>) -> String {
    let nonce =
        if call.proof.is_some_and(|proof| proof.nonce) { ",\n    \"nonce\": os.environ[\"DPOP_NONCE\"]" } else { "" };
    let (name, jwk, sign) = if call.proof_takes("ES256") {
        (
            "ES256",
            "numbers = key.public_key().public_numbers()\n\
             jwk = {\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": b64url(numbers.x.to_bytes(32)), \"y\": b64url(numbers.y.to_bytes(32))}\n",
            "from cryptography.hazmat.primitives.asymmetric import ec, utils\n\
             from cryptography.hazmat.primitives.hashes import SHA256\n\
             r, s = utils.decode_dss_signature(key.sign(signed.encode(), ec.ECDSA(SHA256())))\n\
             signature = r.to_bytes(32) + s.to_bytes(32)\n",
        )
    } else {
        (
            "EdDSA",
            "jwk = {\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": b64url(key.public_key().public_bytes_raw())}\n",
            "signature = key.sign(signed.encode())\n",
        )
    };
    format!(
        "\ndef b64url(data):\n    return base64.urlsafe_b64encode(data).rstrip(b\"=\").decode()\n\n\
         key = load_pem_private_key(open(\"dpop-key.pem\", \"rb\").read(), None)\n{jwk}\
         head = {{\"typ\": \"dpop+jwt\", \"alg\": \"{name}\", \"jwk\": jwk}}\n\
         claims = {{\n    \"htm\": method, \"htu\": url.split(\"?\")[0], \"iat\": int(time.time()), \"jti\": secrets.token_hex(16),\n    \
         \"ath\": b64url(hashlib.sha256(token.encode()).digest()){nonce}}}\n\
         signed = b64url(json.dumps(head).encode()) + \".\" + b64url(json.dumps(claims).encode())\n{sign}\
         headers[\"DPoP\"] = signed + \".\" + b64url(signature)\n"
    )
}

fn signature(call: &Call<'_>) -> String {
    let covered: Vec<String> = call.covered().iter().map(|one| quoted(one)).collect();
    let end = call.signature_end("{int(time.time())}", "{os.environ['KEY_ID']}", "{secrets.token_hex(16)}");
    let digest = match call.body {
        Some(_) => {
            "headers[\"Content-Digest\"] = \"sha-256=:\" + base64.b64encode(hashlib.sha256(body).digest()).decode() + \":\"\n"
        }
        None => "",
    };
    format!(
        "\n{digest}at = urlsplit(url)\nvalues = {{name.lower(): value for name, value in headers.items()}}\n\
         values |= {{\n    \"@method\": method, \"@target-uri\": url, \"@scheme\": at.scheme, \"@authority\": at.netloc, \"@path\": at.path or \"/\",\n    \
         \"@query\": \"?\" + at.query, \"@request-target\": (at.path or \"/\") + (\"?\" + at.query if at.query else \"\")}}\n\
         covered = [{}]\n\
         parameters = \"(\" + \" \".join(f'\"{{one}}\"' for one in covered) + \")\" + f'{end}'\n\
         base = \"\".join(f'\"{{one}}\": {{values[one]}}\\n' for one in covered) + f'\"@signature-params\": {{parameters}}'\n\
         signing_key = load_pem_private_key(open(\"signing-key.pem\", \"rb\").read(), None)  # Ed25519\n\
         headers[\"Signature-Input\"] = \"sig=\" + parameters\n\
         headers[\"Signature\"] = \"sig=:\" + base64.b64encode(signing_key.sign(base.encode())).decode() + \":\"\n",
        covered.join(", ")
    )
    .replace("{os.environ['KEY_ID']}", "{os.environ[\"KEY_ID\"]}")
}
