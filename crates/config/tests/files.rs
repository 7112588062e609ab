//! Which files a configuration depends on, good or bad: whoever watches them has to know.

use std::fs;
use std::path::{Path, PathBuf};

use portcullis_config::{Environment, load};

const GOOD: &str = "version: 1
listeners: { a: { bind: \"127.0.0.1:0\" } }
apis:
  a:
    hosts: [\"*\"]
    upstream: { targets: [\"http://127.0.0.1:9000\"] }
    routes: [{ path: /, methods: [GET], authn: public }]
";

/// The names of the files that a configuration with these lines depends on, in the order of their letters.
#[track_caller]
fn check(lines: &str, expect: &[&str]) {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("files");
    fs::create_dir_all(&folder).expect("a folder");
    // Each row writes its own file: rows run at the same time.
    let name = format!("{}.yaml", std::panic::Location::caller().line());
    fs::write(folder.join(&name), format!("{GOOD}{lines}")).expect("the folder can be written");
    fs::write(folder.join("broken.yaml"), "apis: [\n").expect("the folder can be written");
    let path = folder.join(&name);
    let files: Vec<PathBuf> = match load(&path, &Environment::fixed::<&str, &str>([])) {
        Ok(loaded) => loaded.plan.watched,
        Err(failure) => failure.files().to_vec(),
    };
    let mut names: Vec<_> = files.iter().filter(|file| **file != path).collect();
    names.sort();
    assert!(files.contains(&path), "{files:?}");
    assert_eq!(names, expect.iter().map(|name| folder.join(name)).collect::<Vec<_>>().iter().collect::<Vec<_>>());
}

#[test]
fn a_mistake_names_the_files_that_may_mend_it() {
    check("", &[]);
    check("nonsense: true\n", &[]);
    check("include: [broken.yaml]\n", &["broken.yaml"]);
    check("include: [absent.yaml, broken.yaml]\n", &["absent.yaml", "broken.yaml"]);
    check("workers: { file: absent.txt }\n", &["absent.txt"]);
    check("workers: { file: absent.txt }\nnonsense: true\n", &["absent.txt"]);
    check("include: [\n", &[]);
}
