//! The fields byte by byte.

use super::{Legacy, Told, write_number, write_rate_limit, write_rate_limit_policy};
use crate::calendar::Period;
use crate::moment::NANOS_PER_S;
use crate::{Decision, Key, Kind, Policy, Unit};

fn policy(name: &str, kind: Kind, unit: Unit) -> Policy {
    Policy::new(name, kind, unit).unwrap()
}

fn decision(limit: u64, remaining: u64, reset_s: Option<u64>, retry_after_s: u64) -> Decision {
    let has_room = retry_after_s == 0;
    Decision { policy: 0, has_room, shadow: false, limit, remaining, reset_s, retry_after_s }
}

fn written(told: &[Told<'_>]) -> (String, String) {
    let (mut policies, mut limits) = (Vec::new(), Vec::new());
    write_rate_limit_policy(&mut policies, told.iter().copied());
    write_rate_limit(&mut limits, told.iter().copied());
    (String::from_utf8(policies).unwrap(), String::from_utf8(limits).unwrap())
}

fn rows() -> Vec<(Policy, Decision)> {
    let day = Kind::Quota { limit: 10_000, period: Period::Day, offset_min: 0 };
    vec![
        (
            policy("burst", Kind::Rate { units: 20, per_ns: NANOS_PER_S, burst: 40 }, Unit::Requests),
            decision(40, 39, Some(1), 0),
        ),
        (policy("daily", day, Unit::Requests), decision(10_000, 0, Some(3_600), 3_600)),
        (
            policy("bytes", Kind::Window { limit: 65_535, width_ns: 10 * NANOS_PER_S }, Unit::ContentBytes),
            decision(65_535, 65_535, Some(10), 0),
        ),
        (
            policy("cost", Kind::Window { limit: 100, width_ns: 60 * NANOS_PER_S }, Unit::Cost),
            decision(100, 50, Some(3), 0),
        ),
        (policy("same-time", Kind::Concurrency { limit: 5 }, Unit::Requests), decision(5, 4, None, 0)),
        (policy("watching", day, Unit::Requests).shadow(), decision(10_000, 0, Some(3_600), 3_600)),
    ]
}

#[test]
fn every_kind_as_the_draft_writes_it() {
    let rows = rows();
    let told: Vec<Told<'_>> =
        rows.iter().map(|(policy, decision)| Told { policy, decision, partition: None }).collect();
    let (policies, limits) = written(&told);
    assert_eq!(
        policies,
        "\"burst\";q=40;w=2, \"daily\";q=10000;w=86400, \"bytes\";q=65535;qu=\"content-bytes\";w=10, \
         \"cost\";q=100;portcullis-unit=\"cost\";w=60, \"same-time\";q=5;qu=\"concurrent-requests\""
    );
    assert_eq!(
        limits,
        "\"burst\";r=39;t=1, \"daily\";r=0;t=3600, \"bytes\";r=65535;t=10, \"cost\";r=50;t=3, \"same-time\";r=4"
    );
}

#[test]
fn a_partition_is_a_byte_sequence_and_no_client_text() {
    let rows = rows();
    let (policy, decision) = &rows[0];
    let key = Key::from_hash(0x0001_0203_0405_0607_08ff_ffff_ffff_ffff);
    let (policies, limits) = written(&[Told { policy, decision, partition: Some(key) }]);
    assert_eq!(policies, "\"burst\";q=40;w=2;pk=:AAECAwQFBgcI:");
    assert_eq!(limits, "\"burst\";r=39;t=1;pk=:AAECAwQFBgcI:");
}

#[test]
fn limits_in_shadow_alone_write_no_field() {
    let rows = rows();
    let (policy, decision) = rows.last().unwrap();
    let told = [Told { policy, decision, partition: None }];
    assert_eq!(written(&told), (String::new(), String::new()));
    assert_eq!(Legacy::of(told.iter().copied()), None);
}

#[test]
fn the_older_fields_tell_of_the_limit_that_is_nearest_to_its_end() {
    let rows = rows();
    let told: Vec<Told<'_>> =
        rows.iter().map(|(policy, decision)| Told { policy, decision, partition: None }).collect();
    assert_eq!(Legacy::of(told.iter().copied()), Some(Legacy { limit: 10_000, remaining: 0, reset_s: 3_600 }));
    assert_eq!(Legacy::of([told[0], told[3]]), Some(Legacy { limit: 100, remaining: 50, reset_s: 3 }));
    let policy = Policy::new("same-time", Kind::Concurrency { limit: 1 }, Unit::Requests).unwrap();
    let running = decision(1, 0, None, 0);
    let one = Told { policy: &policy, decision: &running, partition: None };
    assert_eq!(Legacy::of([one]), None, "none is left only while this one runs");
}

#[test]
fn numbers_are_at_most_fifteen_digits() {
    for (value, text) in [(0, "0"), (7, "7"), (10, "10"), (u64::MAX, "18446744073709551615")] {
        let mut out = Vec::new();
        write_number(&mut out, value);
        assert_eq!(String::from_utf8(out).unwrap(), text);
    }
    let rows = rows();
    let huge = decision(u64::MAX, u64::MAX, Some(u64::MAX), 0);
    let (_, limits) = written(&[Told { policy: &rows[0].0, decision: &huge, partition: None }]);
    assert_eq!(limits, "\"burst\";r=999999999999999;t=999999999999999");
}
