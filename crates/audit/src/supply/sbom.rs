//! The list of packages as a bill of materials: CycloneDX 1.6 in JSON (ECMA-424).

use super::package::{Origin, Package};
use serde_json::{Map, Value, json};

/// The bill. Its serial number is made from the digest of the list, so that the same program has the same bill.
#[must_use]
pub fn cyclonedx(packages: &[Package], digest: &[u8; 32]) -> Value {
    let reference = |at: &usize| packages.get(*at).map(name_of);
    let dependencies = packages.iter().map(|package| {
        let on: Vec<String> = package.dependencies.iter().filter_map(reference).collect();
        json!({ "ref": name_of(package), "dependsOn": on })
    });
    let program = packages.first().map(|package| component(package, "application")).unwrap_or_default();
    let tool = json!({ "type": "application", "name": "portcullis", "version": program.get("version") });
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": format!("urn:uuid:{}", uuid(digest)),
        "version": 1,
        "metadata": { "tools": { "components": [tool] }, "component": program },
        "components": packages.iter().skip(1).map(|package| component(package, "library")).collect::<Vec<_>>(),
        "dependencies": dependencies.collect::<Vec<_>>(),
    })
}

/// What others of the bill call it: its package URL, or, of what is in no registry, name and version.
fn name_of(package: &Package) -> String {
    match package.origin {
        Origin::Registry => purl(package),
        Origin::Local => format!("{}@{}", package.name, package.version),
    }
}

fn purl(package: &Package) -> String {
    // Names of packages need no escape; what a version was built from does.
    format!("pkg:cargo/{}@{}", package.name, package.version.to_string().replace('+', "%2B"))
}

fn component(package: &Package, kind: &str) -> Value {
    let mut members = Map::new();
    let mut add = |name: &str, value: Value| members.insert(name.to_owned(), value);
    add("type", kind.into());
    add("bom-ref", name_of(package).into());
    add("name", package.name.clone().into());
    add("version", package.version.to_string().into());
    if kind == "library" {
        // What only helps to build is not in the program.
        add("scope", if package.build { "excluded" } else { "required" }.into());
    }
    if let Some(checksum) = &package.checksum {
        add("hashes", json!([{ "alg": "SHA-256", "content": checksum }]));
    }
    if !package.licence.is_empty() {
        add("licenses", json!([{ "expression": package.licence }]));
    }
    if package.origin == Origin::Registry {
        add("purl", purl(package).into());
    }
    Value::Object(members)
}

/// A UUID of version 8 (RFC 9562 section 5.8): whatever we like but for the bits that say so.
fn uuid(digest: &[u8; 32]) -> String {
    let mut bits = digest.iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
    bits = (bits & !(0xf << 76)) | (0x8 << 76);
    bits = (bits & !(0x3 << 62)) | (0x2 << 62);
    let text = format!("{bits:032x}");
    let part = |range: std::ops::Range<usize>| text.get(range).unwrap_or_default();
    [part(0..8), part(8..12), part(12..16), part(16..20), part(20..32)].join("-")
}
