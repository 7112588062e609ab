//! An answer that is masked on its way, far longer than what the gateway may hold: memory stays what it was.

use crate::house::{House, Setup, long_count};
use portcullis_testkit::FakeUpstream;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// In the short form; the long one, `cargo xtask masked`, is a thousand.
const MEGABYTES: u64 = 64;
const GROWTH_MB_MAX: f64 = 24.0;
const ITEM: &str =
    "{\"id\":7,\"email\":\"ada@example.com\",\"note\":\"a text of some length that nobody has to hide from anybody\"},";

/// About a megabyte of items.
fn block() -> String {
    ITEM.repeat((1 << 20) / ITEM.len())
}

fn ask(house: &House, megabytes: u64) -> u64 {
    let mut stream = TcpStream::connect(house.plain).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream
        .write_all(format!("GET /masked/{megabytes} HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n").as_bytes())
        .unwrap();
    let (mut buffer, mut length, mut last, mut nulls) = (vec![0; 1 << 18], 0_u64, Vec::new(), 0_u64);
    loop {
        let count = stream.read(&mut buffer).unwrap();
        if count == 0 {
            break;
        }
        let bytes = &buffer[..count];
        assert!(!bytes.contains(&b'@'), "an address has left");
        nulls += bytes.iter().filter(|byte| **byte == b'u').count() as u64;
        length += count as u64;
        last = bytes[bytes.len().saturating_sub(16)..].to_vec();
    }
    assert!(last.ends_with(b"0\r\n\r\n"), "the answer is whole: {:?}", String::from_utf8_lossy(&last));
    assert!(nulls > 0);
    length
}

#[test]
fn memory_does_not_grow_with_an_answer() {
    let upstream = FakeUpstream::with(|talk| {
        while let Some(heard) = talk.request() {
            // Whoever only asks whether somebody is here, names no number.
            let megabytes: u64 = heard.target().rsplit('/').next().and_then(|word| word.parse().ok()).unwrap_or(0);
            let (head, block) = (
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n[\r\n",
                block(),
            );
            let chunk = format!("{:x}\r\n{block}\r\n", block.len());
            if !talk.send(head) || !(0..megabytes).all(|_| talk.send(&chunk)) || !talk.send("2\r\n0]\r\n0\r\n\r\n") {
                return;
            }
        }
    });
    let routes = "      - { path: \"/masked/{megabytes}\", methods: [GET], mask: [{ fields: [\"$..email\"], show: nulled }], timeout: 1h }\n";
    let house = House::start(Setup { routes, ..Setup::new("masked", &[upstream.address()]) });
    ask(&house, 4);
    let before = house.cost();
    let megabytes = long_count().unwrap_or(MEGABYTES);
    let length = ask(&house, megabytes);
    let grown = house.cost().grown_mb(before);
    println!("{megabytes} MB masked, {length} bytes left, memory grew by {grown:.1} MB");
    assert!(length > megabytes * 700_000, "{length} bytes left");
    assert!(grown < GROWTH_MB_MAX, "{grown:.1} MB more than before");
    house.stop();
}
