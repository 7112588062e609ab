//! A site from texts that lie in a folder of the test.

use portcullis_config::{Environment, Loaded, load_text};
use portcullis_portal::{Portal, Site, site};
use std::fs;
use std::path::{Path, PathBuf};

pub(crate) const PROBLEMS: &str = "https://developers.example.com/problems/";

/// A new folder with these files.
pub(crate) fn folder(name: &str, files: &[(&str, &str)]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("portal-{name}"));
    if folder.exists() {
        fs::remove_dir_all(&folder).unwrap();
    }
    fs::create_dir_all(&folder).unwrap();
    for (path, text) in files {
        fs::write(folder.join(path), text).unwrap();
    }
    folder
}

pub(crate) fn load(config: &str, folder: &Path) -> Loaded {
    let nothing: [(String, String); 0] = [];
    load_text("portcullis.yaml", config, folder, &Environment::fixed(nothing))
        .unwrap_or_else(|failure| panic!("{}", failure.render(false)))
}

pub(crate) fn fetch(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| error.to_string())
}

pub(crate) fn made(config: &str, folder: &Path) -> Site {
    site(&load(config, folder).plan, PROBLEMS, &mut fetch).unwrap()
}

pub(crate) fn portal(config: &str, folder: &Path) -> Portal {
    Portal::of(&load(config, folder).plan, PROBLEMS, &mut fetch).unwrap()
}

pub(crate) fn text(site: &Site, path: &str) -> String {
    let file = site.file(path).unwrap_or_else(|| panic!("{path} is missing"));
    String::from_utf8(file.body.clone()).unwrap()
}

/// A configuration whose only API keeps to a document.
pub(crate) fn around(document: &str, version: &str) -> String {
    format!(
        "version: 1
listeners: {{ public: {{ bind: '127.0.0.1:8443', tls: {{ self_signed: {{ names: [api.example.com], directory: ./tls }} }} }} }}
apis:
  it:
    hosts: [api.example.com]
    authn: public
    upstream: {{ targets: ['https://10.0.0.1:9000'] }}
    openapi: {document}
    validation: {{ request: enforce, security: off }}
{version}"
    )
}
