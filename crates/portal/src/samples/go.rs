//! Go, with nothing but its standard library.

use super::{Call, quoted};

/// The call.
pub(super) fn sample(call: &Call<'_>) -> String {
    let mut out = format!(
        "package main\n\nimport (\n{}\n)\n\nfunc must[T any](value T, err error) T {{\n\tif err != nil {{\n\t\tpanic(err)\n\t}}\n\treturn value\n}}\n\nfunc main() {{\n",
        imports(call)
    );
    let body = match call.body {
        Some(body) => {
            out.push_str(&format!("\tbody := {}\n", quoted(body)));
            "strings.NewReader(body)"
        }
        None => "nil",
    };
    out.push_str(&format!(
        "\trequest := must(http.NewRequest({}, {}, {body}))\n",
        quoted(call.method),
        quoted(&call.url)
    ));
    for (name, value) in &call.fields {
        out.push_str(&format!("\trequest.Header.Set({}, {})\n", quoted(name), quoted(value)));
    }
    if call.token {
        out.push_str("\ttoken := os.Getenv(\"ACCESS_TOKEN\")\n");
        out.push_str(&format!("\trequest.Header.Set(\"Authorization\", \"{} \"+token)\n", call.scheme()));
    }
    if let Some(field) = call.key_field {
        out.push_str(&format!("\trequest.Header.Set({}, os.Getenv(\"API_KEY\"))\n", quoted(field)));
    }
    if call.proof.is_some() {
        out.push_str(&proof(call));
    }
    if call.signature.is_some() {
        out.push_str(&signature(call));
    }
    if call.certificate {
        out.push_str(
            "\tcertificate := must(tls.LoadX509KeyPair(\"client.pem\", \"client-key.pem\"))\n\
             \tconfig := &tls.Config{Certificates: []tls.Certificate{certificate}}\n\
             \tclient := &http.Client{Transport: &http.Transport{TLSClientConfig: config}}\n",
        );
    } else {
        out.push_str("\tclient := &http.Client{}\n");
    }
    out.push_str(
        "\tanswer := must(client.Do(request))\n\tdefer answer.Body.Close()\n\
         \tfmt.Println(answer.StatusCode, string(must(io.ReadAll(answer.Body))))\n}\n",
    );
    out
}

fn imports(call: &Call<'_>) -> String {
    let mut all = vec!["fmt", "io", "net/http"];
    let (proof, signature) = (call.proof.is_some(), call.signature.is_some());
    if call.body.is_some() || signature {
        all.push("strings");
    }
    if call.token || call.key_field.is_some() || proof || signature {
        all.push("os");
    }
    if call.certificate {
        all.push("crypto/tls");
    }
    if proof || signature {
        all.extend(["crypto/ed25519", "crypto/rand", "crypto/x509", "encoding/base64", "encoding/pem", "time"]);
    }
    if proof || (signature && call.body.is_some()) {
        all.push("crypto/sha256");
    }
    if proof && call.proof_takes("ES256") {
        all.push("crypto/ecdsa");
        if !signature {
            all.retain(|one| *one != "crypto/ed25519");
        }
    }
    if proof {
        all.push("encoding/json");
    }
    all.sort_unstable();
    all.iter().map(|one| format!("\t\"{one}\"")).collect::<Vec<_>>().join("\n")
}

fn proof(call: &Call<'_>) -> String {
    let nonce = if call.proof.is_some_and(|proof| proof.nonce) { ", \"nonce\": os.Getenv(\"DPOP_NONCE\")" } else { "" };
    let (name, key, sign) = if call.proof_takes("ES256") {
        (
            "ES256",
            "\tproofKey := must(x509.ParsePKCS8PrivateKey(proofPEM.Bytes)).(*ecdsa.PrivateKey)\n\
             \tx, y := make([]byte, 32), make([]byte, 32)\n\
             \tproofKey.X.FillBytes(x)\n\tproofKey.Y.FillBytes(y)\n\
             \tjwk := map[string]string{\"kty\": \"EC\", \"crv\": \"P-256\", \"x\": b64(x), \"y\": b64(y)}\n",
            "\tdigest := sha256.Sum256([]byte(signed))\n\
             \tr, s, err := ecdsa.Sign(rand.Reader, proofKey, digest[:])\n\tif err != nil {\n\t\tpanic(err)\n\t}\n\
             \tproof := make([]byte, 64)\n\tr.FillBytes(proof[:32])\n\ts.FillBytes(proof[32:])\n",
        )
    } else {
        (
            "EdDSA",
            "\tproofKey := must(x509.ParsePKCS8PrivateKey(proofPEM.Bytes)).(ed25519.PrivateKey)\n\
             \tjwk := map[string]string{\"kty\": \"OKP\", \"crv\": \"Ed25519\", \"x\": b64(proofKey.Public().(ed25519.PublicKey))}\n",
            "\tproof := ed25519.Sign(proofKey, []byte(signed))\n",
        )
    };
    format!(
        "\n\tb64 := base64.RawURLEncoding.EncodeToString\n\
         \tproofPEM, _ := pem.Decode(must(os.ReadFile(\"dpop-key.pem\")))\n{key}\
         \tid, ath := make([]byte, 16), sha256.Sum256([]byte(token))\n\tmust(rand.Read(id))\n\
         \thead := must(json.Marshal(map[string]any{{\"typ\": \"dpop+jwt\", \"alg\": \"{name}\", \"jwk\": jwk}}))\n\
         \tclaims := must(json.Marshal(map[string]any{{\n\
         \t\t\"htm\": request.Method, \"htu\": request.URL.Scheme + \"://\" + request.URL.Host + request.URL.EscapedPath(),\n\
         \t\t\"iat\": time.Now().Unix(), \"jti\": b64(id), \"ath\": b64(ath[:]){nonce},\n\t}}))\n\
         \tsigned := b64(head) + \".\" + b64(claims)\n{sign}\
         \trequest.Header.Set(\"DPoP\", signed+\".\"+b64(proof))\n\n"
    )
}

fn signature(call: &Call<'_>) -> String {
    let covered: Vec<String> = call.covered().iter().map(|one| quoted(one)).collect();
    let end = call.signature_end("%d", "%s", "%x").replace('"', "\\\"");
    let digest = match call.body {
        Some(_) => {
            "\tcontent := sha256.Sum256([]byte(body))\n\
             \trequest.Header.Set(\"Content-Digest\", \"sha-256=:\"+base64.StdEncoding.EncodeToString(content[:])+\":\")\n"
        }
        None => "",
    };
    format!(
        "\n{digest}\tat := request.URL\n\
         \tvalues := map[string]string{{\n\
         \t\t\"@method\": request.Method, \"@target-uri\": at.String(), \"@scheme\": at.Scheme, \"@authority\": at.Host,\n\
         \t\t\"@path\": at.EscapedPath(), \"@query\": \"?\" + at.RawQuery, \"@request-target\": at.RequestURI(),\n\t}}\n\
         \tfor name := range request.Header {{\n\t\tvalues[strings.ToLower(name)] = request.Header.Get(name)\n\t}}\n\
         \tcovered := []string{{{}}}\n\tbase, names := \"\", []string{{}}\n\
         \tfor _, one := range covered {{\n\
         \t\tbase += fmt.Sprintf(\"%q: %s\\n\", one, values[one])\n\t\tnames = append(names, fmt.Sprintf(\"%q\", one))\n\t}}\n\
         \tnonce := make([]byte, 16)\n\tmust(rand.Read(nonce))\n\
         \tparameters := \"(\" + strings.Join(names, \" \") + \")\" + fmt.Sprintf(\"{end}\", time.Now().Unix(), os.Getenv(\"KEY_ID\"), nonce)\n\
         \tbase += fmt.Sprintf(\"%q: %s\", \"@signature-params\", parameters)\n\
         \tsigningPEM, _ := pem.Decode(must(os.ReadFile(\"signing-key.pem\")))\n\
         \tsigningKey := must(x509.ParsePKCS8PrivateKey(signingPEM.Bytes)).(ed25519.PrivateKey)\n\
         \trequest.Header.Set(\"Signature-Input\", \"sig=\"+parameters)\n\
         \trequest.Header.Set(\"Signature\", \"sig=:\"+base64.StdEncoding.EncodeToString(ed25519.Sign(signingKey, []byte(base)))+\":\")\n\n",
        covered.join(", ")
    )
}
