//! One fetch of a key set: which addresses may be asked, one request, an answer within limits. Redirects are not followed.

use crate::outcall::{read_body, read_head, secure, send};
use crate::upstream::tls::UpstreamTls;
use portcullis_auth::issuer::{FetchFault, may_ask};
use portcullis_config::plan::RemoteJwks;
use portcullis_h1::Fields;
use std::io;
use std::net::SocketAddr;
use tokio::net::TcpStream;

// LIMIT: bytes of a key set.
const JWKS_BYTES_MAX: usize = 1024 * 1024;

/// The body, and how long it may be kept by its cache headers, in seconds.
pub(super) async fn fetch(plan: &RemoteJwks, tls: Option<&UpstreamTls>) -> Result<(Vec<u8>, Option<u64>), FetchFault> {
    let stream = connect(plan).await?;
    let fault = |_: io::Error| FetchFault::Unreachable;
    let refused = if tls.is_some() { FetchFault::Tls } else { FetchFault::Unreachable };
    let mut socket = secure(stream, tls, &plan.host).await.map_err(|_| refused)?;
    let host = authority(plan);
    let request = format!(
        "GET {} HTTP/1.1\r\nhost: {host}\r\naccept: application/jwk-set+json, application/json\r\n\
         user-agent: portcullis/{}\r\nconnection: close\r\n\r\n",
        plan.target,
        env!("CARGO_PKG_VERSION")
    );
    send(&mut socket, request.as_bytes()).await.map_err(fault)?;
    let mut input = Vec::new();
    let head = read_head(&mut socket, &mut input).await.map_err(fault)?;
    if head.status() != 200 {
        return Err(FetchFault::Status);
    }
    let (body, whole) = read_body(&mut socket, &mut input, &head, JWKS_BYTES_MAX).await.map_err(fault)?;
    match whole {
        true => Ok((body, max_age(head.fields()))),
        false if body.len() > JWKS_BYTES_MAX => Err(FetchFault::TooLarge),
        false => Err(FetchFault::Unreachable),
    }
}

/// Every address that the name has is looked at before it is asked, so that a name cannot lead to places inside.
async fn connect(plan: &RemoteJwks) -> Result<TcpStream, FetchFault> {
    let found = tokio::net::lookup_host((plan.host.as_str(), plan.port)).await;
    let found: Vec<SocketAddr> = found.map_err(|_| FetchFault::Unreachable)?.collect();
    let issuer = format!("{}://{}", if plan.secure { "https" } else { "http" }, authority(plan));
    let allowed = found.iter().filter(|address| may_ask(&issuer, &plan.networks, address.ip()));
    let mut fault = FetchFault::Address;
    for address in allowed {
        match TcpStream::connect(address).await {
            Ok(stream) => return Ok(stream),
            Err(_) => fault = FetchFault::Unreachable,
        }
    }
    Err(fault)
}

fn authority(plan: &RemoteJwks) -> String {
    let host = if plan.host.contains(':') { format!("[{}]", plan.host) } else { plan.host.clone() };
    format!("{host}:{}", plan.port)
}

/// `max-age` of `Cache-Control`; zero where nothing may be kept, which the policy bounds.
fn max_age(fields: Fields<'_>) -> Option<u64> {
    let lines = fields.iter().filter(|line| line.name.eq_ignore_ascii_case(b"cache-control"));
    let text: Vec<String> = lines.map(|line| String::from_utf8_lossy(line.value).to_ascii_lowercase()).collect();
    let text = text.join(",");
    let parts = || text.split(',').map(str::trim);
    if parts().any(|part| part == "no-store" || part == "no-cache") {
        return Some(0);
    }
    parts().find_map(|part| part.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
}
