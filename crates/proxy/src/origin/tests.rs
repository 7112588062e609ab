//! Rows for PROXY headers and forwarding fields: what is read, and what is refused.

use super::forwarded::{Hop, forwarded, x_forwarded};
use super::proxy_header::{Malformed, Progress, parse};
use super::{Client, walk};
use portcullis_types::Network;
use std::net::{IpAddr, SocketAddr};

/// Feeds as the reader does: never more than was asked for.
fn read(bytes: &[u8]) -> Result<(Option<SocketAddr>, usize), Malformed> {
    let mut have = 0;
    loop {
        match parse(&bytes[..have])? {
            Progress::Whole(source) => return Ok((source, have)),
            Progress::Needs(more) if have + more > bytes.len() => return Err(Malformed("cut off")),
            Progress::Needs(more) => have += more,
        }
    }
}

#[test]
fn lines_of_version_1() {
    for (line, expect) in [
        ("PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\r\n", Some("192.0.2.7:56324")),
        ("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", Some("255.255.255.255:65535")),
        ("PROXY TCP4 0.0.0.0 0.0.0.0 0 0\r\n", Some("0.0.0.0:0")),
        ("PROXY TCP6 :: :: 0 0\r\n", Some("[::]:0")),
        ("PROXY TCP6 2001:db8::7 2001:db8::1 56324 443\r\n", Some("[2001:db8::7]:56324")),
        ("PROXY TCP6 ::ffff:192.0.2.7 ::1 1 2\r\n", Some("192.0.2.7:1")),
        ("PROXY UNKNOWN\r\n", None),
        ("PROXY UNKNOWN ffff:f...f ffff:f...f 65535 65535\r\n", None),
    ] {
        let with_rest = format!("{line}GET / HTTP/1.1\r\n\r\n");
        let expect = expect.map(|text| text.parse().unwrap());
        assert_eq!(read(with_rest.as_bytes()), Ok((expect, line.len())), "{line:?}");
    }
}

#[test]
fn what_is_no_line_of_version_1() {
    for line in [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443 1\r\n",
        "PROXY  TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 56324 443\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 056324 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 65536 443\r\n",
        "PROXY TCP4 192.0.2.7 10.0.0.1 +1 443\r\n",
        "PROXY TCP4 192.0.2.07 10.0.0.1 1 443\r\n",
        "PROXY TCP4 2001:db8::7 2001:db8::1 1 443\r\n",
        "PROXY TCP6 192.0.2.7 10.0.0.1 56324 443\r\n",
        "PROXY UDP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        "PROXY UNKNOWNS\r\n\r\n",
        "proxy TCP4 192.0.2.7 10.0.0.1 56324 443\r\n",
        "PROXY TCP4 192.0.2.7\r 10.0.0.1 56324 443\r\n",
    ] {
        assert!(read(line.as_bytes()).is_err(), "{line:?}");
    }
    let long = format!("PROXY UNKNOWN {}\r\n", "x".repeat(200));
    assert_eq!(read(long.as_bytes()), Err(Malformed("the line is longer than 107 bytes")));
}

fn second(kind: u8, family: u8, rest: &[u8]) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n".to_vec();
    bytes.extend([kind, family]);
    bytes.extend(u16::try_from(rest.len()).unwrap().to_be_bytes());
    bytes.extend(rest);
    bytes
}

const V4: [u8; 12] = [192, 0, 2, 7, 10, 0, 0, 1, 0xdc, 4, 1, 0xbb];

fn with(additions: &[u8]) -> Vec<u8> {
    second(0x21, 0x11, &[&V4, additions].concat())
}

#[test]
fn headers_of_version_2() {
    let mut v6 = [0u8; 36];
    v6[..4].copy_from_slice(&[0x20, 1, 0xd, 0xb8]);
    (v6[15], v6[32], v6[33]) = (7, 0xdc, 4);
    let here = Some("192.0.2.7:56324".parse().unwrap());
    for (header, expect) in [
        (second(0x21, 0x11, &V4), here),
        (second(0x21, 0x21, &v6), Some("[2001:db8::7]:56324".parse().unwrap())),
        (second(0x21, 0x00, &[]), None),
        (second(0x20, 0x00, &[]), None),
        (second(0x20, 0x11, &V4), None),
        (second(0x20, 0x31, &[0; 216]), None),
        (with(&[4, 0, 2, 0, 0]), here),
        (with(&[0x20, 0, 10, 1, 0, 0, 0, 0, 0x21, 0, 2, b'1', b'3']), here),
    ] {
        let bytes = [&header[..], b"GET /"].concat();
        assert_eq!(read(&bytes), Ok((expect, header.len())), "{header:?}");
    }
}

#[test]
fn what_is_no_header_of_version_2() {
    for header in [
        second(0x11, 0x11, &V4),
        second(0x22, 0x11, &V4),
        second(0x21, 0x12, &V4),
        second(0x21, 0x31, &[0; 216]),
        second(0x21, 0x11, &V4[..11]),
        second(0x21, 0x21, &V4),
        second(0x21, 0x00, &[0]),
        second(0x21, 0x11, &[0; 2049]),
        with(&[4, 0]),
        with(&[4, 0, 3, 0, 0]),
        with(&[4, 0xff, 0xff]),
        with(&[0x20, 0, 4, 0, 0, 0, 0]),
        with(&[0x20, 0, 8, 1, 0, 0, 0, 0, 0x21, 0, 1]),
        with(&[3, 0, 3, 0, 0, 0]),
        with(&[3, 0, 4, 1, 2, 3, 4]),
        with(&[4, 0, 0].repeat(65)),
    ] {
        assert!(read(&header).is_err(), "{header:?}");
    }
}

#[test]
fn a_checksum_is_verified() {
    // The checksum of these very bytes, by a table-driven implementation.
    let mut header = with(&[3, 0, 4, 0, 0, 0, 0]);
    let at = header.len() - 4;
    let sum = table_crc32c(&header);
    header[at..].copy_from_slice(&sum.to_be_bytes());
    assert!(read(&header).is_ok());
    header[17] ^= 1;
    assert_eq!(read(&header), Err(Malformed("the checksum is wrong")));
}

fn table_crc32c(bytes: &[u8]) -> u32 {
    let table: Vec<u32> =
        (0..256u32).map(|n| (0..8).fold(n, |c, _| if c & 1 == 1 { 0x82f6_3b78 ^ (c >> 1) } else { c >> 1 })).collect();
    // The check value of CRC-32C.
    let sum = |bytes: &[u8]| {
        !bytes.iter().fold(!0u32, |crc, byte| table[usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8))
    };
    assert_eq!(sum(b"123456789"), 0xe306_9283);
    sum(bytes)
}

fn addresses(hops: &[Hop]) -> Vec<String> {
    let name = |hop: &Hop| {
        let secure = hop.secure.map_or("", |secure| if secure { "+" } else { "-" });
        format!("{}{secure}", hop.address.map_or("?".to_owned(), |address| address.to_string()))
    };
    hops.iter().map(name).collect()
}

#[test]
fn fields_of_rfc_7239() {
    for (value, expect) in [
        ("", vec![]),
        (" , ,", vec![]),
        ("for=192.0.2.43", vec!["192.0.2.43"]),
        ("For=\"[2001:db8:cafe::17]:4711\"", vec!["2001:db8:cafe::17"]),
        ("for=192.0.2.60;proto=http;by=203.0.113.43", vec!["192.0.2.60-"]),
        ("for=192.0.2.43, for=198.51.100.17;proto=https", vec!["192.0.2.43", "198.51.100.17+"]),
        ("for=\"192.0.2.43:47011\"", vec!["192.0.2.43"]),
        ("for=\"_gazonk\"", vec!["?"]),
        ("for=_SEVKISEK;by=_x:_y", vec!["?"]),
        ("for=unknown, for=\"unknown:80\"", vec!["?", "?"]),
        ("for=\"1\\92.0.2.4\"", vec!["192.0.2.4"]),
        ("host=\"a.example:8443\";proto=HTTPS", vec!["?+"]),
        ("for=1.2.3.4;secret=\"a, b; c\",for=5.6.7.8", vec!["1.2.3.4", "5.6.7.8"]),
        ("for=\"[::ffff:192.0.2.1]\"", vec!["192.0.2.1"]),
    ] {
        let value = value.replace("_x:_y", "\"_x:_y\"");
        let hops = forwarded(std::iter::once(value.as_bytes())).unwrap_or_else(|error| panic!("{value}: {error}"));
        assert_eq!(addresses(&hops), expect, "{value}");
    }
}

#[test]
fn what_is_no_field_of_rfc_7239() {
    for value in [
        "for",
        "for=",
        "for=;proto=http",
        "for=1.2.3.4;for=5.6.7.8",
        "for=1.2.3.4; proto=http",
        "for = 1.2.3.4",
        "for=[2001:db8::1]",
        "for=2001:db8::1",
        "for=\"2001:db8::1\"",
        "for=\"[2001:db8::1\"",
        "for=\"[2001:db8::1]x\"",
        "for=\"1.2.3.4",
        "for=1.2.3.4 for=5.6.7.8",
        "for=localhost",
        "for=256.1.1.1",
        "for=01.2.3.4",
        "for=\"1.2.3.4:123456\"",
        "for=_",
        "for=\"_a b\"",
        "proto=ftp",
        "host=\"a b\"",
        "for=1.2.3.4;",
        "=1.2.3.4",
    ] {
        assert!(forwarded(std::iter::once(value.as_bytes())).is_err(), "{value}");
    }
    let many = vec!["for=1.2.3.4"; 33].join(",");
    assert!(forwarded(std::iter::once(many.as_bytes())).is_err());
}

#[test]
fn the_usual_fields() {
    for (hops, schemes, expect) in [
        ("192.0.2.1", "", Ok(vec!["192.0.2.1"])),
        ("192.0.2.1, 2001:db8::1,[2001:db8::2]:80,10.0.0.1:99", "", {
            Ok(vec!["192.0.2.1", "2001:db8::1", "2001:db8::2", "10.0.0.1"])
        }),
        ("unknown", "https", Ok(vec!["?+"])),
        ("", "https", Ok(vec!["?+"])),
        ("192.0.2.1, 10.0.0.1", "https, http", Ok(vec!["192.0.2.1+", "10.0.0.1-"])),
        ("192.0.2.1, 10.0.0.1", "http", Ok(vec!["192.0.2.1-", "10.0.0.1-"])),
        ("192.0.2.1", "https, http", Err(())),
        ("192.0.2.1", "wss", Err(())),
        ("localhost", "", Err(())),
        ("192.0.2.1 10.0.0.1", "", Err(())),
        ("192.0.2", "", Err(())),
        ("\"192.0.2.1\"", "", Err(())),
    ] {
        let got = x_forwarded(std::iter::once(hops.as_bytes()), std::iter::once(schemes.as_bytes()));
        let got = got.map(|hops| addresses(&hops)).map_err(|_| ());
        assert_eq!(got, expect.map(|list| list.into_iter().map(str::to_owned).collect()), "{hops} {schemes}");
    }
}

#[test]
fn the_walk_ends_at_the_first_stranger() {
    let trusted: Vec<Network> = ["10.0.0.0/8", "2001:db8::/32"].map(|text| Network::parse(text).unwrap()).into();
    let peer = Client { address: "10.0.0.1".parse().unwrap(), secure: false };
    for (hops, expect) in [
        ("", "10.0.0.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1", "192.0.2.1"),
        ("6.6.6.6, 192.0.2.1, 10.2.2.2, 2001:db8::5", "192.0.2.1"),
        ("10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("6.6.6.6, unknown, 10.2.2.2", "10.2.2.2"),
        ("6.6.6.6, unknown", "10.0.0.1"),
    ] {
        let hops = x_forwarded(std::iter::once(hops.as_bytes()), std::iter::empty()).unwrap();
        let expect: IpAddr = expect.parse().unwrap();
        assert_eq!(walk(peer, &trusted, &hops).address, expect);
    }
}
