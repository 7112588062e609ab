//! Names of gRPC: a service with its package, and a method of one.

use super::{Raw, Scalar};

/// LIMIT: bytes of a name.
const NAME_BYTES_MAX: usize = 256;

/// `shop.v1.Orders`
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrpcService(pub(crate) String);

/// `shop.v1.Orders/Get`; all of a service are `shop.v1.Orders/*`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct GrpcMethod {
    pub(crate) service: String,
    /// `None` for all.
    pub(crate) method: Option<String>,
}

impl Scalar for GrpcService {
    const NAME: &'static str = "GrpcService";
    const WHAT: &'static str = "a service of gRPC";
    const ABOUT: &'static str = "A service with its package, as it stands in paths of calls.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*$");
    const EXAMPLES: &'static [&'static str] = &["shop.v1.Orders"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let is_service = raw.text.split('.').all(is_name) && raw.text.len() <= NAME_BYTES_MAX;
        is_service.then(|| Self(raw.text.to_owned())).ok_or_else(super::example::<Self>)
    }

    fn made_up() -> Self {
        Self("made.Up".to_owned())
    }
}

impl Scalar for GrpcMethod {
    const NAME: &'static str = "GrpcMethod";
    const WHAT: &'static str = "a method of gRPC";
    const ABOUT: &'static str = "A service with its package, a slash, and one of its methods or `*` for all.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> =
        Some("^[A-Za-z_][A-Za-z0-9_]*(\\.[A-Za-z_][A-Za-z0-9_]*)*/([A-Za-z_][A-Za-z0-9_]*|\\*)$");
    const EXAMPLES: &'static [&'static str] = &["shop.v1.Orders/Get", "shop.v1.Orders/*"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        let (service, method) = raw.text.split_once('/').ok_or_else(super::example::<Self>)?;
        let GrpcService(service) = GrpcService::parse(Raw { text: service, ..raw })?;
        match method {
            "*" => Ok(Self { service, method: None }),
            name if is_name(name) && name.len() <= NAME_BYTES_MAX => {
                Ok(Self { service, method: Some(name.to_owned()) })
            }
            _ => Err(super::example::<Self>()),
        }
    }

    fn made_up() -> Self {
        Self { service: "made.Up".to_owned(), method: None }
    }
}

fn is_name(text: &str) -> bool {
    let begins = text.bytes().next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    begins && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
