//! Signatures: whatever is changed is noticed, and nobody counts twice.

use super::{PublicKey, Signer, open, seal};

const KIND: &str = "portcullis-test 1";

fn signer(number: u8) -> Signer {
    Signer::from_seed(&[number; 32]).unwrap()
}

fn key(number: u8) -> PublicKey {
    signer(number).public().unwrap()
}

#[test]
fn every_change_of_a_letter_is_noticed() {
    let sealed = seal(KIND, "{ \"a\": 1 }\n\nmore\n", &[signer(1)]).unwrap();
    assert_eq!(open(KIND, &sealed, &[key(1)], 1), Ok("{ \"a\": 1 }\n\nmore\n"));
    for at in 0..sealed.len() {
        let mut other = sealed.clone().into_bytes();
        other[at] ^= 1;
        let Ok(other) = String::from_utf8(other) else { continue };
        assert!(open(KIND, &other, &[key(1)], 1).is_err(), "letter {at}: {other}");
    }
    for longer in [
        format!("{sealed} "),
        format!(" {sealed}"),
        sealed.replacen('\n', "\n\n", 1),
        sealed[..sealed.len() - 1].to_owned(),
    ] {
        assert!(open(KIND, &longer, &[key(1)], 1).is_err(), "{longer}");
    }
    assert!(open("portcullis-test 2", &sealed, &[key(1)], 1).is_err(), "it is of another kind");
}

#[test]
fn so_many_have_to_have_signed() {
    let text = "text";
    let both = seal(KIND, text, &[signer(1), signer(2)]).unwrap();
    let all = [key(1), key(2), key(3)];
    assert_eq!(open(KIND, &both, &all, 2), Ok(text));
    assert!(open(KIND, &both, &all, 3).is_err());
    assert!(open(KIND, &seal(KIND, text, &[signer(1), signer(1)]).unwrap(), &all, 2).is_err(), "the same one twice");
    assert!(open(KIND, &seal(KIND, text, &[signer(1), signer(9)]).unwrap(), &all, 2).is_err(), "a stranger");
    assert_eq!(open(KIND, &seal(KIND, text, &[signer(9), signer(1)]).unwrap(), &all, 1), Ok(text));
    assert!(open(KIND, &seal(KIND, text, &[]).unwrap(), &all, 0).is_err(), "nobody is not enough");
    assert!(open(KIND, &both, &[], 1).is_err());
    let other = seal(KIND, "another", &[signer(2)]).unwrap();
    let wrong = other.lines().nth(1).unwrap();
    let mixed = both.lines().map(|line| if line.contains(&key(2).to_string()) { wrong } else { line });
    assert!(
        open(KIND, &mixed.collect::<Vec<_>>().join("\n"), &all, 1).is_err(),
        "one good one does not outweigh a wrong one"
    );
    let many: Vec<_> = (0..17).map(|_| signer(1)).collect();
    assert!(open(KIND, &seal(KIND, text, &many).unwrap(), &all, 1).is_err());
}

#[test]
fn a_key_that_others_can_read_is_none() {
    use std::os::unix::fs::PermissionsExt as _;
    let path = std::env::temp_dir().join(format!("portcullis-signer-{}", std::process::id()));
    drop(std::fs::remove_file(&path));
    let made = Signer::make(&path, &[7; 32]).unwrap();
    assert_eq!(Signer::read(&path).unwrap().public(), made.public());
    assert!(Signer::make(&path, &[8; 32]).is_err(), "one that is there stays");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(Signer::read(&path).is_err());
    std::fs::remove_file(&path).unwrap();
}
