//! Which of several servers: four policies over the same view of them. A server of weight 0 is never chosen.
//!
//! Consistent hashing is weighted rendezvous hashing (Thaler and Ravishankar, 1998; weights as Schindelhauer and Schomaker,
//! 2005): it needs no table that would have to be built anew whenever a server is ejected or warms up, moves only the keys
//! of the server that changed, and a look at every server is cheap for as many as an upstream may have.

/// How a server is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Policy {
    /// The less busy of two drawn by chance.
    #[default]
    TwoChoices,
    /// The least busy of all.
    LeastRequest,
    /// One after the other.
    RoundRobin,
    /// The same one for the same key.
    Hash,
}

/// A server as the policies see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its share, slow start included; 0 if it must not be asked.
    pub weight: u32,
    /// Requests under way.
    pub active: usize,
    /// What it is called in hashes: the same across reloads, workers and processes.
    pub name: u64,
}

/// The credits of a smooth weighted round robin: between two turns of a heavy server light ones have theirs.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    credits: Vec<i64>,
}

// === impl Member ===

impl Member {
    /// Requests under way against the weight. At rest all are equal, so that the draw by weight decides.
    fn busier(&self, other: &Self) -> bool {
        let load = |active: usize, weight: u32| active as u128 * u128::from(weight);
        load(self.active, other.weight) > load(other.active, self.weight)
    }
}

// === impl RoundRobin ===

impl RoundRobin {
    /// Whose turn it is.
    pub fn next(&mut self, members: &[Member]) -> Option<usize> {
        self.credits.resize(members.len(), 0);
        let total: i64 = members.iter().map(|member| i64::from(member.weight)).sum();
        let mut best: Option<(usize, i64)> = None;
        for (index, (credit, member)) in self.credits.iter_mut().zip(members).enumerate() {
            if member.weight == 0 {
                // Its turns do not pile up while it is away.
                *credit = 0;
                continue;
            }
            *credit = credit.saturating_add(i64::from(member.weight));
            if best.is_none_or(|(_, most)| *credit > most) {
                best = Some((index, *credit));
            }
        }
        let (index, _) = best?;
        if let Some(credit) = self.credits.get_mut(index) {
            *credit = credit.saturating_sub(total);
        }
        Some(index)
    }
}

/// The less busy of two servers drawn by their weights (Mitzenmacher, "The power of two choices", 2001).
#[must_use]
pub fn two_choices(members: &[Member], random: u64) -> Option<usize> {
    let first = drawn(members, None, random >> 32)?;
    let Some(second) = drawn(members, Some(first), random & 0xffff_ffff) else { return Some(first) };
    match (members.get(first), members.get(second)) {
        (Some(a), Some(b)) if a.busier(b) => Some(second),
        _ => Some(first),
    }
}

/// One server by chance and weight; `bits` are 32.
fn drawn(members: &[Member], without: Option<usize>, bits: u64) -> Option<usize> {
    let weights = || {
        let all = members.iter().map(|member| u64::from(member.weight)).enumerate();
        all.filter(move |(index, weight)| *weight > 0 && Some(*index) != without)
    };
    let total: u64 = weights().map(|(_, weight)| weight).sum();
    // 1,024 servers of the largest weight are below 2^31, so that the product fits.
    let mut point = u64::try_from((u128::from(bits) * u128::from(total)) >> 32).unwrap_or(0);
    for (index, weight) in weights() {
        if point < weight {
            return Some(index);
        }
        point -= weight;
    }
    None
}

/// The least busy server; the look begins at one drawn by weight, so that equals are asked by their weights.
#[must_use]
pub fn least_request(members: &[Member], random: u64) -> Option<usize> {
    let start = drawn(members, None, random >> 32)?;
    let mut best = (start, members.get(start)?);
    for (index, member) in members.iter().enumerate().filter(|(_, member)| member.weight > 0) {
        if best.1.busier(member) {
            best = (index, member);
        }
    }
    Some(best.0)
}

/// The server that a key belongs to.
#[must_use]
pub fn rendezvous(members: &[Member], key: u64) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (index, member) in members.iter().enumerate().filter(|(_, member)| member.weight > 0) {
        // A number in (0, 1] of 53 bits: no logarithm of zero.
        #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
        let unit = ((mix(key ^ member.name) >> 11) as f64 + 1.0) / 9_007_199_254_740_992.0;
        let score = f64::from(member.weight) / -unit.ln().min(-f64::MIN_POSITIVE);
        if best.is_none_or(|(_, most)| score > most) {
            best = Some((index, score));
        }
    }
    best.map(|(index, _)| index)
}

/// The hash of a key or a name: FNV-1a, mixed. Not meant to withstand an attacker: who chooses keys chooses a server, and
/// could send all requests under one key just as well.
#[must_use]
pub fn hash(bytes: &[u8]) -> u64 {
    hash_with(0, bytes)
}

/// A hash that goes on from another one.
#[must_use]
pub fn hash_with(seed: u64, bytes: &[u8]) -> u64 {
    let start = 0xcbf2_9ce4_8422_2325 ^ seed;
    mix(bytes.iter().fold(start, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3)))
}

/// The finalizer of splitmix64: every bit depends on every other one.
fn mix(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests;
