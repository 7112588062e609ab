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

const MAP: &str = "{type: object, additionalProperties: {type: integer}}";
const PATTERNS: &str = "{type: object, patternProperties: {'^x': {type: integer}}, additionalProperties: false}";
const FIRST: &str = "{type: array, prefixItems: [{type: integer}, {type: string}], items: {type: boolean}}";
const EITHER: &str =
    "{anyOf: [{type: string, maxLength: 4, pattern: '[a-z]'}, {type: array, minItems: 2, items: {type: integer}}]}";
const NESTED: &str = "{type: object, properties: {l: {type: array, items: {type: integer}}, o: {type: object}}}";
const CONDITION: &str = "{if: {type: integer}, then: {minimum: 5}}";
const CHOICE: &str = "{type: [integer, string], if: {type: integer}, then: {minimum: 5}, else: {maxLength: 3}}";

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
    ("explode: true, ", INTEGER, "5", "fits"),
    ("explode: true, ", INTEGER, "2", "p minimum"),
    ("explode: true, ", INTEGER, "p=5", "p type"),
    ("style: label, explode: true, ", INTEGER, ".5", "fits"),
    ("style: label, explode: true, ", INTEGER, ".x", "p type"),
    ("style: label, ", OBJECT, ".R,100,G", "p style"),
    ("style: label, ", OBJECT, ".R.100", "p style"),
    ("style: label, ", OBJECT, ".R,x", "p/R type"),
    ("style: label, ", OBJECT, ".R,1,R,2", "p repeated"),
    ("style: label, ", OBJECT, "R,100", "p style"),
    ("style: label, explode: true, ", OBJECT, ".R=x", "p/R type"),
    ("style: label, explode: true, ", LIST, ".3.x", "p/1 type"),
    ("style: matrix, explode: true, ", INTEGER, ";p=5", "fits"),
    ("style: matrix, explode: true, ", INTEGER, ";p=x", "p type"),
    ("style: matrix, ", LIST, ";p=3,x", "p/1 type"),
    ("style: matrix, ", OBJECT, ";p=R,100,G", "p style"),
    ("style: matrix, ", OBJECT, ";R,100", "p style"),
    ("style: matrix, ", OBJECT, ";p=R,x", "p/R type"),
    ("style: matrix, ", OBJECT, ";p=R,1,R,2", "p repeated"),
    ("style: matrix, explode: true, ", OBJECT, ";R=x", "p/R type"),
    ("style: matrix, explode: true, ", OBJECT, ";R=1;R=2", "p repeated"),
    ("style: matrix, explode: true, ", LIST, ";p=3;p=x", "p/1 type"),
    ("", MAP, "a,1,b,2", "fits"),
    ("", MAP, "a,x", "p/a type"),
    ("explode: true, ", MAP, "a=1,b=2", "fits"),
    ("explode: true, ", MAP, "a=x", "p/a type"),
    ("style: label, explode: true, ", MAP, ".a=1.b=2", "fits"),
    ("style: matrix, explode: true, ", MAP, ";a=1;b=2", "fits"),
    ("style: matrix, explode: true, ", MAP, ";a=1;b=x", "p/b type"),
    ("", PATTERNS, "xa,1", "fits"),
    ("", PATTERNS, "a,1", "p/a additionalProperties"),
    ("", FIRST, "1,a,true", "fits"),
    ("", FIRST, "a,1,2", "p/0 type, p/2 type"),
    ("style: matrix, explode: true, ", FIRST, ";p=1;p=2;p=true", "fits"),
    ("", EITHER, "abc", "fits"),
    ("", EITHER, "3,4", "fits"),
    ("", EITHER, "abcde", "p minItems, p/0 type"),
    ("style: label, ", EITHER, ".abc", "fits"),
    ("style: label, ", EITHER, "abc", "p style"),
    ("style: matrix, ", EITHER, ";p=abc", "fits"),
    ("style: matrix, ", EITHER, ";q=abc", "p style"),
    ("", CONDITION, "4", "p minimum"),
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
    ("explode: false, ", INTEGER, "p=5", "fits"),
    ("explode: false, ", INTEGER, "p=x", "p type"),
    ("style: spaceDelimited, explode: false, ", OBJECT, "p=R%20x", "p/R type"),
    ("style: pipeDelimited, explode: false, ", OBJECT, "p=R|x", "p/R type"),
    ("style: pipeDelimited, explode: false, ", OBJECT, "p=R|100|G", "p style"),
    ("style: deepObject, explode: true, ", NESTED, "p[l]=1", "p/l type"),
    ("style: deepObject, explode: true, ", NESTED, "p[l]=1&p[l]=2", "p repeated"),
    ("style: deepObject, explode: true, ", NESTED, "p[l][]=1", "p style"),
    ("style: deepObject, explode: true, ", NESTED, "p[o]=x", "p/o type"),
    ("style: deepObject, explode: true, ", NESTED, "p[o][q]=x", "p style"),
    ("style: deepObject, explode: true, ", MAP, "p[x]=1&p[y]=2", "fits"),
    ("style: deepObject, explode: true, ", MAP, "p[x]=a", "p/x type"),
    ("style: deepObject, explode: true, ", PATTERNS, "p[xa]=1", "fits"),
    ("style: deepObject, explode: true, ", PATTERNS, "p[xa]=a", "p/xa type"),
    ("style: deepObject, explode: true, ", PATTERNS, "p[a]=1", "p/a additionalProperties"),
    ("", MAP, "x=1&y=2", "fits"),
    ("", MAP, "x=a", "p/x type"),
    ("", PATTERNS, "xa=1", "fits"),
    ("", PATTERNS, "xa=1&a=1", "a unknown"),
    ("explode: false, ", MAP, "p=x,1", "fits"),
    ("style: pipeDelimited, explode: false, ", MAP, "p=x|1", "fits"),
    ("", "{type: object, unevaluatedProperties: {type: integer}}", "x=1", "fits"),
    ("", FIRST, "p=1&p=a&p=true", "fits"),
    ("", FIRST, "p=a&p=1&p=true", "p/0 type"),
    ("explode: false, ", FIRST, "p=1,a", "fits"),
    ("explode: false, ", FIRST, "p=1,a,x", "p/2 type"),
    ("style: pipeDelimited, explode: false, ", FIRST, "p=1|2|true", "fits"),
    ("", EITHER, "p=abc", "fits"),
    ("", EITHER, "p=3&p=4", "fits"),
    ("", EITHER, "p=abc&p=abd", "p/0 type, p/1 type"),
    ("", EITHER, "p=3", "p minItems"),
    ("", EITHER, "p=abcde", "p minItems, p/0 type"),
    ("", EITHER, "p", "p style"),
    ("explode: false, ", EITHER, "p=a,b", "fits"),
    ("explode: false, ", EITHER, "p=1,2", "fits"),
    ("", "{type: [integer, array], minItems: 2, items: {type: integer}}", "p=3", "fits"),
    ("", "{type: [integer, object], properties: {a: {type: integer}}}", "p=3", "fits"),
    ("", "{type: [integer, object], properties: {a: {type: integer}}}", "a=3", "fits"),
    ("", "{type: [integer, object], properties: {a: {type: integer}}}", "p=x", "p type"),
    ("", "{type: [integer, object], properties: {a: {type: integer}}}", "p=3&a=x", "p/a type, p unknown"),
    ("", "{type: [integer, object], properties: {a: {type: integer}}}", "p=3&a=3", "p unknown"),
    ("", CONDITION, "p=4", "p minimum"),
    ("", CONDITION, "p=5", "fits"),
    ("", CONDITION, "p=x", "fits"),
    ("", CHOICE, "p=4", "p minimum"),
    ("", CHOICE, "p=12", "fits"),
    ("", CHOICE, "p=1234", "p maxLength"),
    ("", CHOICE, "p=abcd", "p maxLength"),
    ("", "{minimum: 5}", "p=4", "p minimum"),
    ("", "{not: {const: 4}}", "p=4", "p not"),
    ("", "{maxLength: 3}", "p=1234", "p maxLength"),
    ("", "{maxLength: 3, minimum: 5}", "p=1234", "p maxLength"),
    ("", "{maxLength: 3, minimum: 5}", "p=4", "p minimum"),
    ("", "{maxLength: 3, minimum: 5}", "p=12", "fits"),
    ("", "{const: 5}", "p=5", "fits"),
    ("", "{const: '5'}", "p=5", "fits"),
    ("", "{enum: [1, '2', true]}", "p=2", "fits"),
    ("", "{enum: [1, '2', true]}", "p=true", "fits"),
    ("", "{enum: [1, '2', true]}", "p=3", "p enum"),
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
    ("explode: true, ", INTEGER, "5", "fits"),
    ("explode: true, ", INTEGER, "p=5", "p type"),
    ("", OBJECT, "R,x", "p/R type"),
    ("explode: true, ", OBJECT, "R=x", "p/R type"),
    ("explode: true, ", MAP, "a=1", "fits"),
    ("explode: true, ", MAP, "a=x", "p/a type"),
    ("", MAP, "a,1", "fits"),
    ("", PATTERNS, "xa,1", "fits"),
    ("", FIRST, "1,a", "fits"),
    ("", FIRST, "a,1", "p/0 type"),
    ("", EITHER, "abc", "fits"),
    ("", EITHER, "3,4", "fits"),
    ("", EITHER, "a\nb", "p/0 type, p/1 type"),
];

const COOKIE: &[(&str, &str, &str, &str)] = &[
    ("", INTEGER, "p=5", "fits"),
    ("", INTEGER, "p=x", "p type"),
    ("", INTEGER, "p=5; q=1", "q unknown"),
    ("", INTEGER, "p=5; p=6", "p repeated"),
    ("explode: false, ", LIST, "p=3,4", "fits"),
    ("explode: false, ", OBJECT, "p=R,100,G,200", "fits"),
    ("explode: true, ", LIST, "p=3; p=4", "fits"),
    ("explode: true, ", LIST, "p=3; p=x", "p/1 type"),
    ("explode: false, ", LIST, "p=3,x", "p/1 type"),
    ("explode: false, ", OBJECT, "p=R,100,G", "p style"),
    ("explode: false, ", INTEGER, "p=5", "fits"),
    ("explode: true, ", OBJECT, "R=100; G=200", "fits"),
    ("explode: true, ", OBJECT, "R=x", "p/R type"),
    ("explode: true, ", OBJECT, "R=1; R=2", "p repeated"),
    ("explode: true, ", OBJECT, "R=1; X=2", "X unknown"),
    ("explode: true, ", MAP, "a=1; b=2", "fits"),
    ("explode: true, ", MAP, "a=x", "p/a type"),
    ("explode: false, ", MAP, "p=a,1", "fits"),
    ("explode: false, ", FIRST, "p=1,a", "fits"),
    ("", EITHER, "p=abc", "fits"),
];

#[test]
fn every_style_is_read_as_it_is_declared() {
    let mut wrong = Vec::new();
    for (location, table) in [("path", PATH), ("query", QUERY), ("header", HEADER), ("cookie", COOKIE)] {
        for (said, schema, written, expected) in table {
            let found = judged(location, said, schema, written);
            if found != *expected {
                wrong.push(format!("{location}: {said}{schema}: {written:?}: {found} instead of {expected}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
