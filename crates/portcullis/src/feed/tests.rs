//! What is taken over: one that is refused changes nothing, and a good one after it is taken.

use super::folder::{Entry, Folder};
use super::{Bringer, Intake, KIND, Taken};
use crate::signed::{Signer, cosign, seal};
use portcullis_config::plan::FeedPlan;
use portcullis_patch::Stage;
use std::path::PathBuf;

fn signer(number: u8) -> Signer {
    Signer::from_seed(&[number; 32]).unwrap()
}

fn text(version: u64, expires: &str) -> String {
    format!(
        r#"{{ "name": "test", "version": {version}, "expires": "{expires}", "patches": [
            {{ "id": "VP-{version}", "reason": "CVE-2026-1", "action": "refuse", "api": "*", "when": [] }} ] }}"#
    )
}

fn signed(text: &str, by: &[u8]) -> Vec<u8> {
    let signers: Vec<Signer> = by.iter().copied().map(signer).collect();
    seal(KIND, text, &signers).unwrap().into_bytes()
}

fn good(version: u64) -> Vec<u8> {
    signed(&text(version, "2099-12-31"), &[1, 2])
}

/// A feed that two of three keys have to have signed.
fn intake(name: &str) -> (Intake, PathBuf) {
    let path = std::env::temp_dir().join(format!("portcullis-feed-{name}-{}", std::process::id()));
    drop(std::fs::remove_dir_all(&path));
    let keys = [1, 2, 3].map(|number| signer(number).public().unwrap().bytes());
    let plan =
        FeedPlan { keys: keys.to_vec(), threshold: 2, source: None, stage: Stage::Enforce, bytes_max: 64 * 1024 };
    (Intake { plan, folder: Folder::new(path.clone()) }, path)
}

/// The code with which it is refused, or what came of it.
fn takes(intake: &Intake, sealed: &[u8]) -> Result<Taken, &'static str> {
    intake.take(sealed, Stage::Enforce, Bringer::Source).unwrap().map_err(|refused| refused.code)
}

fn in_force(intake: &Intake) -> Option<(u64, Stage)> {
    intake.in_force().unwrap().map(|feed| (feed.bundle().version, feed.stage()))
}

#[test]
fn what_is_refused_changes_nothing_and_a_good_one_after_it_is_taken() {
    let (intake, path) = intake("refused");
    assert_eq!((takes(&intake, &good(10)), in_force(&intake)), (new(10), Some((10, Stage::Enforce))));
    let mut tampered = good(100);
    let at = tampered.windows(6).position(|part| part == b"refuse").unwrap();
    tampered[at..at + 6].copy_from_slice(b"REFUSE");
    let long = format!("{}{}", text(100, "2099-12-31"), " ".repeat(70_000));
    let rules =
        r#"{ "name": "t", "version": 100, "expires": "2099-12-31", "rules": "SecRule ARGS \"@rx (\" \"id:1,deny\"" }"#;
    let answers = r#"{ "name": "t", "version": 100, "expires": "2099-12-31",
        "rules": "SecRule RESPONSE_STATUS \"@streq 500\" \"id:1,phase:3,deny\"" }"#;
    let mut version = 10;
    for (what, sealed, code) in [
        ("tampered", tampered, "signature"),
        ("nobody has signed it", text(100, "2099-12-31").into_bytes(), "signature"),
        ("one has signed it", signed(&text(100, "2099-12-31"), &[1]), "signature"),
        ("one has signed it twice", signed(&text(100, "2099-12-31"), &[1, 1]), "signature"),
        ("one and a stranger", signed(&text(100, "2099-12-31"), &[1, 9]), "signature"),
        ("rolled back", good(9), "rolled_back"),
        ("another with the same number", signed(&text(10, "2099-12-30"), &[1, 2]), "rolled_back"),
        ("over", signed(&text(100, "2020-12-31"), &[1, 2]), "expired"),
        ("too long", signed(&long, &[1, 2]), "oversized"),
        ("no bundle", signed("{}", &[1, 2]), "malformed"),
        ("rules that are none", signed(rules, &[1, 2]), "malformed"),
        ("rules about answers", signed(answers, &[1, 2]), "malformed"),
        ("no text", vec![0xff; 100], "signature"),
    ] {
        // The one in force is now another for the rows about versions.
        let refused = takes(&intake, &sealed);
        assert_eq!(refused, Err(code), "{what}");
        assert_eq!(in_force(&intake), Some((version, Stage::Enforce)), "{what}");
        if code == "rolled_back" {
            continue;
        }
        version += 1;
        assert_eq!(
            (takes(&intake, &good(version)), in_force(&intake)),
            (new(version), Some((version, Stage::Enforce)))
        );
        // None before it is taken again, also by somebody who comes later.
        assert_eq!(takes(&intake, &good(version - 1)), Err("rolled_back"), "{what}");
    }
    drop(std::fs::remove_dir_all(path));
}

fn new(version: u64) -> Result<Taken, &'static str> {
    Ok(Taken::New { name: "test".to_owned(), version })
}

#[test]
fn a_step_back_stays_until_a_newer_one_or_a_command() {
    let (intake, path) = intake("back");
    assert_eq!((in_force(&intake), intake.roll_back().unwrap()), (None, None));
    assert_eq!(takes(&intake, &good(1)), new(1));
    assert_eq!(takes(&intake, &good(1)), Ok(Taken::Known));
    intake.set_stage(Stage::Observe).unwrap();
    assert_eq!(takes(&intake, &good(2)), new(2));
    assert_eq!(in_force(&intake), Some((2, Stage::Enforce)));
    let entry = |version, stage| Entry { version, stage };
    assert_eq!(
        intake.roll_back().unwrap(),
        Some((entry(2, Stage::Enforce), Some(entry(1, Stage::Observe)))),
        "as far as it went"
    );
    assert_eq!(
        (takes(&intake, &good(2)), in_force(&intake)),
        (Ok(Taken::Known), Some((1, Stage::Observe))),
        "it is there still"
    );
    assert_eq!(takes(&intake, &good(1)), Err("rolled_back"));
    assert_eq!(intake.take(&good(2), Stage::Observe, Bringer::Command).unwrap(), Ok(new(2).unwrap()));
    assert_eq!(in_force(&intake), Some((2, Stage::Observe)));
    assert_eq!(intake.set_stage(Stage::Enforce).unwrap(), Some(entry(2, Stage::Enforce)));
    intake.roll_back().unwrap();
    assert_eq!(intake.roll_back().unwrap(), Some((entry(1, Stage::Observe), None)), "before it there was none");
    assert_eq!((in_force(&intake), takes(&intake, &good(1))), (None, Err("rolled_back")), "its number is spent");
    assert_eq!((takes(&intake, &good(3)), in_force(&intake)), (new(3), Some((3, Stage::Enforce))));
    drop(std::fs::remove_dir_all(path));
}

#[test]
fn what_is_remembered_is_believed_only_as_it_was_signed() {
    let (intake, path) = intake("damaged");
    assert_eq!(takes(&intake, &good(4)), new(4));
    let bundle = path.join("4.bundle");
    for damaged in [b"".to_vec(), good(5), signed(&text(4, "2099-12-31"), &[1])] {
        std::fs::write(&bundle, damaged).unwrap();
        let why = intake.in_force().unwrap_err().summary();
        assert!(why.contains("is not what was taken over"), "{why}");
    }
    std::fs::write(path.join("state.json"), "{").unwrap();
    assert!(intake.in_force().unwrap_err().summary().contains("is damaged"));
    assert!(intake.take(&good(6), Stage::Enforce, Bringer::Command).is_err(), "nobody knows the greatest version");
    drop(std::fs::remove_dir_all(path));
}

#[test]
fn signatures_are_added_one_by_one() {
    let (intake, path) = intake("cosigned");
    let text = text(1, "2099-12-31");
    let once = cosign(KIND, &text, &signer(1)).unwrap();
    assert_eq!(takes(&intake, once.as_bytes()), Err("signature"));
    let twice = cosign(KIND, &once, &signer(3)).unwrap();
    assert!(cosign(KIND, &twice, &signer(1)).unwrap_err().contains("already"));
    assert_eq!(takes(&intake, twice.as_bytes()), new(1));
    drop(std::fs::remove_dir_all(path));
}
