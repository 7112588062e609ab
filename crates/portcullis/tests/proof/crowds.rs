//! What costs a client little and a server much before a request is whole: heads of many fields, and connections by the dozen.

use crate::house::{House, Setup};
use portcullis_testkit::deadline::eventually;
use portcullis_testkit::{Client, MoodyUpstream};

const GOOD: &str = "GET /n/1 HTTP/1.1\r\nHost: a.test\r\n\r\n";
const CONNECTIONS: usize = 40;

#[test]
fn a_flood_of_fields_is_refused_and_counted() {
    let upstream = MoodyUpstream::start();
    let house = House::start(Setup::new("fields", &[upstream.address()]));
    let many: String = (0..5_000).map(|number| format!("x-{number}: 1\r\n")).collect();
    let large = format!("x-large: {}\r\n", "a".repeat(200_000));
    for (fields, about) in [(many, "many fields"), (large, "a large field")] {
        let series = "portcullis_decisions_total{stage=\"head\",decision=\"refused\",reason=\"head_too_large\"}";
        let before = house.metric(series);
        let mut client = Client::connect(house.plain);
        // The gateway may answer and close before it has taken all of it.
        drop(client.try_send(format!("GET /n/1 HTTP/1.1\r\nHost: a.test\r\n{fields}\r\n")));
        if let Some(answer) = client.try_answer(false) {
            assert_eq!((answer.status, answer.code().as_str()), (431, "head_too_large"), "{about}");
        }
        eventually("it is counted", || (house.metric(series) > before).then_some(()));
        assert_eq!(Client::connect(house.plain).ask(GOOD).status, 200, "a good request after {about}");
    }
}

#[test]
fn more_connections_than_may_be_are_closed_and_counted() {
    let upstream = MoodyUpstream::start();
    let setup = Setup { limits: "{ connections: 20 }", ..Setup::new("crowd", &[upstream.address()]) };
    let house = House::start(setup);
    let mut good = Client::connect(house.plain);
    assert_eq!(good.ask(GOOD).status, 200, "before");
    let crowd: Vec<Client> = (0..CONNECTIONS).map(|_| Client::connect(house.plain)).collect();
    eventually("those beyond are counted", || {
        (house.metric("portcullis_connections_refused_total") > 0.0).then_some(())
    });
    assert_eq!(good.ask(GOOD).status, 200, "whoever was there is served beside them");
    drop(crowd);
    eventually("a good request works again", || {
        let mut client = Client::connect(house.plain);
        drop(client.try_send(GOOD));
        client.try_answer(false).filter(|answer| answer.status == 200).map(drop)
    });
}

/// What clients say of themselves is hashed under a secret of the process, so that nobody finds names that collide; but anybody can
/// make up more of them than a limit has accounts for.
#[test]
fn made_up_callers_share_a_few_accounts_and_take_nobody_elses() {
    const CROWDED: &str = "portcullis_limit_crowded_total{limit=\"apis.proof named.limits.teams\"}";
    let upstream = MoodyUpstream::start();
    let routes = "      - { id: named, path: \"/n/{id}\", methods: [any], limits: { teams: { key: [{ header: X-Team }], rate: 2/h, \
                  burst: 12, accounts: 16 } } }\n";
    let house = House::start(Setup { routes, ..Setup::new("made-up", &[upstream.address()]) });
    let ask = |client: &mut Client, team: &str| {
        client.ask(format!("GET /n/1 HTTP/1.1\r\nHost: a.test\r\nX-Team: {team}\r\n\r\n")).status
    };
    let mut good = Client::connect(house.plain);
    assert_eq!(ask(&mut good, "good"), 200, "before");
    let mut flood = Client::connect(house.plain);
    let served: u32 = (0..3_000).map(|number| u32::from(ask(&mut flood, &format!("team-{number}")) == 200)).sum();
    assert!(house.metric(CROWDED) > 0.0, "they are counted");
    // 32 places and 64 shared accounts of twelve each, and a sixteenth of a burst of which a worker may hold some.
    assert!(served <= 96 * 13, "{served} of 3,000 were served");
    for _ in 0..10 {
        assert_eq!(ask(&mut good, "good"), 200, "whoever has an account keeps it");
    }
    assert_eq!(
        Client::connect(house.plain).ask("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n").status,
        200,
        "and other routes"
    );
}
