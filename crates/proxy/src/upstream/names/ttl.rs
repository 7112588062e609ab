//! How long what a look-up found may be used: the TTL of the name's records (RFC 1035 section 3.2.1), which the system's own
//! look-up does not tell. Only the time is taken from here, never an address, so that a forged answer can make look-ups
//! more frequent, within a bound, and nothing else.

use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;
use tokio::net::UdpSocket;

/// Where the system says which servers to ask.
const RESOLV_CONF: &str = "/etc/resolv.conf";
// LIMIT: bytes of that file that are read, and servers that are asked.
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

/// The TTL of a name's addresses, as one of the system's servers says it; `None` where nobody does.
pub(super) async fn of(name: &str) -> Option<Duration> {
    let mut text = String::new();
    let file = std::fs::File::open(RESOLV_CONF).ok()?;
    file.take(CONF_BYTES_MAX).read_to_string(&mut text).ok()?;
    for server in servers(&text) {
        if let Some(ttl) = ask(server, name).await {
            return Some(ttl);
        }
    }
    None
}

/// Asks one server.
async fn ask(server: SocketAddr, name: &str) -> Option<Duration> {
    let mut id = [0; 2];
    rustls::crypto::aws_lc_rs::default_provider().secure_random.fill(&mut id).ok()?;
    let id = u16::from_be_bytes(id);
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).await.ok()?;
    socket.connect(server).await.ok()?;
    socket.send(&question(id, name)?).await.ok()?;
    let mut room = [0; ANSWER_BYTES_MAX];
    let count = tokio::time::timeout(ANSWER_MAX, socket.recv(&mut room)).await.ok()?.ok()?;
    time_to_live(room.get(..count)?, id)
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
fn question(id: u16, name: &str) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(HEAD_BYTES + name.len() + 6);
    out.extend_from_slice(&id.to_be_bytes());
    // Recursion desired; one question.
    out.extend_from_slice(&[1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len()).ok().filter(|length| (1..=63).contains(length))?;
        out.push(length);
        out.extend_from_slice(label.as_bytes());
    }
    // The root; type A, class IN.
    out.extend_from_slice(&[0, 0, 1, 0, 1]);
    Some(out)
}

/// The least TTL of an answer's records; `None` for an answer to something else, an error, or one without records.
fn time_to_live(answer: &[u8], id: u16) -> Option<Duration> {
    let head: [u8; HEAD_BYTES] = *answer.first_chunk()?;
    let [id_high, id_low, flags, code, .., answers_high, answers_low, _, _, _, _] = head;
    let is_ours = u16::from_be_bytes([id_high, id_low]) == id && flags & 0x80 != 0 && code & 0x0f == 0;
    let count = u16::from_be_bytes([answers_high, answers_low]).min(RECORDS_MAX);
    if !is_ours || count == 0 {
        return None;
    }
    let mut rest = skip_name(answer.get(HEAD_BYTES..)?)?.get(4..)?;
    let mut least: Option<u32> = None;
    for _ in 0..count {
        // Type, class, TTL, length of the data; a truncated answer ends somewhere here.
        let Some(record) = skip_name(rest).and_then(|rest| Some((rest.first_chunk::<10>()?, rest.get(10..)?))) else {
            break;
        };
        let ([_, _, _, _, a, b, c, d, length_high, length_low], data) = record;
        let ttl = u32::from_be_bytes([*a, *b, *c, *d]);
        least = Some(least.map_or(ttl, |least| least.min(ttl)));
        let Some(next) = data.get(usize::from(u16::from_be_bytes([*length_high, *length_low]))..) else { break };
        rest = next;
    }
    least.map(|seconds| Duration::from_secs(u64::from(seconds)))
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

#[cfg(test)]
mod tests {
    use super::{ask, question, servers, skip_name, time_to_live};
    use std::time::Duration;

    /// A record with a pointer for its name.
    fn record(ttl: u32, data: &[u8]) -> Vec<u8> {
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        [&[0xc0, 12, 0, 1, 0, 1], &ttl.to_be_bytes()[..], &length, data].concat()
    }

    fn answer(question: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = question.to_vec();
        bytes[2] |= 0x80;
        bytes[7] = u8::try_from(records.len()).unwrap();
        [bytes, records.concat()].concat()
    }

    #[test]
    fn the_least_time_counts() {
        let asked = question(7, "orders.internal").unwrap();
        let seconds = |records: &[Vec<u8>]| time_to_live(&answer(&asked, records), 7).map(|ttl| ttl.as_secs());
        assert_eq!(seconds(&[record(30, &[10, 0, 0, 1])]), Some(30));
        // A name that stands for another one, whose addresses change more often.
        assert_eq!(
            seconds(&[record(300, b"\x01a\x00"), record(5, &[10, 0, 0, 1]), record(60, &[10, 0, 0, 2])]),
            Some(5)
        );
        assert_eq!(seconds(&[record(0, &[10, 0, 0, 1])]), Some(0));
        assert_eq!(seconds(&[]), None);
    }

    #[test]
    fn what_is_no_answer_to_the_question_says_nothing() {
        let asked = question(7, "orders.internal").unwrap();
        let good = answer(&asked, &[record(30, &[10, 0, 0, 1])]);
        assert_eq!(time_to_live(&good, 8), None, "another question");
        assert_eq!(time_to_live(&asked, 7), None, "the question itself");
        let mut refused = good.clone();
        refused[3] |= 3;
        assert_eq!(time_to_live(&refused, 7), None, "no such name");
        for length in 0..good.len() {
            // Cut anywhere: no panic, and either nothing or what was whole.
            assert!(matches!(time_to_live(&good[..length], 7).map(|ttl| ttl.as_secs()), None | Some(30)));
        }
        assert_eq!(skip_name(&[0x40, 1]), None);
        assert_eq!(skip_name(&[1; 1000]), None, "a name without an end");
        for name in ["", "a..b", &"x".repeat(64)] {
            assert_eq!(question(1, name), None, "{name:?}");
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

    #[test]
    fn a_server_is_asked_and_believed_about_the_time_alone() {
        let server = std::net::UdpSocket::bind(("127.0.0.1", 0)).unwrap();
        let address = server.local_addr().unwrap();
        let serving = std::thread::spawn(move || {
            let mut room = [0; 512];
            let (count, from) = server.recv_from(&mut room).unwrap();
            server.send_to(&answer(&room[..count], &[record(42, &[10, 0, 0, 1])]), from).unwrap();
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        assert_eq!(runtime.block_on(ask(address, "orders.internal")), Some(Duration::from_secs(42)));
        serving.join().unwrap();
    }
}
