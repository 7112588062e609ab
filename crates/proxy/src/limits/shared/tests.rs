//! The script against a real server, at moments that a test chooses.

use portcullis_testkit::{StoreKind, StoreServer};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::resp::{Reply, command, reply};
use super::script::answers;

/// The script with a clock that is told: the last two arguments.
fn script() -> String {
    let text = include_str!("accounts.lua");
    let told = text.replace("redis.call('TIME')", "{ ARGV[#ARGV - 1], ARGV[#ARGV] }");
    assert_ne!(told, text, "the script asks the server for the time");
    told
}

struct Talk {
    _server: StoreServer,
    stream: TcpStream,
    script: String,
}

/// Kind, limit, step, offset.
type Limit<'l> = [&'l str; 4];
/// Need, least, ahead, owed, known, gateways.
type Wish = [u64; 6];

impl Talk {
    fn new(kind: StoreKind) -> Self {
        let server = StoreServer::of(kind);
        let stream = TcpStream::connect(server.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self { _server: server, stream, script: script() }
    }

    /// Granted, left, and for how many milliseconds.
    fn ask(&mut self, account: &str, limit: Limit<'_>, wish: Wish, at_us: u64) -> [i64; 3] {
        self.ask_all(&[(account, limit, wish)], at_us)[0]
    }

    /// The same of several accounts in one call.
    fn ask_all(&mut self, asked: &[(&str, Limit<'_>, Wish)], at_us: u64) -> Vec<[i64; 3]> {
        let mut words = vec!["EVAL".to_owned(), self.script.clone(), asked.len().to_string()];
        words.extend(asked.iter().map(|(account, ..)| (*account).to_owned()));
        for (_, limit, wish) in asked {
            words.extend(limit.map(str::to_owned));
            words.extend(wish.map(|number| number.to_string()));
        }
        words.extend([at_us / 1_000_000, at_us % 1_000_000].map(|number| number.to_string()));
        let words: Vec<&[u8]> = words.iter().map(String::as_bytes).collect();
        let mut out = Vec::new();
        command(&mut out, &words);
        self.stream.write_all(&out).unwrap();
        let mut input = Vec::new();
        loop {
            if let Some((found, _)) = reply(&input).unwrap() {
                let told = answers(&list(&found), asked.len()).unwrap_or_else(|| panic!("{found:?}"));
                let number = |number: u64| i64::try_from(number).unwrap();
                return told.iter().map(|one| [one.granted, one.room, one.valid_ns / 1_000_000].map(number)).collect();
            }
            let mut room = [0; 4_096];
            let count = self.stream.read(&mut room).unwrap();
            assert!(count > 0, "the server went away");
            input.extend_from_slice(&room[..count]);
        }
    }
}

fn list(reply: &Reply) -> Vec<Reply> {
    if let Reply::List(list) = reply { list.clone() } else { panic!("{reply:?}") }
}

const S: u64 = 1_000_000;
/// 2027-01-31T23:00:00Z.
const JANUARY: u64 = 1_801_436_400 * S;

#[test]
fn the_script_counts_as_the_engine_does() {
    StoreKind::ALL.into_iter().for_each(counts_as_the_engine_does);
}

fn counts_as_the_engine_does(kind: StoreKind) {
    let mut talk = Talk::new(kind);
    // 10 a second, burst 20: a tenth of a second each.
    let rate: Limit = ["rate", "20", "100000.000000", "0"];
    let window: Limit = ["window", "10", "1000000", "0"];
    let hour: Limit = ["quota", "5", "1", "0"];
    let one = [1, 1, 0, 0, 1_000, 1];
    let t = JANUARY;
    for (account, limit, wish, at, expected, about) in [
        ("r", rate, [20, 20, 0, 0, 20, 1], t, [20, 0, 2_000], "a burst at once"),
        ("r", rate, one, t + 99_000, [0, 0, 2_000], "nothing yet"),
        ("r", rate, one, t + 100_000, [1, 0, 2_000], "one after a tenth of a second"),
        ("r", rate, [8, 8, 0, 0, 20, 1], t + S, [8, 1, 2_000], "nine after a second, eight of them taken"),
        (
            "r",
            rate,
            [5, 2, 0, 0, 20, 1],
            t + S + 100_000,
            [2, 0, 2_000],
            "less than all is given where it is enough for one",
        ),
        ("r", rate, [1, 1, 0, 30, 20, 1], t + S + 100_000, [0, 0, 2_000], "what is owed is charged"),
        ("r", rate, one, t + 2_900_000, [0, 0, 2_000], "and keeps out until it is paid"),
        ("r", rate, one, t + 3_200_000, [1, 0, 2_000], "then no longer"),
        (
            "a",
            rate,
            [1, 1, 5, 0, 20, 2],
            t,
            [5, 15, 2_000],
            "what is wanted in advance is bounded by a share of what is left",
        ),
        ("b", rate, [1, 1, 5, 0, 3, 2], t, [1, 2, 2_000], "an account that is not there is as the first says"),
        ("b", rate, [1, 1, 5, 0, 20, 2], t, [1, 1, 2_000], "and stays so"),
        ("w", window, [10, 1, 0, 0, 10, 1], t + 500_000, [10, 0, 500], "a whole window; valid until its end"),
        ("w", window, one, t + 999_000, [0, 0, 1], "no more within it"),
        ("w", window, [3, 1, 0, 0, 10, 1], t + S + 250_000, [2, 0, 750], "a quarter slid out"),
        ("w", window, [9, 9, 0, 0, 10, 1], t + 3 * S, [9, 1, 1_000], "after a pause all of it"),
        ("h", hour, [5, 5, 0, 0, 5, 1], t + 59 * 60 * S, [5, 0, 60_000], "a quota until the hour ends"),
        ("h", hour, one, t + 59 * 60 * S, [0, 0, 60_000], "no more within it"),
        ("h", hour, one, t + 60 * 60 * S, [1, 4, 3_600_000], "anew in the next"),
        ("h", hour, one, t + 59 * 60 * S, [1, 3, 60_000], "a clock that is set back resets nothing"),
    ] {
        assert_eq!(talk.ask(account, limit, wish, at), expected, "{about}");
    }
}

#[test]
fn days_and_months_end_where_their_zone_says() {
    StoreKind::ALL.into_iter().for_each(days_and_months_end);
}

fn days_and_months_end(kind: StoreKind) {
    let mut talk = Talk::new(kind);
    let day = 86_400_i64 * 1_000;
    let hours = |count: i64| count * 3_600 * 1_000;
    let at = |text: u64| text * S;
    // Each an account of its own: period, minutes ahead of UTC, moment, milliseconds that are left.
    for (step, offset, unix_s, left) in [
        ("2", "0", JANUARY / S, hours(1)),
        ("2", "60", JANUARY / S, day),
        ("2", "-120", JANUARY / S, hours(3)),
        ("3", "0", JANUARY / S, hours(1)),
        ("3", "60", JANUARY / S, 28 * day),
        // 2028-02-01, a leap year; 2028-12-31T12:00Z; 2100-02-28, none.
        ("3", "0", 1_832_976_000, 29 * day),
        ("3", "0", 1_861_876_800, hours(12)),
        ("3", "0", 4_107_456_000, day),
    ] {
        let account = format!("{step}/{offset}/{unix_s}");
        let [granted, room, valid] = talk.ask(&account, ["quota", "9", step, offset], [1, 1, 0, 0, 9, 1], at(unix_s));
        assert_eq!((granted, room, valid), (1, 8, left), "{account}");
        let last = at(unix_s) + u64::try_from(left).unwrap() * 1_000;
        assert_eq!(talk.ask(&account, ["quota", "9", step, offset], [1, 1, 0, 0, 9, 1], last - 1)[1], 7, "{account}");
        assert_eq!(talk.ask(&account, ["quota", "9", step, offset], [1, 1, 0, 0, 9, 1], last)[1], 8, "{account}");
    }
}

#[test]
fn one_call_charges_several_accounts_as_several_calls_would() {
    let [mut together, mut apart] = StoreKind::ALL.map(Talk::new);
    let rate: Limit = ["rate", "20", "100000.000000", "0"];
    let window: Limit = ["window", "10", "1000000", "0"];
    let month: Limit = ["quota", "5", "3", "60"];
    let wish = |need| [need, need, 4, 0, 20, 2];
    for step in 0..40 {
        let asked = [("a", rate, wish(3)), ("b", window, wish(1)), ("c", month, wish(step % 2)), ("d", rate, wish(1))];
        let at = JANUARY + step * 170_000;
        let alone: Vec<[i64; 3]> = asked.iter().map(|(name, limit, wish)| apart.ask(name, *limit, *wish, at)).collect();
        assert_eq!(together.ask_all(&asked, at), alone, "step {step}");
    }
}
