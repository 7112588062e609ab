//! The scripts that the store runs: called by their digest, sent whole where it does not know them, and what they answer.

use super::resp::{self, Reply};
use portcullis_limit::{Kind, Period, StoreAnswer, StoreAsk};
use std::sync::OnceLock;

pub(super) static ACCOUNTS: Source = Source::new(include_str!("accounts.lua"));
pub(super) static GATEWAYS: Source = Source::new(include_str!("gateways.lua"));

/// One script.
#[derive(Debug)]
pub(super) struct Source {
    text: &'static str,
    digest: OnceLock<String>,
}

/// A call of a script.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) source: &'static Source,
    pub(super) keys: Vec<String>,
    pub(super) arguments: Vec<Vec<u8>>,
}

// === impl Source ===

impl Source {
    const fn new(text: &'static str) -> Self {
        Self { text, digest: OnceLock::new() }
    }

    fn digest(&self) -> &str {
        self.digest.get_or_init(|| {
            let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, self.text.as_bytes());
            digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
        })
    }
}

// === impl Script ===

impl Script {
    /// The command for it, by digest or with the whole text.
    pub(super) fn command(&self, by_digest: bool) -> Vec<u8> {
        let count = self.keys.len().to_string();
        let mut words: Vec<&[u8]> = match by_digest {
            true => vec![b"EVALSHA", self.source.digest().as_bytes()],
            false => vec![b"EVAL", self.source.text.as_bytes()],
        };
        words.push(count.as_bytes());
        words.extend(self.keys.iter().map(String::as_bytes));
        words.extend(self.arguments.iter().map(Vec::as_slice));
        let mut out = Vec::with_capacity(512);
        resp::command(&mut out, &words);
        out
    }
}

/// What the script is told of an account.
pub(super) fn arguments(ask: &StoreAsk) -> impl Iterator<Item = Vec<u8>> {
    let (kind, limit, step, offset) = match ask.kind {
        Kind::Rate { units, per_ns, burst } => {
            let picos = u128::from(per_ns).saturating_mul(1_000).div_ceil(u128::from(units.max(1)));
            ("rate", burst, format!("{}.{:06}", picos / 1_000_000, picos % 1_000_000), 0)
        }
        Kind::Window { limit, width_ns } => ("window", limit, (width_ns / 1_000).max(1).to_string(), 0),
        Kind::Quota { limit, period, offset_min } => {
            let step = match period {
                Period::Hour => "1",
                Period::Day => "2",
                Period::Month => "3",
            };
            ("quota", limit, step.to_owned(), offset_min)
        }
        // Never asked: each gateway has its share of permits.
        Kind::Concurrency { limit } => ("window", limit, "1".to_owned(), 0),
    };
    let words = [kind.to_owned(), limit.to_string(), step, offset.to_string()];
    let numbers = [ask.need, ask.least, ask.ahead, ask.owed, ask.known, ask.gateways];
    words.into_iter().chain(numbers.map(|number| number.to_string())).map(String::into_bytes)
}

/// What it says of `count` accounts, in their order.
pub(super) fn answers(list: &[Reply], count: usize) -> Option<Vec<StoreAnswer>> {
    if list.len() != count {
        return None;
    }
    list.iter().map(answer).collect()
}

fn answer(reply: &Reply) -> Option<StoreAnswer> {
    let Reply::List(list) = reply else { return None };
    let [Reply::Number(granted), Reply::Number(room), Reply::Number(valid_ms)] = list.as_slice() else { return None };
    let number = |value: &i64| u64::try_from(*value).ok();
    let valid_ns = number(valid_ms)?.saturating_mul(1_000_000);
    Some(StoreAnswer { granted: number(granted)?, room: number(room)?, valid_ns })
}
