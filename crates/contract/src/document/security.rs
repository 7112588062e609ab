//! What a document asks of callers (OpenAPI 3.1, sections 4.8.27 and 4.8.30): for each operation ways to prove who one is, of which
//! one will do. Read as it is written; whether a gateway can ask for it is decided elsewhere.

use super::operation::Walker;
use crate::schema::{Draft, Spot};
use crate::tree::Shape;

/// What an operation asks of its callers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Security {
    /// The address of the document that says it.
    pub file: Box<str>,
    /// The line, from 1.
    pub line: u32,
    /// One of these will do; none at all asks for nothing.
    pub ways: Vec<Vec<Need>>,
    /// What of it cannot be read, so that nobody knows what it asks for.
    pub flaw: Option<&'static str>,
}

/// A part of one way, all of which are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Need {
    /// The scheme's name in the document.
    pub name: Box<str>,
    /// What it is.
    pub scheme: Scheme,
    /// The scopes that the caller has to have, of OAuth 2 and OpenID Connect.
    pub scopes: Vec<String>,
    /// The roles that he has to have, of other schemes.
    pub roles: Vec<String>,
}

/// How somebody proves who he is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// A key: in `header`, `query` or `cookie`, and under which name, in lower case.
    ApiKey(Box<str>, Box<str>),
    /// A scheme of HTTP (RFC 9110 section 11.1), in lower case.
    Http(Box<str>),
    /// A token of an authorization server.
    Token,
    /// A client certificate.
    Certificate,
    /// The document does not say, or says what no version of OpenAPI knows.
    Unknown,
}

const NO_LIST: &str = "it is not a list of objects with lists of names";
const NO_SCOPES: &str = "only `oauth2` and `openIdConnect` have scopes in OpenAPI 3.0";

// === impl Walker ===

impl Walker<'_> {
    /// What is asked at this place of the document, if it says something.
    pub(super) fn security(&mut self, at: Spot, root: Spot, resource: u32) -> Option<Security> {
        let spot = self.library().member(at, "security")?;
        let file = self.library().files.get(spot.file).map(|file| file.uri.clone()).unwrap_or_default();
        let mut security =
            Security { file: file.into(), line: self.library().line(spot), ways: Vec::new(), flaw: None };
        if !matches!(self.library().shape(spot), Shape::List(_)) {
            security.flaw = Some(NO_LIST);
        }
        for way in self.library().items(spot) {
            if !matches!(self.library().shape(way), Shape::Map(_)) {
                security.flaw = Some(NO_LIST);
            }
            let mut needs = Vec::new();
            for (name, listed) in self.library().members(way) {
                let scheme = self.scheme(&name, root, resource);
                let Some(names) = self.names(listed) else {
                    security.flaw = Some(NO_LIST);
                    continue;
                };
                let (scopes, roles) = if scheme == Scheme::Token { (names, Vec::new()) } else { (Vec::new(), names) };
                if !roles.is_empty() && self.library().draft == Draft::OpenApi30 {
                    security.flaw = Some(NO_SCOPES);
                }
                needs.push(Need { name: name.into(), scheme, scopes, roles });
            }
            security.ways.push(needs);
        }
        Some(security)
    }

    fn names(&self, spot: Spot) -> Option<Vec<String>> {
        let Shape::List(_) = self.library().shape(spot) else { return None };
        let text = |at: Spot| match self.library().shape(at) {
            Shape::Text(text) | Shape::Number(text) => Some(text.to_string()),
            Shape::Null | Shape::Bool(_) | Shape::List(_) | Shape::Map(_) => None,
        };
        self.library().items(spot).into_iter().map(text).collect()
    }

    fn scheme(&mut self, name: &str, root: Spot, resource: u32) -> Scheme {
        let components = self.library().member(root, "components");
        let all = components.and_then(|at| self.library().member(at, "securitySchemes"));
        let Some(at) = all.and_then(|at| self.library().member(at, name)) else { return Scheme::Unknown };
        let Some((at, _)) = self.target(at, resource) else { return Scheme::Unknown };
        let text = |word: &str| -> Box<str> {
            self.library().text_at(at, word).unwrap_or_default().to_ascii_lowercase().into()
        };
        match &*text("type") {
            "apikey" => Scheme::ApiKey(text("in"), text("name")),
            "http" => Scheme::Http(text("scheme")),
            "oauth2" | "openidconnect" => Scheme::Token,
            "mutualtls" => Scheme::Certificate,
            _ => Scheme::Unknown,
        }
    }
}
