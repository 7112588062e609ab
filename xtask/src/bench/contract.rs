//! A JSON request of 1 KB and an answer of 1 KB, both held to a contract, against a bare nginx with the same bodies.
//!
//! Whoever does not do the work has no figure: before the clock runs, a request and an answer that do not fit are refused.

use super::Options;
use super::cost::cpu_per_request_us;
use super::figure::{Figure, Target};
use super::load::{CONNECTIONS, Seen, exchange, wrk_with};
use super::peers::{Subject, Workplace, build, gateway_with, nginx, upstream_saying};
use crate::needs::{Source, Tool};

pub(super) const TOOLS: &[Tool] = &[
    Tool { name: "nginx", why: "the upstream and a peer", source: Source::Apt("nginx-light") },
    Tool { name: "wrk", why: "load as fast as it goes", source: Source::Apt("wrk") },
    Tool { name: "openssl", why: "a certificate for the peers", source: Source::Apt("openssl") },
    Tool { name: "getconf", why: "the unit of the kernel's accounting", source: Source::Apt("libc-bin") },
];

pub(super) const PARTS: &[&str] = &["cpu"];

const TARGET: &str = "/orders/2eb8aa08-aa98-11ea-b4aa-73b441d16380?notify=true";
/// Bytes of a body.
const BYTES: usize = 1_024;

/// An order of so many bytes.
fn order() -> String {
    let line =
        |number: u32| format!("{{\"sku\":\"AB-{:06}\",\"quantity\":{number},\"price\":{number}.99}}", 100_000 + number);
    let lines: Vec<String> = (1..=8).map(line).collect();
    let with = |note: &str| {
        format!(
            "{{\"customer\":\"2eb8aa08-aa98-11ea-b4aa-73b441d16380\",\"currency\":\"EUR\",\"placed\":\"2026-01-01T10:00:00Z\",\
             \"note\":\"{note}\",\"express\":true,\"lines\":[{}]}}",
            lines.join(",")
        )
    };
    with(&"n".repeat(BYTES.saturating_sub(with("").len())))
}

/// A request with this body, and no more after it.
fn put(port: u16, body: &str) -> Result<String, String> {
    let head = format!("PUT {TARGET} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n");
    exchange(port, &format!("{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len()))
}

pub(super) fn measure(options: &Options) -> Result<Vec<Figure>, String> {
    let binary = build()?;
    let place = Workplace::new()?;
    let order = order();
    let upstream = upstream_saying(&place, "upstream", &order)?;
    let contract = place.write("orders.yaml", include_str!("contract-openapi.yaml"))?;
    let (body, script) =
        (place.write("order.json", &order)?, place.write("contract.lua", include_str!("contract.lua"))?);
    let more = [("@CONTRACT@", contract.display().to_string())];
    let gateway = |upstream, log: &str| {
        gateway_with(&place, upstream, &binary, include_str!("contract.yaml"), &more, place.file(log))
    };
    let (bare, ours) = (nginx(&place, &upstream)?, gateway(&upstream, "gateway.access")?);
    judges(&ours, &order)?;
    let liar = upstream_saying(&place, "liar", &order.replace("EUR", "XXX"))?;
    let before_liar = gateway(&liar, "liar.access")?;
    let answer = put(before_liar.plain_port, &order)?;
    if !answer.starts_with("HTTP/1.1 502") {
        return Err(format!("the gateway passes an answer on that does not fit:\n{answer}"));
    }
    drop(before_liar);
    let load = |subject: &Subject| -> Result<Seen, String> {
        wrk_with(
            subject.plain_port,
            options.seconds,
            &script,
            &[("BODY", body.as_os_str()), ("TARGET", TARGET.as_ref())],
        )
    };
    load(&bare)?;
    load(&ours)?;
    let mut ratios = Vec::new();
    for round in 1..=options.pairs {
        let cost = |subject, line| cpu_per_request_us(subject, line, CONNECTIONS, || load(subject));
        let (theirs, own) = (cost(&bare, "")?.0, cost(&ours, "\"conform\":\"fits\"")?.0);
        eprintln!("contract {round}: nginx {theirs:.2} us, portcullis {own:.2} us, ratio {:.3}", own / theirs);
        ratios.push(own / theirs);
    }
    Ok(vec![Figure { name: "contract_cpu_ratio_nginx", unit: "x", target: Target::AtMost(2.0), samples: ratios }])
}

/// A good request is served; one that does not fit is not.
fn judges(subject: &Subject, order: &str) -> Result<(), String> {
    let good = put(subject.plain_port, order)?;
    if !good.starts_with("HTTP/1.1 200") || !good.ends_with(order) {
        return Err(format!("the gateway does not serve a good request:\n{good}"));
    }
    let bad = put(subject.plain_port, &order.replace("\"quantity\":8", "\"quantity\":0"))?;
    if bad.starts_with("HTTP/1.1 422") {
        Ok(())
    } else {
        Err(format!("the gateway lets a bad request through:\n{bad}"))
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn an_order_has_its_size() {
        let order = super::order();
        assert_eq!(order.len(), super::BYTES);
        assert!(crate::json::Value::parse(&order).is_ok());
    }
}
