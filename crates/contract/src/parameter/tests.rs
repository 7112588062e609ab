//! The table of serialisation: location × style × explode × type, as written and as meant, valid and invalid.

use crate::document::{Options, load};
use crate::message::{Bounds, Request};

/// One parameter `p` of this location, style and schema; the message has it written like this.
fn judged(location: &str, said: &str, schema: &str, written: &str) -> String {
    judged_with(location, said, schema, written, Options::default())
}

fn judged_with(location: &str, said: &str, schema: &str, written: &str, options: Options) -> String {
    let path = if location == "path" { "/x/{p}" } else { "/x" };
    let required = if location == "path" { "required: true, " } else { "" };
    let text = format!(
        "openapi: 3.1.1\ninfo: {{title: t, version: '1'}}\npaths:\n  {path}:\n    get:\n      parameters:\n        - {{name: p, in: {location}, {required}{said}schema: {schema}}}\n      responses: {{'200': {{description: ok}}}}\n"
    );
    let loaded = load("api.yaml", text.as_bytes(), options, &mut |_| None);
    let Some(contract) = loaded.contract else { return format!("document: {}", loaded.diagnostics[0].message) };
    let path = if location == "path" { format!("/x/{written}") } else { "/x".to_owned() };
    let query = if location == "query" { written } else { "" };
    let headers: Vec<(&str, &str)> = match location {
        "header" => written.split('\n').map(|value| ("P", value)).collect(),
        "cookie" => vec![("Cookie", written)],
        _ => Vec::new(),
    };
    let operation = contract.find("GET", &path).unwrap_or(&contract.operations()[0]);
    let request = Request { path: &path, query, headers: &headers, body: crate::Body::Absent };
    match contract.conform(operation, &request, &Bounds::default()) {
        Ok(_) => "fits".to_owned(),
        Err(refused) => {
            assert_eq!(refused.status, 400);
            let all = refused.objections.iter().map(|one| format!("{}{} {}", one.name, one.pointer, one.keyword));
            all.collect::<Vec<_>>().join(", ")
        }
    }
}

const INTEGER: &str = "{type: integer, minimum: 3}";
const TEXT: &str = "{type: string, enum: [blue, 'a b', '7', 'x,y', 'é', '']}";
const LIST: &str = "{type: array, minItems: 2, items: {type: integer}}";
const COLOURS: &str = "{type: array, items: {enum: [blue, black, 'a b', 'x,y', 'p|q']}}";
const OBJECT: &str =
    "{type: object, required: [R], properties: {R: {type: integer}, G: {type: integer}, n: {type: string}}}";

/// Style and explode, schema, as written, what is said about it.
const PATH: &[(&str, &str, &str, &str)] = &[
    ("", INTEGER, "5", "fits"),
    ("", INTEGER, "2", "p minimum"),
    ("", INTEGER, "x", "p type"),
    ("", INTEGER, "5,6", "p type"),
    ("", INTEGER, "0x5", "p type"),
    ("", INTEGER, "05", "p type"),
    ("", INTEGER, "%35", "fits"),
    ("", INTEGER, "%3", "p encoding"),
    ("", TEXT, "a%20b", "fits"),
    ("", TEXT, "a+b", "p enum"),
    ("", TEXT, "7", "fits"),
    ("", TEXT, "%C3%A9", "fits"),
    ("", TEXT, "%C3", "p encoding"),
    ("", LIST, "3,4", "fits"),
    ("", LIST, "3", "p minItems"),
    ("", LIST, "3,x", "p/1 type"),
    ("explode: true, ", LIST, "3,4", "fits"),
    ("", COLOURS, "blue,x%2Cy", "fits"),
    ("", OBJECT, "R,100,G,200", "fits"),
    ("", OBJECT, "R,100,G", "p style"),
    ("", OBJECT, "R,100,R,1", "p repeated"),
    ("", OBJECT, "G,100", "p/R required"),
    ("", OBJECT, "R,100,X,1", "p/X additionalProperties"),
    ("explode: true, ", OBJECT, "R=100,G=200", "fits"),
    ("explode: true, ", OBJECT, "R,100", "p style"),
    ("explode: true, ", OBJECT, "R=x", "p/R type"),
    ("style: label, ", INTEGER, ".5", "fits"),
    ("style: label, ", INTEGER, "5", "p style"),
    ("style: label, ", LIST, ".3,4", "fits"),
    ("style: label, ", LIST, ".3.4", "p minItems, p/0 type"),
    ("style: label, explode: true, ", LIST, ".3.4", "fits"),
    ("style: label, explode: true, ", LIST, ".3,4", "p minItems, p/0 type"),
    ("style: label, ", OBJECT, ".R,100,G,200", "fits"),
    ("style: label, explode: true, ", OBJECT, ".R=100.G=200", "fits"),
    ("style: label, explode: true, ", OBJECT, ".R,100", "p style"),
    ("style: matrix, ", INTEGER, ";p=5", "fits"),
    ("style: matrix, ", INTEGER, ";q=5", "p style"),
    ("style: matrix, ", INTEGER, "p=5", "p style"),
    ("style: matrix, ", LIST, ";p=3,4", "fits"),
    ("style: matrix, explode: true, ", LIST, ";p=3;p=4", "fits"),
    ("style: matrix, explode: true, ", LIST, ";p=3;q=4", "p style"),
    ("style: matrix, ", OBJECT, ";p=R,100,G,200", "fits"),
    ("style: matrix, explode: true, ", OBJECT, ";R=100;G=200", "fits"),
    ("style: matrix, explode: true, ", OBJECT, ";p=R,100", "p/p additionalProperties, p/R required"),
    ("style: form, ", INTEGER, "5", "document: `{p}` of the path is not declared"),
];

const QUERY: &[(&str, &str, &str, &str)] = &[
    ("", INTEGER, "p=5", "fits"),
    ("", INTEGER, "", "fits"),
    ("required: true, ", INTEGER, "", "p required"),
    ("", INTEGER, "p=2", "p minimum"),
    ("", INTEGER, "p=5&p=6", "p repeated"),
    ("", INTEGER, "p=5&%70=6", "p repeated"),
    ("", INTEGER, "p=5&q=1", "q unknown"),
    ("", INTEGER, "p", "p style"),
    ("", INTEGER, "p=", "p type"),
    ("allowEmptyValue: true, ", INTEGER, "p=", "fits"),
    ("allowEmptyValue: true, ", INTEGER, "p", "fits"),
    ("", TEXT, "p=", "fits"),
    ("", TEXT, "p=a+b", "fits"),
    ("", TEXT, "p=a%20b", "fits"),
    ("", TEXT, "p=x,y", "fits"),
    ("", TEXT, "p=%zz", "p encoding"),
    ("", "{type: boolean}", "p=true", "fits"),
    ("", "{type: boolean}", "p=1", "p type"),
    ("", "{type: [integer, 'null']}", "p=null", "fits"),
    ("", "{type: [integer, string], maxLength: 3}", "p=12", "fits"),
    ("", "{anyOf: [{type: integer, minimum: 100}, {type: string, pattern: '^1'}]}", "p=12", "fits"),
    ("", LIST, "p=3&p=4", "fits"),
    ("", LIST, "p=3,4", "p minItems, p/0 type"),
    ("explode: false, ", LIST, "p=3,4", "fits"),
    ("explode: false, ", LIST, "p=3&p=4", "p repeated"),
    ("explode: false, ", COLOURS, "p=blue,x%2Cy", "fits"),
    ("", OBJECT, "R=100&G=200", "fits"),
    ("", OBJECT, "R=100&X=1", "X unknown"),
    ("", OBJECT, "R=100&R=1", "p repeated"),
    ("", OBJECT, "G=1", "p/R required"),
    ("explode: false, ", OBJECT, "p=R,100,G,200", "fits"),
    ("explode: false, ", OBJECT, "p=R,100,G", "p style"),
    ("explode: false, ", OBJECT, "p=R,100,n,%2C", "fits"),
    ("style: spaceDelimited, explode: false, ", COLOURS, "p=blue%20black", "fits"),
    ("style: spaceDelimited, explode: false, ", COLOURS, "p=blue+black", "fits"),
    ("style: spaceDelimited, explode: false, ", COLOURS, "p=blue,black", "p/0 enum"),
    ("style: spaceDelimited, explode: true, ", COLOURS, "p=blue&p=a%20b", "fits"),
    ("style: spaceDelimited, explode: false, ", OBJECT, "p=R%20100%20G%20200", "fits"),
    ("style: pipeDelimited, explode: false, ", COLOURS, "p=blue|black", "fits"),
    ("style: pipeDelimited, explode: false, ", COLOURS, "p=blue%7Cblack", "fits"),
    ("style: pipeDelimited, explode: false, ", COLOURS, "p=blue,black", "p/0 enum"),
    ("style: pipeDelimited, explode: true, ", COLOURS, "p=p|q&p=blue", "fits"),
    ("style: pipeDelimited, explode: false, ", OBJECT, "p=R|100|G|200", "fits"),
    ("style: deepObject, explode: true, ", OBJECT, "p[R]=100&p[G]=200", "fits"),
    ("style: deepObject, explode: true, ", OBJECT, "p%5BR%5D=100", "fits"),
    ("style: deepObject, explode: true, ", OBJECT, "p[R]=x", "p/R type"),
    ("style: deepObject, explode: true, ", OBJECT, "p[R]=1&p[X]=1", "p/X additionalProperties"),
    ("style: deepObject, explode: true, ", OBJECT, "p[R]=1&p[R]=2", "p repeated"),
    ("style: deepObject, explode: true, ", OBJECT, "p[R][x]=1", "p style"),
    ("style: deepObject, explode: true, ", OBJECT, "p[R=1", "p style"),
    ("style: deepObject, explode: true, ", OBJECT, "p=1", "p unknown"),
    ("style: deepObject, explode: true, ", LIST, "p[0]=1", "document: `deepObject` is for objects"),
    ("style: simple, ", INTEGER, "p=5", "document: this style does not exist here"),
];

const HEADER: &[(&str, &str, &str, &str)] = &[
    ("", INTEGER, "5", "fits"),
    ("", INTEGER, " 5 ", "fits"),
    ("", INTEGER, "x", "p type"),
    ("", INTEGER, "5\n6", "p repeated"),
    ("", "{type: string, const: '%35'}", "%35", "fits"),
    ("", LIST, "3,4", "fits"),
    ("", LIST, "3, 4", "fits"),
    ("", LIST, "3\n4", "fits"),
    ("", LIST, "3,x", "p/1 type"),
    ("explode: true, ", LIST, "3,4", "fits"),
    ("", OBJECT, "R,100,G,200", "fits"),
    ("explode: true, ", OBJECT, "R=100,G=200", "fits"),
    ("explode: true, ", OBJECT, "R,100", "p style"),
];

const COOKIE: &[(&str, &str, &str, &str)] = &[
    ("", INTEGER, "p=5", "fits"),
    ("", INTEGER, "p=x", "p type"),
    ("", INTEGER, "p=5; q=1", "q unknown"),
    ("", INTEGER, "p=5; p=6", "p repeated"),
    ("explode: false, ", LIST, "p=3,4", "fits"),
    ("explode: false, ", OBJECT, "p=R,100,G,200", "fits"),
    ("explode: true, ", LIST, "p=3; p=4", "fits"),
];

#[test]
fn every_style_is_read_as_it_is_declared() {
    for (location, table) in [("path", PATH), ("query", QUERY), ("header", HEADER), ("cookie", COOKIE)] {
        for (said, schema, written, expected) in table {
            assert_eq!(judged(location, said, schema, written), *expected, "{location}: {said}{schema}: {written:?}");
        }
    }
}

#[test]
fn reserved_characters_are_refused_where_that_is_asked_for() {
    for (strict, said, written, expected) in [
        (false, "", "p=a:b", "fits"),
        (true, "", "p=a:b", "p allowReserved"),
        (true, "", "p=a%3Ab", "fits"),
        (true, "allowReserved: true, ", "p=a:b/c?d@e", "fits"),
    ] {
        let options = Options { strict_reserved: strict, ..Options::default() };
        let found = judged_with("query", said, "{type: string}", written, options);
        assert_eq!(found, expected, "{strict} {said} {written}");
    }
}

#[test]
fn content_parameters_are_json() {
    let text = "
openapi: 3.0.3
paths:
  /x:
    get:
      parameters:
        - {name: p, in: query, content: {application/json: {schema: {type: object, properties: {a: {type: integer}}}}}}
      responses: {}
";
    let contract = load("a", text.as_bytes(), Options::default(), &mut |_| None).contract.unwrap();
    for (query, fits) in [
        ("p=%7B%22a%22:1%7D", true),
        ("p=%7B%22a%22:%221%22%7D", false),
        ("p=%7B", false),
        ("p=%7B%22a%22:1,%22a%22:2%7D", false),
    ] {
        let request = Request { path: "/x", query, headers: &[], body: crate::Body::Absent };
        let found = contract.conform(&contract.operations()[0], &request, &Bounds::default());
        assert_eq!(found.is_ok(), fits, "{query}");
    }
}
