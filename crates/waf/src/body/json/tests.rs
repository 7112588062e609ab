//! Rows of JSON bodies as arguments.

use super::*;

fn flat(body: &str) -> Result<Vec<String>, String> {
    let mut store = Store::default();
    let limits = BodyLimits { arguments: 10, json_depth: 4 };
    read(body.as_bytes(), limits, &mut store).map_err(|unread| unread.why)?;
    let text = |span| String::from_utf8_lossy(store.bytes(span)).into_owned();
    Ok(store.list(List::ArgsPost).iter().map(|e| format!("{}={}", text(e.name), text(e.value))).collect())
}

#[test]
fn flattens() {
    assert_eq!(
        flat(r#" {"a":[1,{"b":"x\u00e9\ud83d\ude00\n"}],"c":{},"d":null,"e":[],"f":true} "#).unwrap(),
        ["json.a.0=1", "json.a.1.b=x\u{e9}\u{1f600}\n", "json.a=2", "json.d=", "json.f=true"]
    );
    assert_eq!(flat("\"x\"").unwrap(), ["json=x"]);
    assert_eq!(flat("[[],[-1.5e+3]]").unwrap(), ["json.1.0=-1.5e+3", "json.1=1", "json=2"]);
}

#[test]
fn refuses() {
    for body in [
        "",
        " ",
        "{",
        "[1,]",
        "{\"a\"}",
        "{\"a\":1,}",
        "01",
        "1.",
        "tru",
        "\"a",
        "\"\\q\"",
        "[[[[[1]]]]]",
        "1 2",
        "{a:1}",
        "[1,2,3,4,5,6,7,8,9,10,11]",
        "\"\u{1}\"",
        "nul",
        "+1",
        "--1",
    ] {
        assert!(flat(body).is_err(), "{body}");
    }
}
