//! Databases in MaxMind's form (version 2.0), as tests want them: small, and with everything that readers have to know.

use std::collections::HashMap;
use std::net::IpAddr;

/// What a network is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Said {
    /// In a country, by its code.
    Country(&'static str),
    /// Announced by an autonomous system.
    System(u32),
    /// Something else.
    Nothing,
}

/// Where a record leads.
#[derive(Clone, Copy)]
enum Leads {
    Nowhere,
    Node(usize),
    Data(usize),
}

/// A database of records with so many bits (24, 28 or 32), for addresses of this family (4 or 6), of these networks: `192.0.2.0/24`. What comes
/// later is more specific.
#[must_use]
pub fn database(bits: usize, family: u8, networks: &[(&str, Said)]) -> Vec<u8> {
    let (mut nodes, mut data) = (vec![[Leads::Nowhere; 2]], Data::default());
    for (network, said) in networks {
        let offset = data.record(*said);
        insert(&mut nodes, &path(network, family), offset);
    }
    let mut out = Vec::new();
    let count = nodes.len();
    for sides in &nodes {
        let sides = sides.map(|side| match side {
            Leads::Nowhere => count,
            Leads::Node(node) => node,
            Leads::Data(offset) => count + 16 + offset,
        });
        let [left, right] = sides.map(|side| u32::try_from(side).expect("a small database").to_be_bytes());
        match bits {
            24 => out.extend([&left[1..], &right[1..]].concat()),
            28 => out.extend([&left[1..], &[left[0] << 4 | right[0]], &right[1..]].concat()),
            _ => out.extend([left, right].concat()),
        }
    }
    out.extend([0; 16]);
    out.extend(data.bytes);
    out.extend(b"\xab\xcd\xefMaxMind.com");
    let mut about = Data::default();
    about.head(7, 9);
    for (name, number, size) in [
        ("binary_format_major_version", 2, 2),
        ("binary_format_minor_version", 0, 2),
        ("build_epoch", 1_795_392_000_u64, 8),
        ("ip_version", u64::from(family), 2),
        ("node_count", count as u64, 4),
        ("record_size", bits as u64, 2),
    ] {
        about.text(name);
        about.number(number, size);
    }
    about.text("database_type");
    about.text("Portcullis-Test");
    about.text("description");
    about.head(7, 1);
    about.text("en");
    about.text(&"A database of tests. ".repeat(20));
    about.text("languages");
    about.head(11, 1);
    about.text("en");
    out.extend(about.bytes);
    out
}

/// The bits of a network; those of IPv4 stand behind 96 zeros where both are in a file.
fn path(network: &str, family: u8) -> Vec<bool> {
    let (address, length) = network.split_once('/').expect("a length");
    let length: usize = length.parse().expect("a number");
    let (bits, width, before) = match address.parse().expect("an address") {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()), 32, if family == 6 { 96 } else { 0 }),
        IpAddr::V6(v6) => (v6.to_bits(), 128, 0),
    };
    let own = (0..length).map(|at| bits >> (width - 1 - at) & 1 == 1);
    std::iter::repeat_n(false, before).chain(own).collect()
}

fn insert(nodes: &mut Vec<[Leads; 2]>, path: &[bool], offset: usize) {
    let (last, way) = path.split_last().expect("a network");
    let mut at = 0;
    for bit in way {
        at = match nodes[at][usize::from(*bit)] {
            Leads::Node(node) => node,
            // What is said of the whole is said of both halves.
            other @ (Leads::Nowhere | Leads::Data(_)) => {
                nodes.push([other; 2]);
                let node = nodes.len() - 1;
                nodes[at][usize::from(*bit)] = Leads::Node(node);
                node
            }
        };
    }
    nodes[at][usize::from(*last)] = Leads::Data(offset);
}

#[derive(Default)]
struct Data {
    bytes: Vec<u8>,
    records: HashMap<Said, usize>,
    /// Where names stand already.
    names: HashMap<&'static str, usize>,
}

// === impl Data ===

impl Data {
    /// Where the record about this stands.
    fn record(&mut self, said: Said) -> usize {
        if let Some(at) = self.records.get(&said) {
            return *at;
        }
        let at = self.bytes.len();
        match said {
            Said::Country(code) => {
                self.head(7, 2);
                self.name("continent");
                self.everything();
                self.name("country");
                self.head(7, 2);
                self.name("geoname_id");
                self.number(2_921_044, 4);
                self.name("iso_code");
                self.text(code);
            }
            Said::System(number) => {
                self.head(7, 2);
                self.name("autonomous_system_number");
                self.number(number.into(), 4);
                self.name("autonomous_system_organization");
                self.text("Somebody");
            }
            Said::Nothing => self.head(7, 0),
        }
        self.records.insert(said, at);
        at
    }

    /// A map with a value of each kind.
    fn everything(&mut self) {
        self.head(7, 9);
        self.text("a double");
        self.head(3, 8);
        self.bytes.extend(1.5_f64.to_be_bytes());
        self.text("bytes");
        self.head(4, 3);
        self.bytes.extend([1, 2, 3]);
        self.text("a signed number");
        self.head(8, 4);
        self.bytes.extend((-7_i32).to_be_bytes());
        self.text("a long number");
        self.head(10, 16);
        self.bytes.extend(u128::MAX.to_be_bytes());
        self.text("truth");
        self.head(14, 1);
        self.text("a float");
        self.head(15, 4);
        self.bytes.extend(0.5_f32.to_be_bytes());
        self.text("a list");
        self.head(11, 2);
        self.head(11, 0);
        self.text("x");
        self.text("a long text");
        self.text(&"y".repeat(400));
        self.text("a very long text");
        self.text(&"z".repeat(66_000));
    }

    /// A name: the second time, where it stood the first.
    fn name(&mut self, name: &'static str) {
        match self.names.get(name).copied() {
            None => {
                self.names.insert(name, self.bytes.len());
                self.text(name);
            }
            Some(at) if at < 2_048 => self.bytes.extend([1 << 5 | low(at >> 8), low(at)]),
            Some(at) if at < 526_336 => {
                let at = at - 2_048;
                self.bytes.extend([1 << 5 | 1 << 3 | low(at >> 16), low(at >> 8), low(at)]);
            }
            Some(at) => {
                self.bytes.push(1 << 5 | 3 << 3);
                self.bytes.extend(u32::try_from(at).expect("a small database").to_be_bytes());
            }
        }
    }

    fn text(&mut self, text: &str) {
        self.head(2, text.len());
        self.bytes.extend(text.as_bytes());
    }

    /// A number in as few bytes as it takes, of a kind that has so many.
    fn number(&mut self, number: u64, size: usize) {
        let bytes = number.to_be_bytes();
        let bytes = &bytes[bytes.iter().position(|byte| *byte != 0).unwrap_or(8)..];
        self.head(
            match size {
                2 => 5,
                4 => 6,
                _ => 9,
            },
            bytes.len(),
        );
        self.bytes.extend(bytes);
    }

    /// The head of a value.
    fn head(&mut self, kind: u8, size: usize) {
        let (short, further) = match size {
            0..29 => (size, vec![]),
            29..285 => (29, vec![size - 29]),
            285..65_821 => (30, vec![(size - 285) >> 8, (size - 285) & 255]),
            _ => (31, vec![(size - 65_821) >> 16, (size - 65_821) >> 8 & 255, (size - 65_821) & 255]),
        };
        let control = if kind > 7 { low(short) } else { kind << 5 | low(short) };
        self.bytes.push(control);
        self.bytes.extend((kind > 7).then(|| kind - 7));
        self.bytes.extend(further.into_iter().map(low));
    }
}

/// The lowest byte of a number.
fn low(number: usize) -> u8 {
    u8::try_from(number & 255).expect("a byte")
}
