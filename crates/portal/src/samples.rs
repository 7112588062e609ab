//! How a call looks in a shell and in four languages: to copy, with what is secret taken from the environment or from files.

mod curl;
mod go;
mod javascript;
mod python;
mod rust;

use crate::model::{Operation, ProofFact, SignatureFact, Way};
use portcullis_auth::principal::Scheme;
use portcullis_config::plan::VersionBy;
use portcullis_types::percent::encoded;

/// One call in one language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// The language's name.
    pub language: &'static str,
    /// What to copy.
    pub text: String,
}

/// Fields of a call that are made anew for each.
const MADE: [&str; 3] = ["content-digest", "authorization", "dpop"];

/// What is called, and with what.
pub(crate) struct Call<'c> {
    pub(crate) method: &'c str,
    url: String,
    /// Names and values of fields that everybody may see.
    pub(crate) fields: Vec<(&'c str, String)>,
    pub(crate) body: Option<&'c str>,
    /// Whether a token comes along.
    pub(crate) token: bool,
    /// The field of an API key.
    pub(crate) key_field: Option<&'c str>,
    certificate: bool,
    proof: Option<&'c ProofFact>,
    signature: Option<&'c SignatureFact>,
}

/// Writes a call in one language.
type Writer = fn(&Call<'_>) -> String;

/// The call in every language.
#[must_use]
pub fn samples(operation: &Operation, way: &Way) -> Vec<Sample> {
    let call = Call::of(operation, way);
    let languages: [(&'static str, Writer); 5] = [
        ("curl", curl::sample),
        ("Python", python::sample),
        ("JavaScript", javascript::sample),
        ("Go", go::sample),
        ("Rust", rust::sample),
    ];
    languages.into_iter().map(|(language, write)| Sample { language, text: write(&call) }).collect()
}

// === impl Call ===

impl<'c> Call<'c> {
    pub(crate) fn of(operation: &'c Operation, way: &'c Way) -> Self {
        let has = |scheme| way.schemes.contains(&scheme);
        let content = operation.body.iter().find(|content| content.example.is_some());
        let mut fields = vec![("Accept", accepted(operation))];
        fields.extend(content.map(|content| ("Content-Type", content.media_type.clone())));
        let headers = operation.parameters.iter().filter(|one| one.location == "header" && one.row.required);
        fields.extend(headers.map(|one| (one.row.path.as_str(), one.example.clone().unwrap_or_default())));
        match operation.version_by.as_ref() {
            Some((VersionBy::Header(name), version)) => fields.push((name, version.clone())),
            Some((VersionBy::MediaType(name), version)) => {
                let accepts = fields.iter_mut().filter(|(field, _)| *field == "Accept");
                accepts.for_each(|(_, value)| value.push_str(&format!(";{name}={version}")));
            }
            Some((VersionBy::Path | VersionBy::Query(_), _)) | None => {}
        }
        // What a signature covers has to be there.
        let covered = way.signature.iter().flat_map(|signature| &signature.components).map(|one| one.trim_matches('"'));
        for name in covered.filter(|name| !name.starts_with('@') && !MADE.contains(name)) {
            if !fields.iter().any(|(have, _)| have.eq_ignore_ascii_case(name)) {
                fields.push((name, if name == "content-type" { "application/json" } else { "value" }.to_owned()));
            }
        }
        Self {
            method: if operation.method == "any" { "GET" } else { &operation.method },
            url: url(operation),
            fields,
            body: content.and_then(|content| content.example.as_deref()),
            token: has(Scheme::Jwt) || has(Scheme::Introspection),
            key_field: way.key.as_ref().map(|(field, _)| field.as_str()),
            certificate: has(Scheme::Certificate),
            proof: way.proof.as_ref(),
            signature: way.signature.as_ref(),
        }
    }

    /// How a token is shown.
    fn scheme(&self) -> &'static str {
        if self.proof.is_some() { "DPoP" } else { "Bearer" }
    }

    /// The algorithm of proofs that a language has to do with: this one, if it is accepted.
    fn proof_takes(&self, algorithm: &str) -> bool {
        self.proof.is_some_and(|proof| proof.algorithms.contains(&algorithm))
    }

    /// What a signature covers, bare: `@method`, `content-digest`.
    fn covered(&self) -> Vec<String> {
        let Some(signature) = self.signature else { return Vec::new() };
        let mut all: Vec<String> = signature.components.iter().map(|one| one.trim_matches('"').to_owned()).collect();
        if self.body.is_some() && !all.iter().any(|one| one == "content-digest") {
            all.push("content-digest".to_owned());
        }
        all
    }

    /// The parameters of a signature behind what it covers, with holes for time, key and nonce.
    fn signature_end(&self, created: &str, key_id: &str, nonce: &str) -> String {
        let tag = self.signature.and_then(|signature| signature.tag.as_ref());
        let tag = tag.map(|tag| format!(";tag=\"{tag}\"")).unwrap_or_default();
        format!(";created={created};keyid=\"{key_id}\";nonce=\"{nonce}\"{tag}")
    }
}

fn accepted(operation: &Operation) -> String {
    let good = operation.answers.iter().filter(|answer| answer.status.starts_with('2'));
    let first = good.flat_map(|answer| &answer.contents).next();
    first.map_or_else(|| "application/json".to_owned(), |content| content.media_type.clone())
}

/// The address with values in the places of parameters.
fn url(operation: &Operation) -> String {
    let value = |location: &str, name: &str| {
        let found = operation.parameters.iter().find(|one| one.location == location && one.row.path == name);
        found.and_then(|one| one.example.clone()).filter(|value| !value.is_empty())
    };
    let mut path = String::new();
    let mut rest = operation.path.as_str();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        let name = name.trim_start_matches('*');
        path.push_str(before);
        path.push_str(&encoded(&value("path", name).unwrap_or_else(|| name.to_uppercase())));
        rest = behind;
    }
    path.push_str(rest);
    let required = operation.parameters.iter().filter(|one| one.location == "query" && one.row.required);
    let named = match operation.version_by.as_ref() {
        Some((VersionBy::Query(name), version)) => Some(format!("{}={}", encoded(name), encoded(version))),
        Some((VersionBy::Path | VersionBy::Header(_) | VersionBy::MediaType(_), _)) | None => None,
    };
    let pairs: Vec<String> = required
        .map(|one| {
            let value = one.example.clone().unwrap_or_default();
            format!("{}={}", encoded(&one.row.path), encoded(&value))
        })
        .chain(named)
        .collect();
    let query = if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) };
    format!("{}{path}{query}", operation.origin)
}

/// A text as a string of JSON, which Python, JavaScript and Go read in the same way.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
