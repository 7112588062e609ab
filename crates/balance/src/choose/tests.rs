//! Shares by weight, evenness, and what happens to keys when servers come and go.

use super::{Member, RoundRobin, hash, least_request, mix, rendezvous, two_choices};
use proptest::prelude::{any, prop, proptest};

fn members(weights: &[u32]) -> Vec<Member> {
    let named =
        |(index, weight): (usize, &u32)| Member { weight: *weight, active: 0, name: hash(&index.to_be_bytes()) };
    weights.iter().enumerate().map(named).collect()
}

fn shares(count: usize, mut choose: impl FnMut(u64) -> Option<usize>) -> Vec<u32> {
    let mut shares = vec![0; count];
    for number in 0..10_000 {
        shares[choose(mix(number)).expect("somebody")] += 1;
    }
    shares
}

#[test]
fn shares_follow_weights() {
    for weights in [&[100, 100, 100][..], &[100, 200, 700], &[0, 500, 500], &[1, 0, 9]] {
        let members = members(weights);
        let total: u32 = weights.iter().sum();
        let mut turns = RoundRobin::default();
        let drawn = shares(weights.len(), |random| two_choices(&members, random));
        let least = shares(weights.len(), |random| least_request(&members, random));
        let turned = shares(weights.len(), |_| turns.next(&members));
        let hashed = shares(weights.len(), |random| rendezvous(&members, random));
        for (index, weight) in weights.iter().enumerate() {
            let fair = f64::from(*weight) * 10_000.0 / f64::from(total);
            assert!((f64::from(turned[index]) - fair).abs() <= 1.0, "round robin {weights:?}: {turned:?}");
            assert!((f64::from(hashed[index]) - fair).abs() < 300.0, "hash {weights:?}: {hashed:?}");
            assert!((f64::from(drawn[index]) - fair).abs() < 300.0, "two choices {weights:?}: {drawn:?}");
            assert!((f64::from(least[index]) - fair).abs() < 300.0, "least request {weights:?}: {least:?}");
        }
    }
}

#[test]
fn two_choices_follow_load() {
    // Requests that end after the same time: servers of weight 1 and 3 hold loads of about 1 to 3.
    let mut members = members(&[100, 300]);
    let mut open = std::collections::VecDeque::new();
    let mut shares = [0; 2];
    for number in 0..10_000 {
        if open.len() == 80 {
            let over: usize = open.pop_front().unwrap();
            members[over].active -= 1;
        }
        let chosen = two_choices(&members, mix(number)).unwrap();
        members[chosen].active += 1;
        shares[chosen] += 1;
        open.push_back(chosen);
    }
    assert!((2_300..2_700).contains(&shares[0]), "{shares:?}");
}

#[test]
fn a_smooth_turn_is_smooth() {
    let members = members(&[500, 100, 100]);
    let mut turns = RoundRobin::default();
    let order: Vec<_> = (0..7).filter_map(|_| turns.next(&members)).collect();
    assert_eq!(order, [0, 0, 1, 0, 2, 0, 0]);
}

#[test]
fn nobody_is_chosen_from_nobody() {
    for weights in [&[][..], &[0, 0]] {
        let members = members(weights);
        assert_eq!(two_choices(&members, 7), None);
        assert_eq!(least_request(&members, 7), None);
        assert_eq!(rendezvous(&members, 7), None);
        assert_eq!(RoundRobin::default().next(&members), None);
    }
}

#[test]
fn equals_are_asked_alike() {
    let members = members(&[100; 5]);
    let shares = shares(5, |random| least_request(&members, random));
    assert!(shares.iter().all(|share| (1_800..2_200).contains(share)), "{shares:?}");
}

proptest! {
    #[test]
    fn the_least_busy_has_the_least(loads in prop::collection::vec((0u32..4, 0usize..50), 1..20), random: u64) {
        let mut members = members(&loads.iter().map(|(weight, _)| *weight).collect::<Vec<_>>());
        members.iter_mut().zip(&loads).for_each(|(member, (_, active))| member.active = *active);
        match least_request(&members, random) {
            None => assert!(members.iter().all(|member| member.weight == 0)),
            Some(chosen) => {
                assert!(members[chosen].weight > 0);
                let others = members.iter().filter(|member| member.weight > 0);
                others.for_each(|other| assert!(!members[chosen].busier(other)));
            }
        }
    }

    #[test]
    fn only_the_keys_of_the_one_that_left_move(count in 2usize..12, gone in any::<prop::sample::Index>(), key: u64) {
        let all = members(&vec![100; count]);
        let gone = gone.index(count);
        let mut rest = all.clone();
        rest[gone].weight = 0;
        let (before, after) = (rendezvous(&all, key).unwrap(), rendezvous(&rest, key).unwrap());
        assert!(before == gone || before == after);
        assert_ne!(after, gone);
    }

    #[test]
    fn the_chosen_one_may_be_asked(weights in prop::collection::vec(0u32..3, 1..20), random: u64) {
        let members = members(&weights);
        for chosen in [two_choices(&members, random), least_request(&members, random), rendezvous(&members, random)] {
            assert_eq!(chosen.is_some(), weights.iter().any(|weight| *weight > 0));
            assert!(chosen.is_none_or(|chosen| weights[chosen] > 0));
        }
    }
}
