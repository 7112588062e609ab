//! Questions to name servers (RFC 1035): for the addresses of a name and how long they may be used, or, beside the system's own
//! look-up, for that time alone. In the second case no address is taken from here, so that a forged answer can make look-ups
//! more frequent, within a bound, and nothing else.

use std::future::poll_fn;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Where the system says which servers to ask.
const RESOLV_CONF: &str = "/etc/resolv.conf";
// LIMIT: bytes of that file that are read, and servers of it that are asked.
const CONF_BYTES_MAX: u64 = 64 * 1024;
const SERVERS_MAX: usize = 2;
/// How long a server may take to answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);
const PORT: u16 = 53;
// LIMIT: bytes of an answer; what is longer comes truncated, and what is there is enough.
const ANSWER_BYTES_MAX: usize = 1232;
const HEAD_BYTES: usize = 12;
/// LIMIT: records of an answer that are looked at.
const RECORDS_MAX: u16 = 64;
/// LIMIT: labels of a name.
const LABELS_MAX: usize = 128;
/// LIMIT: answers to other questions that are passed over while ours is waited for.
const STRAY_MAX: usize = 16;

/// What records are asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// IPv4 addresses.
    A,
    /// IPv6 addresses (RFC 3596).
    Aaaa,
}

/// What a server says about a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) addresses: Vec<IpAddr>,
    /// The least time of its records.
    pub(super) ttl: Duration,
}

/// What an answer says.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answer {
    Found(Found),
    /// The name has no such records, or does not exist.
    Nothing,
    /// The server could not say.
    Failed,
}

/// The TTL of a name's addresses, as one of the system's servers says it; `None` where nobody does.
pub(super) async fn time_to_live(name: &str) -> Option<Duration> {
    let mut text = String::new();
    let file = std::fs::File::open(RESOLV_CONF).ok()?;
    file.take(CONF_BYTES_MAX).read_to_string(&mut text).ok()?;
    look_up(&servers(&text), name).await.ok().map(|found| found.ttl)
}

/// The addresses of a name: the first server that answers is believed.
///
/// # Errors
/// Why there are none.
pub(super) async fn look_up(servers: &[SocketAddr], name: &str) -> Result<Found, String> {
    let mut why = "no name server".to_owned();
    for server in servers {
        match both(ask(*server, name, Kind::A), ask(*server, name, Kind::Aaaa)).await {
            (Answer::Found(mut one), Answer::Found(other)) => {
                one.addresses.extend(other.addresses);
                return Ok(Found { ttl: one.ttl.min(other.ttl), ..one });
            }
            // Half an answer counts: a server that knows nothing of one family may say so by an error.
            (Answer::Found(one), _) | (_, Answer::Found(one)) => return Ok(one),
            (Answer::Nothing, Answer::Nothing) => return Err(format!("{server} knows no address of it")),
            (Answer::Failed, _) | (_, Answer::Failed) => why = format!("no answer of {server}"),
        }
    }
    Err(why)
}

/// What two questions that are asked at once come to.
async fn both(one: impl Future<Output = Answer>, other: impl Future<Output = Answer>) -> (Answer, Answer) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(answer) = one.as_mut().poll(context)
        {
            first = Some(answer);
        }
        if second.is_none()
            && let Poll::Ready(answer) = other.as_mut().poll(context)
        {
            second = Some(answer);
        }
        match (first.take(), second.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// Asks one server one question.
async fn ask(server: SocketAddr, name: &str, kind: Kind) -> Answer {
    match tokio::time::timeout(ANSWER_MAX, exchange(server, name, kind)).await {
        Ok(Some(answer)) => answer,
        Ok(None) | Err(_) => Answer::Failed,
    }
}

async fn exchange(server: SocketAddr, name: &str, kind: Kind) -> Option<Answer> {
    // Id and port are drawn anew, so that nobody off the way can guess both.
    let mut id = [0; 2];
    rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut id).ok()?;
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(server).await.ok()?;
    let asked = question(u16::from_be_bytes(id), name, kind)?;
    socket.send(&asked).await.ok()?;
    let mut room = [0; ANSWER_BYTES_MAX];
    for _ in 0..STRAY_MAX {
        let count = socket.recv(&mut room).await.ok()?;
        if let Some(answer) = answer(room.get(..count)?, &asked) {
            return Some(answer);
        }
    }
    None
}

/// The servers that a resolv.conf names, in its order.
fn servers(conf: &str) -> Vec<SocketAddr> {
    let lines = conf.lines().filter_map(|line| line.trim().strip_prefix("nameserver"));
    let addresses = lines.filter_map(|rest| rest.split_whitespace().next()?.parse::<IpAddr>().ok());
    let mut found: Vec<SocketAddr> = addresses.take(SERVERS_MAX).map(|ip| SocketAddr::new(ip, PORT)).collect();
    if found.is_empty() {
        // What the system does without any (resolv.conf(5)).
        found.push(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), PORT));
    }
    found
}

/// A question for the addresses of a name; `None` for a name that cannot be asked about.
fn question(id: u16, name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(HEAD_BYTES + name.len() + 6);
    out.extend_from_slice(&id.to_be_bytes());
    // Recursion desired; one question.
    out.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        out.push(length);
        out.extend_from_slice(label.as_bytes());
    }
    // The root; the type, class IN.
    out.extend_from_slice(&[0, 0, kind.code(), 0, 1]);
    Some(out)
}

/// What an answer says; `None` if it answers something else.
fn answer(bytes: &[u8], asked: &[u8]) -> Option<Answer> {
    let head: [u8; HEAD_BYTES] = *bytes.first_chunk()?;
    let [id_high, id_low, flags, code, .., answers_high, answers_low, _, _, _, _] = head;
    // Servers may write the name in other letters, but not as another name.
    let rest = bytes.get(HEAD_BYTES..)?;
    let question = asked.get(HEAD_BYTES..)?;
    let repeats = rest.get(..question.len())?.eq_ignore_ascii_case(question);
    if !asked.starts_with(&[id_high, id_low]) || flags & 0x80 == 0 || !repeats {
        return None;
    }
    let count = u16::from_be_bytes([answers_high, answers_low]).min(RECORDS_MAX);
    Some(match code & 0x0f {
        0 => records(rest.get(question.len()..)?, count).map_or(Answer::Nothing, Answer::Found),
        // No such name (RFC 1035 section 4.1.1).
        3 => Answer::Nothing,
        _ => Answer::Failed,
    })
}

/// The addresses among the records of an answer, and the least time of them all: a name may stand for another one.
fn records(mut rest: &[u8], count: u16) -> Option<Found> {
    let mut addresses = Vec::new();
    let mut least: Option<u32> = None;
    for _ in 0..count {
        // Type, class, TTL, length of the data; a truncated answer ends somewhere here.
        let Some(record) = skip_name(rest).and_then(|rest| Some((rest.first_chunk::<10>()?, rest.get(10..)?))) else {
            break;
        };
        let ([_, kind, _, _, a, b, c, d, length_high, length_low], data) = record;
        let Some((data, next)) = data.split_at_checked(usize::from(u16::from_be_bytes([*length_high, *length_low])))
        else {
            break;
        };
        let ttl = u32::from_be_bytes([*a, *b, *c, *d]);
        least = Some(least.map_or(ttl, |least| least.min(ttl)));
        if *kind == Kind::A.code() {
            addresses.extend(data.first_chunk::<4>().map(|octets| IpAddr::V4(Ipv4Addr::from(*octets))));
        } else if *kind == Kind::Aaaa.code() {
            addresses.extend(data.first_chunk::<16>().map(|octets| IpAddr::V6(Ipv6Addr::from(*octets))));
        }
        rest = next;
    }
    let ttl = Duration::from_secs(u64::from(least?));
    (!addresses.is_empty()).then_some(Found { addresses, ttl })
}

/// What follows a name, which may end with a pointer to another one (RFC 1035 section 4.1.4).
fn skip_name(mut bytes: &[u8]) -> Option<&[u8]> {
    for _ in 0..LABELS_MAX {
        let (length, rest) = bytes.split_first()?;
        match length {
            0 => return Some(rest),
            0xc0.. => return rest.get(1..),
            1..=63 => bytes = rest.get(usize::from(*length)..)?,
            64..=0xbf => return None,
        }
    }
    None
}

// === impl Kind ===

impl Kind {
    const fn code(self) -> u8 {
        match self {
            Self::A => 1,
            Self::Aaaa => 28,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Found, Kind, answer, look_up, question, servers, skip_name};
    use std::net::{IpAddr, SocketAddr, UdpSocket};
    use std::time::Duration;

    /// A record with a pointer for its name.
    fn record(kind: u8, ttl: u32, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        [&[0xc0, 12, 0, kind, 0, 1], &ttl.to_be_bytes()[..], &length, data].concat()
    }

    fn reply(question: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2] |= 0x80;
        bytes[7] = u8::try_from(records.len()).unwrap();
        [bytes, records.concat()].concat()
    }

    fn found(addresses: &[&str], seconds: u64) -> Found {
        let addresses = addresses.iter().map(|text| text.parse::<IpAddr>().unwrap()).collect();
        Found { addresses, ttl: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_least_time_counts() {
        let asked = question(7, "orders.internal", Kind::A).unwrap();
        let said = |records: &[Vec<u8>]| answer(&reply(&asked, records), &asked).unwrap();
        assert_eq!(said(&[record(1, 30, &[10, 0, 0, 1])]), Answer::Found(found(&["10.0.0.1"], 30)));
        // A name that stands for another one, whose addresses change more often.
        let alias = record(5, 300, b"\x01a\x00");
        let all = [alias.clone(), record(1, 5, &[10, 0, 0, 1]), record(28, 60, &[0; 16])];
        assert_eq!(said(&all), Answer::Found(found(&["10.0.0.1", "::"], 5)));
        assert_eq!(said(&[record(1, 0, &[10, 0, 0, 1])]), Answer::Found(found(&["10.0.0.1"], 0)));
        for nothing in [&[][..], &[alias], &[record(1, 30, &[10, 0, 0])]] {
            assert_eq!(said(nothing), Answer::Nothing);
        }
    }

    #[test]
    fn what_is_no_answer_to_the_question_says_nothing() {
        let asked = question(7, "orders.internal", Kind::A).unwrap();
        let good = reply(&asked, &[record(1, 30, &[10, 0, 0, 1])]);
        for (other, what) in [
            (question(8, "orders.internal", Kind::A), "another id"),
            (question(7, "orders.external", Kind::A), "another name"),
            (question(7, "orders.internal", Kind::Aaaa), "another kind"),
        ] {
            assert_eq!(answer(&good, &other.unwrap()), None, "{what}");
        }
        assert_eq!(answer(&asked, &asked), None, "the question itself");
        assert!(answer(&good, &question(7, "Orders.INTERNAL", Kind::A).unwrap()).is_some(), "other letters");
        for (code, expected) in [(2, Answer::Failed), (3, Answer::Nothing), (5, Answer::Failed)] {
            let mut bytes = good.clone();
            bytes[3] |= code;
            assert_eq!(answer(&bytes, &asked), Some(expected), "code {code}");
        }
        for length in 0..good.len() {
            // Cut anywhere: no panic, and either nothing or what was whole.
            assert!(matches!(answer(&good[..length], &asked), None | Some(Answer::Nothing)));
        }
        assert_eq!(skip_name(&[0x40, 1]), None);
        assert_eq!(skip_name(&[1; 1000]), None, "a name without an end");
        for name in ["", "a..b", &"x".repeat(64)] {
            assert_eq!(question(1, name, Kind::A), None, "{name:?}");
        }
    }

    #[test]
    fn servers_are_those_of_the_system() {
        let shown = |conf: &str| servers(conf).iter().map(ToString::to_string).collect::<Vec<_>>();
        let conf =
            "# nameserver 9.9.9.9\nsearch internal\nnameserver 10.0.0.2\n nameserver ::1 \nnameserver 10.0.0.3\n";
        assert_eq!(shown(conf), ["10.0.0.2:53", "[::1]:53"]);
        assert_eq!(shown("nameserver nobody\n"), ["127.0.0.1:53"]);
    }

    /// A server that gives `answers` questions an answer, after a stray one.
    fn server(answers: usize, reply_to: impl Fn(&[u8]) -> Vec<u8> + Send + 'static) -> SocketAddr {
        let server = UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let address = server.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut room = [0; 512];
            for _ in 0..answers {
                let (count, from) = server.recv_from(&mut room).unwrap();
                server.send_to(b"stray", from).unwrap();
                server.send_to(&reply_to(&room[..count]), from).unwrap();
            }
        });
        address
    }

    #[test]
    fn both_families_are_asked_for_and_the_next_server_where_one_fails() {
        let failing = server(2, |asked| {
            let mut bytes = reply(asked, &[]);
            bytes[3] |= 2;
            bytes
        });
        let good = server(2, |asked| {
            let six = asked[asked.len() - 3] == Kind::Aaaa.code();
            let record = if six { record(28, 9, &[0; 16]) } else { record(1, 42, &[10, 0, 0, 1]) };
            reply(asked, &[record])
        });
        let knows_nothing = server(2, |asked| reply(asked, &[]));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let ask = |servers: &[SocketAddr]| runtime.block_on(look_up(servers, "orders.internal"));
        assert_eq!(ask(&[failing, good]), Ok(found(&["10.0.0.1", "::"], 9)));
        assert_eq!(ask(&[knows_nothing, good]), Err(format!("{knows_nothing} knows no address of it")));
    }
}
