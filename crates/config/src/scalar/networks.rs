//! Networks of addresses. Whether trusting one is wise is decided in `check`.

use std::net::Ipv4Addr;

use portcullis_types::{Network as Parsed, NetworkError};

use super::{Raw, Scalar, example};

/// A network of addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Network(pub(crate) Parsed);

impl Scalar for Network {
    const NAME: &'static str = "Network";
    const WHAT: &'static str = "a network";
    const ABOUT: &'static str = "An IP address, or a network of them in CIDR form.";
    const JSON_TYPE: &'static str = "string";
    const PATTERN: Option<&'static str> = Some("^[0-9a-fA-F.:]+(/[0-9]+)?$");
    const EXAMPLES: &'static [&'static str] = &["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"];

    fn parse(raw: Raw<'_>) -> Result<Self, String> {
        Parsed::parse(raw.text).map(Self).map_err(|error| match error {
            NetworkError::Address => format!("{}; names are not looked up here", example::<Self>()),
            NetworkError::Prefix => "after the slash stands the number of leading bits that count".to_owned(),
            // The corrected network would repeat the text, which may be a value from outside.
            NetworkError::HostBits(_) => {
                "bits behind the prefix are set; write the network's first address, or the address without a slash"
                    .to_owned()
            }
        })
    }

    fn made_up() -> Self {
        Self(Parsed::host(Ipv4Addr::LOCALHOST.into()))
    }
}
