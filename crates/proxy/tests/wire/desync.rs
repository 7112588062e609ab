//! The desync suite over sockets: every severe case is refused with nothing at the upstream; whatever else is not refused
//! reaches the upstream as exactly one well-formed request.

use crate::check::{good_request_works, security_headers, well_formed};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::suite::{Case, desync};
use portcullis_testkit::{Answer, Client, FakeUpstream, Gatehouse, gateway};
use std::collections::BTreeMap;

/// The forms in which a case is sent: as it is, with a Host so that it is not refused for that alone, and with its odd
/// letters as single bytes.
const FORMS: [(bool, bool); 3] = [(false, false), (true, false), (true, true)];

#[test]
fn every_severe_case_is_refused_and_nothing_of_it_is_forwarded() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::before(upstream.address());
    let severe: Vec<Case> = desync().into_iter().filter(|case| case.tier == "Severe").collect();
    assert_eq!(severe.len(), 58, "the suite has 58 severe cases");
    for case in &severe {
        for (host, latin) in FORMS {
            let before = upstream.requests();
            let bytes = case.bytes(host, latin);
            let mut client = Client::connect(gate.address());
            client.send(&bytes);
            // What a smuggler would put behind it.
            drop(client.try_send("0\r\n\r\nGET /smuggled HTTP/1.1\r\nHost: api.test\r\n\r\n"));
            let answer = client.answer();
            let about = format!("{}: {:?}", case.name, String::from_utf8_lossy(&bytes));
            assert!(answer.status >= 400, "{about}: {}", answer.status);
            assert!(answer.text().contains("/problems/") && answer.says_close(), "{about}: {}", answer.text());
            security_headers(&answer, &about);
            client.expect_end();
            assert_eq!(upstream.requests(), before, "{about}: {}", upstream.text());
            good_request_works(&gate, &about);
        }
    }
    assert!(!upstream.text().contains("smuggled"));
    println!("desync: {} severe cases in {} forms, all refused", severe.len(), FORMS.len());
}

/// What became of a case that need not be refused.
fn outcome(gate: &Gatehouse, upstream: &FakeUpstream, case: &Case, bytes: &[u8]) -> String {
    let before = upstream.bytes().len();
    let mut client = Client::connect(gate.address());
    client.send(bytes);
    client.finish();
    let answer = client.try_answer(case.method == "HEAD");
    let (rest, _) = client.rest();
    let about = format!("{}: {answer:?}", case.name);
    // Of a head that cannot be read, not even the method is known: the answer to HEAD then has a body, and closes.
    let closed = answer.as_ref().is_some_and(Answer::says_close);
    assert!(rest.is_empty() || closed, "{about}: {:?} after it", String::from_utf8_lossy(&rest));
    eventually("the gateway is done", || (gate.metric("portcullis_connections") < 0.5).then_some(()));
    eventually("the upstream is done", || (upstream.open() == 0).then_some(()));
    let seen = upstream.bytes()[before..].to_vec();
    good_request_works(gate, &about);
    match seen.as_slice() {
        [] => answer.map_or("no answer".to_owned(), |answer| format!("refused {}", answer.status)),
        [one] if one.is_empty() => "not sent".to_owned(),
        [one] => {
            well_formed(one, &about);
            "forwarded".to_owned()
        }
        several => panic!("{about}: {} connections for one case", several.len()),
    }
}

#[test]
fn every_other_case_is_refused_or_forwarded_as_one_clean_request() {
    let upstream = FakeUpstream::echoing();
    let gate = Gatehouse::with(upstream.address(), |plan| {
        // A connection for each request, so that what belongs to a case can be told apart.
        gateway::each_upstream(plan, |upstream| upstream.idle_connections = 0);
    });
    let mut table: BTreeMap<(String, String), usize> = BTreeMap::new();
    for case in desync().iter().filter(|case| case.tier != "Severe") {
        for (host, latin) in FORMS {
            let outcome = outcome(&gate, &upstream, case, &case.bytes(host, latin));
            *table.entry((case.tier.clone(), outcome)).or_default() += 1;
        }
    }
    println!("desync: cases in three forms each");
    for ((tier, outcome), count) in &table {
        println!("{tier:<12} {outcome:<14} {count:>4}");
    }
    let forwarded: usize =
        table.iter().filter(|((_, outcome), _)| outcome == "forwarded").map(|(_, count)| count).sum();
    assert!(forwarded > 0, "a gateway that refuses everything proves nothing");
}
