//! What counts as a change, and that none is lost.

use super::Watch;
use crate::service;
use std::fs;
use std::path::{Path, PathBuf};

const MAIN: &str = "version: 1\nlisteners: { a: { bind: \"127.0.0.1:0\" } }\n";
const PART: &str = "apis: { a: { hosts: [\"*\"], upstream: { targets: [\"http://127.0.0.1:9000\"] },
  routes: [{ path: /, methods: [GET], authn: public }] } }\n";

/// What happens to the files while they are read, what they are, and whether it is noticed afterwards.
struct Row {
    name: &'static str,
    main: &'static str,
    /// The file that changes right after a reading, and the number of that reading, from 1.
    changes: Option<(&'static str, usize)>,
    loads: bool,
    noticed: bool,
}

fn write(path: &Path, text: &str) {
    let next = path.with_extension("next");
    fs::write(&next, text).expect("the folder can be written");
    fs::rename(&next, path).expect("the file can be replaced");
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("portcullis-watch-{}-{name}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder");
    write(&folder.join("part.yaml"), PART);
    write(&folder.join("broken.yaml"), "apis: [\n");
    folder
}

fn check(row: &Row) {
    let folder = folder(row.name);
    let main = folder.join("main.yaml");
    write(&main, &format!("{MAIN}{}", row.main));
    let mut watch = Watch::new(&main);
    let mut readings = 0;
    let outcome = watch.read(|| {
        let outcome = service::read(&main);
        readings += 1;
        if let Some((file, _)) = row.changes.filter(|(_, reading)| *reading == readings) {
            write(&folder.join(file), "# changed\n");
        }
        outcome
    });
    assert_eq!(outcome.is_ok(), row.loads, "{}: {outcome:?}", row.name);
    // A change counts from the second look on, when it has stood still.
    let noticed = (0..2).any(|_| watch.has_changed());
    assert_eq!(noticed, row.noticed, "{}", row.name);
    drop(fs::remove_dir_all(&folder));
}

#[test]
fn no_change_during_a_reading_is_lost() {
    let (good, bad, both) =
        ("include: [part.yaml]\n", "include: [broken.yaml]\n", "include: [part.yaml, broken.yaml]\n");
    let rows = [
        Row { name: "nothing", main: good, changes: None, loads: true, noticed: false },
        Row { name: "first", main: good, changes: Some(("main.yaml", 2)), loads: true, noticed: true },
        Row { name: "part", main: good, changes: Some(("part.yaml", 2)), loads: true, noticed: true },
        // Read once more, and so already known: nothing is served that is not there any more.
        Row { name: "part-early", main: good, changes: Some(("part.yaml", 1)), loads: false, noticed: false },
        Row { name: "mistake", main: bad, changes: None, loads: false, noticed: false },
        Row { name: "mistake-mended", main: bad, changes: Some(("broken.yaml", 2)), loads: false, noticed: true },
        Row { name: "part-of-mistake", main: both, changes: Some(("part.yaml", 2)), loads: false, noticed: true },
    ];
    rows.iter().for_each(check);
}

#[test]
fn files_are_let_go_when_nothing_names_them() {
    let folder = folder("let-go");
    let main = folder.join("main.yaml");
    let mut watch = Watch::new(&main);
    let mut watched = |lines: &str| {
        write(&main, &format!("{MAIN}{lines}"));
        drop(watch.read(|| service::read(&main)));
        let names = watch.files.iter().filter_map(|file| file.path.file_name()?.to_str());
        names.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(watched("include: [part.yaml]\n"), ["main.yaml", "part.yaml"]);
    assert_eq!(watched("include: [broken.yaml]\n"), ["main.yaml", "part.yaml", "broken.yaml"]);
    assert_eq!(watched("include: [absent.yaml]\n"), ["main.yaml", "part.yaml", "absent.yaml"]);
    assert_eq!(watched(PART), ["main.yaml"]);
    drop(fs::remove_dir_all(&folder));
}
