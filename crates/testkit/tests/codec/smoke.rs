//! Each fuzz target's function over mutated seeds. An input that ever broke one becomes a seed here.

use portcullis_h1::{fuzz_body, fuzz_compose, fuzz_head, fuzz_response_head};
use portcullis_testkit::Dice;
use portcullis_testkit::fuzz::{
    ANSWER_SEEDS, BODY_PIECES, BODY_SEEDS, COMPOSE_PIECES, COMPOSE_SEEDS, HEAD_PIECES, HEAD_SEEDS, TARGET_PIECES,
    TARGET_SEEDS, fuzz_forward, mutate,
};
use portcullis_types::fuzz_target;

fn smoke(seeds: &[&str], pieces: &[&str], rounds: usize, run: impl Fn(&[u8])) {
    for seed in seeds {
        run(seed.as_bytes());
    }
    let mut dice = Dice::new(1);
    for _ in 0..rounds {
        let mut bytes = dice.pick(seeds).as_bytes().to_vec();
        mutate(&mut bytes, pieces, &mut dice);
        run(&bytes);
    }
}

#[test]
fn fuzz_smoke_head() {
    smoke(HEAD_SEEDS, HEAD_PIECES, 20_000, fuzz_head);
}

#[test]
fn fuzz_smoke_compose() {
    smoke(COMPOSE_SEEDS, COMPOSE_PIECES, 50_000, fuzz_compose);
}

#[test]
fn fuzz_smoke_response_head() {
    smoke(ANSWER_SEEDS, HEAD_PIECES, 20_000, fuzz_response_head);
}

#[test]
fn fuzz_smoke_body() {
    smoke(BODY_SEEDS, BODY_PIECES, 20_000, fuzz_body);
}

#[test]
fn fuzz_smoke_target() {
    smoke(TARGET_SEEDS, TARGET_PIECES, 50_000, fuzz_target);
}

#[test]
fn fuzz_smoke_forward() {
    smoke(HEAD_SEEDS, HEAD_PIECES, 10_000, fuzz_forward);
}
