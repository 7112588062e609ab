//! What is spoken besides plain requests: HTTP/2, WebSocket, events.

use super::client::http2::{Said, pings, request};
use super::{Row, Scene};

const GATEWAY: &str = "gateway";
const LIMITS: &str = "rate limiting";
const VALIDATION: &str = "input validation";
/// `ENHANCE_YOUR_CALM` (RFC 9113 section 7).
const CALM: u32 = 0xb;
const HANDSHAKE: &str = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
                         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";

pub(super) fn rows(scene: &Scene<'_>) -> Vec<Row> {
    vec![
        http2(scene),
        conversation(scene),
        events(scene),
        foreign_page(scene),
        call(scene, "Count", "its message"),
        call(scene, "Empty", "UNIMPLEMENTED (12)"),
        flood(scene),
    ]
}

fn http2(scene: &Scene<'_>) -> Row {
    let outcome = (|| {
        let mut open = scene.client.open_http2()?;
        open.send(&request("/orders/v1/1001"))?;
        let said = open.said()?;
        let agreed = open.speaks_http2();
        let got = match (said, agreed) {
            (Said::Status(status), true) => format!("{status}, HTTP/2 by ALPN"),
            (said, _) => format!("{said:?}, HTTP/2 agreed on: {agreed}"),
        };
        let ok = got == "200, HTTP/2 by ALPN";
        Ok((got, ok))
    })();
    Row::new(GATEWAY, "GET /orders/v1/1001 over HTTP/2", "200, HTTP/2 by ALPN", outcome)
}

fn flood(scene: &Scene<'_>) -> Row {
    let expected = "the connection ends, ENHANCE_YOUR_CALM; others are served";
    let outcome = (|| {
        let mut open = scene.client.open_http2()?;
        open.send(&pings(5_000))?;
        let said = open.said()?;
        let good = scene.client.get("/orders/v1/1001", "")?.status;
        let got = match (said, good) {
            (Said::Goodbye(CALM), 200) => expected.to_owned(),
            (said, good) => format!("{said:?}, then a good request got {good}"),
        };
        let ok = got == expected;
        Ok((got, ok))
    })();
    Row::new(LIMITS, "5,000 PING frames of HTTP/2 at once", expected, outcome)
}

fn conversation(scene: &Scene<'_>) -> Row {
    let outcome = (|| {
        let mut open = scene.client.open()?;
        let head =
            format!("GET /lab/chat HTTP/1.1\r\nHost: localhost\r\nOrigin: https://shop.example\r\n{HANDSHAKE}\r\n");
        open.send(head.as_bytes())?;
        let status = open.head()?;
        // A text frame, masked with zeros; it comes back without a mask.
        open.send(&[b"\x81\x85\0\0\0\0".as_slice(), b"hello"].concat())?;
        let echoed = open.exactly(7)?;
        let text = String::from_utf8_lossy(echoed.get(2..).unwrap_or_default()).into_owned();
        let got = format!("{status}, {text}");
        let ok = got == "101, hello";
        Ok((got, ok))
    })();
    Row::new(GATEWAY, "a WebSocket on /lab/chat that says hello", "101, hello", outcome)
}

fn foreign_page(scene: &Scene<'_>) -> Row {
    let head = format!("GET /lab/chat HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n{HANDSHAKE}\r\n");
    scene.refused(VALIDATION, "the same from a page of another origin", "403 origin_refused", head.as_bytes())
}

fn events(scene: &Scene<'_>) -> Row {
    let expected = "3 events, the first before the last was sent";
    let outcome = (|| {
        let mut open = scene.client.open()?;
        open.send(b"GET /lab/events HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
        let clock = scene.client.clock();
        open.until("event: 1")?;
        let first = clock.millis();
        open.until("event: 3")?;
        // The API waits a fifth of a second before each of them.
        let apart = clock.millis() - first >= 200;
        let got = if apart { expected.to_owned() } else { "3 events at once".to_owned() };
        Ok((got, apart))
    })();
    Row::new(GATEWAY, "GET /lab/events, a stream of events", expected, outcome)
}

/// A call of gRPC, by a client of HTTP/1.1; refusals are statuses of gRPC.
fn call(scene: &Scene<'_>, method: &str, expected: &str) -> Row {
    let path = format!("/stock.v1.Stock/{method}");
    let outcome = scene.bearer().and_then(|bearer| {
        let bytes = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\n{bearer}Content-Type: application/grpc\r\nTE: trailers\r\nContent-Length: 5\r\n\r\n\0\0\0\0\0"
        );
        let answer = scene.client.raw(bytes.as_bytes())?;
        let got = match (answer.status, answer.field("grpc-status")) {
            (200, None) if answer.body.ends_with("\u{8}\u{7}") => "its message".to_owned(),
            (200, Some("12")) => "UNIMPLEMENTED (12)".to_owned(),
            (status, code) => format!("{status}, grpc-status {code:?}"),
        };
        let ok = got == expected;
        Ok((got, ok))
    });
    Row::new(VALIDATION, &format!("a call of gRPC: stock.v1.Stock/{method}"), expected, outcome)
}
