//! Where an address is, by a file in MaxMind's form (MaxMind DB, version 2.0): its country, or the network that announces it.
//!
//! The file is read whole and judged at once: nothing of it is looked at afterwards, so that a look-up cannot fail. It is nothing that anybody has
//! vouched for: sizes, nodes and the work of reading are bounded, and pointers are followed once.

mod data;
#[cfg(test)]
mod tests;

use data::Data;
use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;

/// LIMIT: bytes of a file.
pub const PLACES_BYTES_MAX: usize = 256 << 20;
// LIMIT: nodes of its tree, of which each takes eight bytes.
const NODES_MAX: usize = 8 << 20;
// LIMIT: values that are passed on the way to those that are wanted, so that records which share long beginnings end.
const STEPS_MAX: u64 = 64 << 20;
/// Where its description has to begin: within so many bytes of the end.
const DESCRIPTION_BYTES_MAX: usize = 128 << 10;
const MARK: &[u8] = b"\xab\xcd\xefMaxMind.com";
/// Zeros between tree and data.
const GAP: usize = 16;
/// A record that leads to a value, whose number follows.
const LEAF: u32 = 1 << 31;

/// What is looked up in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The country (ISO 3166-1), as its two letters in the lower two bytes.
    Country,
    /// The number of the autonomous system (RFC 6793).
    System,
}

/// What a file says about addresses.
#[derive(Clone, PartialEq, Eq)]
pub struct Places {
    wanted: Wanted,
    /// For each bit of an address, where it leads: to another node, or to a value.
    nodes: Vec<[u32; 2]>,
    /// What is known, each once; first that nothing is.
    values: Vec<u32>,
    /// Where addresses of IPv4 and of IPv6 begin.
    starts: [u32; 2],
    built_s: u64,
}

/// Why a file cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlacesError {
    /// More than [`PLACES_BYTES_MAX`], or more than its parts may have.
    TooLarge,
    /// No description: it is no such file.
    OtherForm,
    /// A version or a width of records that does not exist.
    OtherVersion,
    /// It contradicts itself.
    Malformed,
    /// It says nothing of what is wanted.
    NothingWanted,
}

// === impl Places ===

impl Places {
    /// Reads a file.
    ///
    /// # Errors
    /// What it is not.
    pub fn read(bytes: &[u8], wanted: Wanted) -> Result<Self, PlacesError> {
        if bytes.len() > PLACES_BYTES_MAX {
            return Err(PlacesError::TooLarge);
        }
        let tail = bytes.len().saturating_sub(DESCRIPTION_BYTES_MAX);
        let found = bytes.get(tail..).and_then(|end| end.windows(MARK.len()).rposition(|part| part == MARK));
        let mark = found.and_then(|at| at.checked_add(tail)).ok_or(PlacesError::OtherForm)?;
        let (body, description) = bytes.split_at_checked(mark).ok_or(PlacesError::OtherForm)?;
        let mut about = Data::new(description.get(MARK.len()..).unwrap_or_default(), STEPS_MAX);
        let mut number = |name: &str| about.number(0, &[name]).ok().flatten().ok_or(PlacesError::Malformed);
        let (nodes, bits) = (number("node_count")?, number("record_size")?);
        let (version, family, built_s) =
            (number("binary_format_major_version")?, number("ip_version")?, number("build_epoch")?);
        if version != 2 || !matches!(bits, 24 | 28 | 32) || !matches!(family, 4 | 6) {
            return Err(PlacesError::OtherVersion);
        }
        let nodes = usize::try_from(nodes).ok().filter(|count| *count <= NODES_MAX).ok_or(PlacesError::TooLarge)?;
        let width = usize::try_from(bits / 4).unwrap_or(usize::MAX);
        let (tree, rest) = body.split_at_checked(nodes.saturating_mul(width)).ok_or(PlacesError::Malformed)?;
        let (gap, data) = rest.split_at_checked(GAP).ok_or(PlacesError::Malformed)?;
        if nodes == 0 || gap.iter().any(|byte| *byte != 0) {
            return Err(PlacesError::Malformed);
        }
        let mut places = Self { wanted, nodes: Vec::with_capacity(nodes), values: vec![0], starts: [0; 2], built_s };
        places.take(tree.chunks_exact(width), nodes, &mut Data::new(data, STEPS_MAX))?;
        if places.values.len() == 1 {
            return Err(PlacesError::NothingWanted);
        }
        // Addresses of IPv4 are those of IPv6 whose first 96 bits are zero, and those alone are in a file of IPv4.
        places.starts = match family {
            4 => [0, LEAF],
            _ => [places.walk(0, 0, 96), 0],
        };
        Ok(places)
    }

    /// Takes in the tree, and of the data what is wanted.
    fn take<'t>(
        &mut self,
        tree: impl Iterator<Item = &'t [u8]>,
        count: usize,
        data: &mut Data<'_>,
    ) -> Result<(), PlacesError> {
        let (mut known, mut numbers): (HashMap<usize, u32>, HashMap<u32, u32>) =
            (HashMap::new(), HashMap::from([(0, 0)]));
        for node in tree {
            let mut sides = [0; 2];
            for (side, record) in sides.iter_mut().zip(records(node)) {
                *side = match usize::try_from(record).unwrap_or(usize::MAX) {
                    within if within < count => record,
                    nothing if nothing == count => LEAF,
                    beyond => {
                        let offset = beyond.checked_sub(count + GAP).ok_or(PlacesError::Malformed)?;
                        let number = match known.get(&offset) {
                            Some(number) => *number,
                            None => {
                                let value = self.wanted.of(data, offset)?;
                                let next = u32::try_from(self.values.len()).unwrap_or(LEAF);
                                let number = *numbers.entry(value).or_insert_with(|| {
                                    self.values.push(value);
                                    next
                                });
                                known.insert(offset, number);
                                number
                            }
                        };
                        LEAF | number
                    }
                };
            }
            self.nodes.push(sides);
        }
        Ok(())
    }

    /// What the file says about an address; 0 where it says nothing.
    #[must_use]
    pub fn of(&self, address: IpAddr) -> u32 {
        let [v4, v6] = self.starts;
        let end = match address.to_canonical() {
            IpAddr::V4(v4_address) => self.walk(v4, u128::from(v4_address.to_bits()) << 96, 32),
            IpAddr::V6(v6_address) => self.walk(v6, v6_address.to_bits(), 128),
        };
        // A node behind the last bit is nothing that an address leads to.
        let number = if end & LEAF == 0 { 0 } else { end & !LEAF };
        usize::try_from(number).ok().and_then(|number| self.values.get(number)).copied().unwrap_or(0)
    }

    /// Where so many bits lead, from the highest one on.
    fn walk(&self, from: u32, bits: u128, count: u32) -> u32 {
        let mut at = from;
        for step in 0..count {
            let node = usize::try_from(at).ok().filter(|_| at & LEAF == 0).and_then(|at| self.nodes.get(at));
            let Some([zero, one]) = node else { return at };
            at = if (bits << step) >> 127 == 0 { *zero } else { *one };
        }
        at
    }

    /// The name of a value: `DE`, `AS64500`.
    #[must_use]
    pub fn name(&self, value: u32) -> String {
        match self.wanted {
            Wanted::Country => value.to_be_bytes().iter().skip(2).map(|byte| char::from(*byte)).collect(),
            Wanted::System => format!("AS{value}"),
        }
    }

    /// Whether this is the value of any address.
    pub(crate) fn knows(&self, value: u32) -> bool {
        self.values.contains(&value)
    }

    /// When it was built, in seconds since 1970.
    #[must_use]
    pub fn built_s(&self) -> u64 {
        self.built_s
    }

    /// Bytes that it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.nodes.len() * size_of::<[u32; 2]>() + self.values.len() * size_of::<u32>()
    }
}

impl fmt::Debug for Places {
    /// Without the millions of nodes.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let values = self.values.len().saturating_sub(1);
        write!(formatter, "Places({:?}, {values} values, built {})", self.wanted, self.built_s)
    }
}

// === impl Wanted ===

impl Wanted {
    /// What a record of the data says; 0 where it says nothing of it.
    fn of(self, data: &mut Data<'_>, offset: usize) -> Result<u32, PlacesError> {
        match self {
            Self::Country => Ok(match data.text(offset, &["country", "iso_code"])? {
                Some([first, second]) if first.is_ascii_uppercase() && second.is_ascii_uppercase() => {
                    u32::from(*first) << 8 | u32::from(*second)
                }
                Some(_) => return Err(PlacesError::Malformed),
                None => 0,
            }),
            Self::System => {
                let number = data.number(offset, &["autonomous_system_number"])?.unwrap_or(0);
                u32::try_from(number).map_err(|_| PlacesError::Malformed)
            }
        }
    }
}

// === impl PlacesError ===

impl fmt::Display for PlacesError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::TooLarge => "it is larger than such a file may be",
            Self::OtherForm => "it is no database in MaxMind's form",
            Self::OtherVersion => "it is of a version that is not known here",
            Self::Malformed => "it is damaged",
            Self::NothingWanted => "it says nothing of what is looked for in it",
        })
    }
}

/// The two records of a node, of 24, 28 or 32 bits each.
fn records(node: &[u8]) -> [u32; 2] {
    match *node {
        [a, b, c, d, e, f] => [u32::from_be_bytes([0, a, b, c]), u32::from_be_bytes([0, d, e, f])],
        // The byte between them has the highest bits of both.
        [a, b, c, both, d, e, f] => {
            [u32::from_be_bytes([both >> 4, a, b, c]), u32::from_be_bytes([both & 15, d, e, f])]
        }
        [a, b, c, d, e, f, g, h] => [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])],
        // Widths are known by now.
        _ => [u32::MAX; 2],
    }
}
