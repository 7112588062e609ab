//! Rows of XML bodies as text and attributes.

use super::*;

fn values(body: &str) -> Result<Vec<String>, String> {
    let mut store = Store::default();
    read(body.as_bytes(), &mut store).map_err(|unread| unread.why)?;
    let all = store.list(List::XmlText).iter().chain(store.list(List::XmlAttributes));
    Ok(all.map(|e| String::from_utf8_lossy(store.bytes(e.value)).into_owned()).collect())
}

#[test]
fn text_and_attributes() {
    assert_eq!(
        values("<?xml version='1.0'?><a x=\"1&lt;\"><!-- c --><b>t&#65;</b><![CDATA[<s>]]><c y='2'/></a>\n").unwrap(),
        ["tA<s>", "1<", "2"]
    );
    assert_eq!(
        values("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///e>'>]><a>&x;</a>").unwrap(),
        ["<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///e>'>]>&x;"]
    );
}

#[test]
fn refuses() {
    for body in
        ["", "x", "<a>", "<a></b>", "<a/><b/>", "<a x></a>", "<a x=1/>", "<a", "<a><![CDATA[", "<!DOCTYPE a", "</a>"]
    {
        assert!(values(body).is_err(), "{body}");
    }
}
