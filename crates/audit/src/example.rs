//! Small configurations that show what a rule means: a base, and sections that take the place of its own.

/// What every example begins with. A section is a line without a blank in front of it and all lines after it that have one.
pub(crate) const BASE: &str = "\
version: 1
listeners: { public: { bind: '127.0.0.1:8443', tls: { self_signed: { names: [api.example.com], directory: ./tls }, min_version: '1.3' } } }
status: { bind: '127.0.0.1:9901' }
admin: { socket: ./admin.sock }
access_log: { to: stdout }
security_log: { to: { file: security.log }, rotate: { keep: 7 } }
alerts: { file: alerts.log }
store: { path: ./data }
issuers: { corp: { issuer: 'https://idp.example.com', audiences: [one], algorithms: [ES256], jwks: { uri: 'https://idp.example.com/jwks' } } }
apis:
  known:
    hosts: [api.example.com]
    base_path: /known
    authn: { any_of: [{ jwt: { issuers: [corp] } }, { api_key: {} }] }
    authz: { rules: [{ operations: [list], roles: [reader] }] }
    upstream: { targets: ['https://10.0.0.1:9000'], connections: 100 }
    routes: [{ id: list, path: /, methods: [GET] }]
";

/// The base with these sections instead of its own.
pub(crate) fn with(change: &str) -> String {
    let mut merged = sections(BASE);
    for (name, text) in sections(change) {
        match merged.iter_mut().find(|(own, _)| *own == name) {
            // The API of the base stays, so that what it uses has an effect.
            Some((_, own)) if name == "apis" => own.push_str(text.trim_start_matches("apis:\n")),
            Some((_, own)) => *own = text,
            None => merged.push((name, text)),
        }
    }
    merged.into_iter().map(|(_, text)| text).collect()
}

fn sections(text: &str) -> Vec<(String, String)> {
    let mut sections: Vec<(String, String)> = Vec::new();
    for line in text.lines() {
        match sections.last_mut().filter(|_| line.starts_with(' ')) {
            Some((_, section)) => section.push_str(&format!("{line}\n")),
            None => sections.push((line.split(':').next().unwrap_or_default().to_owned(), format!("{line}\n"))),
        }
    }
    sections
}
