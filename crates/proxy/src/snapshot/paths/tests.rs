//! Rows of templates and look-ups.

use super::{Found, Paths, PathsBuilder};
use crate::snapshot::CompileError;
use portcullis_config::plan::Methods;

fn paths(templates: &[(&str, &[&str])]) -> Result<Paths, CompileError> {
    let mut builder = PathsBuilder::default();
    for (index, (template, methods)) in templates.iter().enumerate() {
        let methods = match methods {
            [] => Methods::Any,
            names => Methods::Only(names.iter().map(|name| (*name).to_owned()).collect()),
        };
        builder.add(template, &methods, index)?;
    }
    Ok(builder.build())
}

#[test]
fn exact_comes_before_parameter_before_wildcard() {
    let paths = paths(&[
        ("/orders/{id}", &["GET"]),
        ("/orders/new", &["GET"]),
        ("/orders/{*rest}", &["GET"]),
        ("/orders/{order}/items", &["GET"]),
        ("/{*rest}", &[]),
        ("/orders", &["GET"]),
    ])
    .unwrap();
    for (path, route) in [
        ("/orders", 5),
        ("/orders/new", 1),
        ("/orders/newer", 0),
        ("/orders/7", 0),
        ("/orders/7/items", 3),
        ("/orders/7/items/8", 2),
        ("/orders/7/parts", 2),
        ("/other", 4),
        ("/orders/", 4),
    ] {
        assert_eq!(paths.find(path, b"GET"), Found::Route(route), "{path}");
    }
    // A method that the best template lacks is not looked for behind a looser one.
    assert_eq!(paths.find("/orders/7", b"DELETE"), Found::OtherMethods("GET, HEAD"));
    assert_eq!(paths.find("/other", b"DELETE"), Found::Route(4));
}

#[test]
fn a_text_comes_first_segment_by_segment_whatever_follows() {
    let paths =
        paths(&[("/{tenant}/{item}", &["GET"]), ("/files/{*rest}", &["GET"]), ("/{tenant}/new", &["GET"])]).unwrap();
    for (path, route) in [("/files/secret", 1), ("/files/new", 1), ("/acme/secret", 0), ("/acme/new", 2)] {
        assert_eq!(paths.find(path, b"GET"), Found::Route(route), "{path}");
    }
}

#[test]
fn text_beside_parameters_comes_between_text_and_parameters() {
    let paths = paths(&[
        ("/a/{b}", &["GET"]),
        ("/a/{b}.{c}", &["GET"]),
        ("/a/{b}:cancel", &["POST"]),
        ("/a/{b}.json", &["GET"]),
        ("/a/x.json", &["GET"]),
        ("/a/{b}.json/x", &["GET"]),
        ("/a/{b}/{c}", &["GET"]),
        ("/a/v{n}/{*rest}", &["GET"]),
        ("/{*rest}", &["GET"]),
        ("/a/({b},{c})/x", &["GET"]),
    ])
    .unwrap();
    for (path, route) in [
        ("/a/x", 0),
        ("/a/x.y", 1),
        ("/a/x.y.json", 3),
        ("/a/x.json", 4),
        ("/a/.json", 0),
        ("/a/x.json/x", 5),
        ("/a/x.json/y", 6),
        ("/a/x/x", 6),
        ("/a/v1/2", 7),
        ("/a/v1/2/3", 7),
        ("/a/v1/", 8),
        ("/a/x/y/z", 8),
        ("/a/(1,2)/x", 9),
        ("/a/(1,2)/y", 6),
    ] {
        assert_eq!(paths.find(path, b"GET"), Found::Route(route), "{path}");
    }
    assert_eq!(paths.find("/a/7:cancel", b"POST"), Found::Route(2));
    // A method that the best template lacks is not looked for behind a looser one.
    assert_eq!(paths.find("/a/7:cancel", b"GET"), Found::OtherMethods("POST"));
}

#[test]
fn methods_are_told_apart_and_listed() {
    let paths = paths(&[("/a/{x}", &["POST"]), ("/a/{y}", &["GET"]), ("/b", &[]), ("/b", &["PUT"])]).unwrap();
    assert_eq!(paths.find("/a/1", b"GET"), Found::Route(1));
    assert_eq!(paths.find("/a/1", b"HEAD"), Found::Route(1));
    assert_eq!(paths.find("/a/1", b"POST"), Found::Route(0));
    assert_eq!(paths.find("/a/1", b"get"), Found::OtherMethods("GET, HEAD, POST"));
    assert_eq!(paths.find("/b", b"ANYTHING"), Found::Route(2));
    assert_eq!(paths.find("/b", b"PUT"), Found::Route(3));
    assert_eq!(paths.find("/c", b"GET"), Found::Nothing);
    assert_eq!(paths.find("/a", b"GET"), Found::Nothing);
    assert_eq!(paths.find("/a/1/", b"GET"), Found::Nothing);
}

#[test]
fn what_is_served_twice_is_an_error() {
    for templates in [
        [("/a/{x}", &["GET"][..]), ("/a/{y}", &["GET"][..])],
        [("/a", &[][..]), ("/a", &[][..])],
        [("/a/{*x}", &["GET"][..]), ("/a/{*y}", &["POST", "GET"][..])],
        [("/a/{x}.{y}", &["GET"][..]), ("/a/{y}.{z}", &["GET"][..])],
    ] {
        assert!(paths(&templates).is_err(), "{templates:?}");
    }
}

#[test]
fn ten_thousand_templates_are_all_found() {
    let templates: Vec<String> = (0..10_000).map(|index| format!("/api/{}/items/{{id}}/{index}", index % 97)).collect();
    let rows: Vec<(&str, &[&str])> = templates.iter().map(|template| (template.as_str(), &["GET"][..])).collect();
    let paths = paths(&rows).unwrap();
    for (index, template) in templates.iter().enumerate() {
        assert_eq!(paths.find(&template.replace("{id}", "77"), b"GET"), Found::Route(index), "{template}");
    }
}
