//! Documents, real and pathological: what loads, what does not, and what is said about it.

use super::{Loaded, Options, Scheme, load};
use crate::tree::Severity;
use std::path::Path;

fn loaded(text: &str) -> Loaded {
    load("api.yaml", text.as_bytes(), Options::default(), &mut |address| match address {
        "common.yaml" => Some(b"Id: {type: integer}\nSelf: {$ref: 'api.yaml#/components/schemas/A'}\n".to_vec()),
        "parts/paths.yaml" => {
            Some(b"get:\n  parameters: [{$ref: '../api.yaml#/components/parameters/P'}]\n  responses: {}\n".to_vec())
        }
        _ => None,
    })
}

fn said(text: &str) -> Vec<String> {
    loaded(text).diagnostics.iter().map(ToString::to_string).collect()
}

#[test]
fn mistakes_are_named_with_file_line_and_pointer() {
    for (text, expected) in [
        ("swagger: '2.0'", "error[version] api.yaml:1 : this is a document of Swagger 2.0 (convert it to OpenAPI 3)"),
        ("openapi: 4.0.0", "error[version] api.yaml:1 : the version `4.0.0` of OpenAPI is not known (3.0 and 3.1 are)"),
        ("a: [", "error[syntax] api.yaml:1"),
        ("openapi: 3.0.0", "error[paths] api.yaml:1 : it has no `paths`"),
        (
            "openapi: 3.0.0\npaths:\n  /a/{b}:\n    get:\n      responses: {}\n",
            "error[parameter] api.yaml:5 /paths/~1a~1{b}/get: `{b}` of the path is not declared",
        ),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      parameters:\n        - {name: a, in: query}\n",
            "error[parameter] api.yaml:6 /paths/~1a/get/parameters/0: neither `schema` nor `content` says what it may be",
        ),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      responses:\n        '200':\n          content:\n            application/json:\n              schema: {$ref: '#/components/schemas/X'}\n",
            "error[reference] api.yaml:9 /paths/~1a/get/responses/200/content/application~1json/schema: the reference `#/components/schemas/X` leads nowhere",
        ),
        (
            "openapi: 3.0.0\npaths:\n  /a/{b}: {}\n  /a/{c}: {}\n",
            "error[template] api.yaml:4 /paths/~1a~1{c}: `/a/{c}` and `/a/{b}` are the same path",
        ),
        ("openapi: 3.0.0\npaths:\n  /a:\n    get:\n      responses:\n        abc: {}\n", "error[status] api.yaml:6"),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      x-cost: 0\n      responses: {}\n",
            "error[cost] api.yaml:5 /paths/~1a/get/x-cost: `x-cost` is a whole number from 1 to 999999999999999",
        ),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      x-cost: 2.5\n      responses: {}\n",
            "error[cost] api.yaml:5 /paths/~1a/get/x-cost",
        ),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    get:\n      x-cost: '5'\n      responses: {}\n",
            "error[cost] api.yaml:5 /paths/~1a/get/x-cost",
        ),
        (
            "openapi: 3.0.0\npaths:\n  /a:\n    x-cost: 5\n    get:\n      responses: {}\n",
            "error[cost] api.yaml:4 /paths/~1a/x-cost: `x-cost` belongs to an operation",
        ),
        ("openapi: 3.0.0\npaths:\n  /a:\n    $ref: 'http://x.example/y.yaml'\n", "error[reference] api.yaml:4"),
    ] {
        let said = said(text);
        assert!(said.iter().any(|one| one.starts_with(expected)), "{text}: {said:#?}");
        assert!(loaded(text).contract.is_none(), "{text}");
    }
}

#[test]
fn references_go_across_files_and_back() {
    let text = "
openapi: 3.1.0
paths:
  /a: {$ref: parts/paths.yaml}
components:
  parameters:
    P: {name: p, in: query, schema: {$ref: 'common.yaml#/Id'}}
  schemas:
    A: {type: object, properties: {a: {$ref: 'common.yaml#/Self'}}}
";
    let loaded = loaded(text);
    let contract = loaded.contract.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let operation = contract.operation("GET", "/a").unwrap();
    for (query, fits) in [("p=1", true), ("p=x", false)] {
        let request = crate::Request { path: "/a", query, headers: &[], body: crate::Body::Absent };
        assert_eq!(contract.conform(operation, &request, &crate::Bounds::default()).is_ok(), fits, "{query}");
    }
}

#[test]
fn the_most_literal_path_is_found() {
    let paths = "/a/{b}: {get: {parameters: [{name: b, in: path, required: true, schema: {type: string}}]}}\n  /a/b: {get: {}}\n";
    let contract = loaded(&format!("openapi: 3.0.0\npaths:\n  {paths}")).contract.unwrap();
    for (path, expected) in [("/a/b", Some("/a/b")), ("/a/c", Some("/a/{b}")), ("/a", None), ("/a/b/c", None)] {
        assert_eq!(contract.find("GET", path).map(|one| one.template()), expected, "{path}");
    }
    assert!(contract.find("POST", "/a/b").is_none());
    assert_eq!(contract.find("HEAD", "/a/b").map(|one| one.method()), Some("GET"));
}

#[test]
fn pathological_documents_end_soon() {
    let mut laughs = "openapi: 3.0.0\nx: &a0 {type: string}\n".to_owned();
    for level in 1..100 {
        laughs += &format!("y{level}: &a{level} {{allOf: [*a{0}, *a{0}, *a{0}]}}\n", level - 1);
    }
    laughs += "paths: {/a: {get: {parameters: [{name: p, in: query, schema: *a99}]}}}\n";
    assert!(loaded(&laughs).contract.is_some());
    let deep = format!("openapi: 3.0.0\npaths: {}1{}", "{a: ".repeat(100_000), "}".repeat(100_000));
    assert!(loaded(&deep).contract.is_none());
    let mut chain =
        "openapi: 3.0.0\npaths: {/a: {get: {parameters: [{name: p, in: query, schema: {$ref: '#/c/s0'}}]}}}\nc:\n"
            .to_owned();
    for level in 0..5_000 {
        chain += &format!("  s{level}: {{properties: {{a: {{$ref: '#/c/s{}'}}}}}}\n", level + 1);
    }
    chain += "  s5000: {type: string}\n";
    assert!(loaded(&chain).contract.is_some());
    let mut towers = "openapi: 3.0.0\nx: &a0 [1]\n".to_owned();
    for level in 1..5_000 {
        towers += &format!("y{level}: &a{level} [*a{}]\n", level - 1);
    }
    towers += "paths: {/a: {get: {parameters: [{name: p, in: query, schema: {enum: [*a4999]}}]}}}\n";
    assert!(
        said(&towers).iter().any(|one| one.contains("too many")),
        "an alias makes no value deeper than a text can be"
    );
    let circle = "openapi: 3.0.0\npaths: {/a: {get: {parameters: [{$ref: '#/p'}]}}}\np: {$ref: '#/p'}\n";
    assert!(said(circle).iter().any(|one| one.contains("circle")));
    let wide = format!(
        "openapi: 3.0.0\npaths: {{{}}}",
        (0..5_000).map(|n| format!("/a{n}: {{get: {{}}}},")).collect::<String>()
    );
    assert_eq!(loaded(&wide).contract.unwrap().operations().len(), 5_000);
}

#[test]
#[allow(clippy::disallowed_methods, reason = "where the suites are is a matter of the machine, not of a configuration")]
fn real_documents_load() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let named = std::env::var("PORTCULLIS_SUITES").ok().map(std::path::PathBuf::from);
    let beside = ["../../../shared/suites", "../../../../shared/suites"].map(|folder| here.join(folder));
    let folder = named.into_iter().chain(beside).find(|folder| folder.join("openapi").is_dir());
    let folder = folder.expect("the suites are missing: set PORTCULLIS_SUITES to the folder that holds `openapi`");
    for (name, least) in [("vampi.yaml", 10), ("crapi.json", 30)] {
        let bytes = std::fs::read(folder.join("openapi").join(name)).unwrap();
        let loaded = load(name, &bytes, Options::default(), &mut |_| None);
        let errors: Vec<String> =
            loaded.diagnostics.iter().filter(|one| one.severity == Severity::Error).map(ToString::to_string).collect();
        let contract = loaded.contract.unwrap_or_else(|| panic!("{name}: {errors:#?}"));
        assert!(contract.operations().len() >= least, "{name}: {}", contract.operations().len());
    }
}

#[test]
fn what_a_document_asks_of_callers() {
    let asked = |version: &str, shared: &str, own: &str| {
        let text = format!(
            "openapi: {version}\n{shared}components:\n  securitySchemes:\n    key: {{type: apiKey, in: header, name: X-Key}}\n    bearer: {{type: http, scheme: Bearer}}\n    oauth: {{type: oauth2, flows: {{}}}}\n    mtls: {{type: mutualTLS}}\n    other: {{$ref: '#/components/securitySchemes/oauth'}}\n    odd: {{type: odd}}\npaths:\n  /a:\n    get: {{{own}}}\n"
        );
        let contract = loaded(&text).contract.unwrap();
        let Some(security) = contract.operations()[0].security().cloned() else { return "nothing said".to_owned() };
        if let Some(flaw) = security.flaw {
            return flaw.to_owned();
        }
        let need = |need: &crate::document::Need| {
            let scheme = match &need.scheme {
                Scheme::ApiKey(place, name) => format!("{place} {name}"),
                Scheme::Http(scheme) => scheme.to_string(),
                Scheme::Token => "token".to_owned(),
                Scheme::Certificate => "certificate".to_owned(),
                Scheme::Unknown => "unknown".to_owned(),
            };
            format!("{}={scheme}{:?}{:?}", need.name, need.scopes, need.roles)
        };
        let ways: Vec<String> =
            security.ways.iter().map(|way| way.iter().map(need).collect::<Vec<_>>().join("+")).collect();
        format!("{}: {}", security.line, ways.join(" | "))
    };
    let shared = "security: [{oauth: [read]}]\n";
    for (version, shared, own, expected) in [
        ("3.1.0", "", "", "nothing said"),
        ("3.1.0", shared, "", "2: oauth=token[\"read\"][]"),
        ("3.1.0", shared, "security: []", "13: "),
        ("3.1.0", shared, "security: [{}]", "13: "),
        (
            "3.1.0",
            shared,
            "security: [{key: []}, {bearer: [admin], mtls: []}]",
            "13: key=header x-key[][] | bearer=bearer[][\"admin\"]+mtls=certificate[][]",
        ),
        ("3.1.0", "", "security: [{other: [a, b]}, {}]", "12: other=token[\"a\", \"b\"][] | "),
        ("3.1.0", "", "security: [{odd: []}, {none: []}]", "12: odd=unknown[][] | none=unknown[][]"),
        ("3.0.3", "", "security: [{bearer: []}]", "12: bearer=bearer[][]"),
        ("3.0.3", "", "security: [{bearer: [a]}]", "only `oauth2` and `openIdConnect` have scopes in OpenAPI 3.0"),
        ("3.1.0", "", "security: {bearer: []}", "it is not a list of objects with lists of names"),
        ("3.1.0", "", "security: [bearer]", "it is not a list of objects with lists of names"),
        ("3.1.0", "", "security: [{bearer: a}]", "it is not a list of objects with lists of names"),
        ("3.1.0", "", "security: null", "it is not a list of objects with lists of names"),
    ] {
        assert_eq!(asked(version, shared, own), expected, "{own}");
    }
}
