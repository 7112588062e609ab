//! Bodies in XML: what they stand for, and what is refused before a schema sees it.

use super::{read, value};
use crate::document::{Options, load};
use crate::json::{Item, Kind, Limits};
use crate::message::{Body, Bounds, Request};

const DOCUMENT: &str = r"
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /pets:
    post:
      requestBody:
        content: {application/xml: {schema: {$ref: '#/components/schemas/Pet'}}}
      responses: {'200': {description: ok}}
    put:
      requestBody:
        content:
          text/xml:
            schema:
              type: array
              maxItems: 2
              xml: {name: pets}
              items: {type: string, xml: {name: pet}}
      responses: {'200': {description: ok}}
    patch:
      requestBody:
        content:
          application/soap+xml:
            schema: {type: object, xml: {name: any}, properties: {a: {type: string}}, additionalProperties: {type: string}}
      responses: {'200': {description: ok}}
components:
  schemas:
    Pet:
      type: object
      required: [name]
      xml: {name: pet, namespace: 'urn:pets'}
      properties:
        id: {type: integer, xml: {attribute: true}}
        name: {type: string, maxLength: 10}
        good: {type: boolean}
        weight: {type: number, nullable: true}
        code: {type: string, xml: {name: Code, prefix: x, namespace: 'urn:codes'}}
        tags: {type: array, items: {type: string, xml: {name: tag}}}
        toys: {type: array, xml: {wrapped: true, name: Toys}, items: {$ref: '#/components/schemas/Toy'}}
        plain: {type: array, items: {type: integer}}
        mother: {$ref: '#/components/schemas/Mother'}
    Toy:
      type: object
      xml: {name: toy}
      properties: {color: {type: string, enum: [red, blue]}}
    Mother:
      allOf: [{type: object, properties: {name: {type: string}, mother: {$ref: '#/components/schemas/Mother'}}}]
";

/// A value as JSON would be written, for looking at it.
fn shown(item: Item<'_>) -> String {
    match item.kind() {
        Kind::Null => "null".to_owned(),
        Kind::Bool(value) => value.to_string(),
        Kind::Number => item.text().to_owned(),
        Kind::Text => format!("'{}'", item.text()),
        Kind::Array => format!("[{}]", item.items().map(shown).collect::<Vec<_>>().join(",")),
        Kind::Object => {
            let all = item.members().map(|(name, value)| format!("{}:{}", name.text(), shown(value)));
            format!("{{{}}}", all.collect::<Vec<_>>().join(","))
        }
    }
}

/// What a body of this operation stands for, and whether it fits.
fn judged(method: &str, kind: &str, text: &str) -> String {
    let loaded = load("api.yaml", DOCUMENT.as_bytes(), Options::default(), &mut |_| None);
    let contract = loaded.contract.unwrap_or_else(|| panic!("{:#?}", loaded.diagnostics));
    let operation = contract.operation(method, "/pets").unwrap();
    assert!(operation.reads(Some(kind)), "{kind}");
    let headers = [("content-type", kind)];
    let request = Request { path: "/pets", query: "", headers: &headers, body: Body::Whole(text.as_bytes()) };
    match contract.conform(operation, &request, &Bounds::default()) {
        Ok(_) => {
            let root = operation.body.as_ref().unwrap().content.first().unwrap().xml.as_deref().unwrap();
            let json = value(text, (&contract.shapes, root), &Limits::default()).unwrap();
            shown(json.root())
        }
        Err(refused) => {
            let all = refused.objections.iter().map(|one| format!("{} {}", one.pointer, one.keyword));
            format!("{}: {}", refused.status, all.collect::<Vec<_>>().join(", "))
        }
    }
}

#[test]
fn elements_stand_for_members_and_the_schema_judges_them() {
    let pet = |inner: &str| format!("<p:pet xmlns:p='urn:pets' xmlns:y='urn:codes' id='7'>{inner}</p:pet>");
    for (inner, expected) in [
        ("<name>Rex</name>", "{id:7,name:'Rex'}"),
        ("<name>R&amp;&#x26;<![CDATA[<x>]]></name><!-- no --><good> true </good>", "{id:7,name:'R&&<x>',good:true}"),
        ("<name> a </name><weight>1.50</weight>", "{id:7,name:' a ',weight:1.50}"),
        (
            "<name>a</name><weight xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'/>",
            "{id:7,name:'a',weight:null}",
        ),
        (
            "<name>a</name><weight xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='true'>-1</weight>",
            "400:  mixed",
        ),
        (
            "<name>a</name><weight xmlns:i='http://www.w3.org/2001/XMLSchema-instance' i:nil='1'><evil/></weight>",
            "400:  mixed",
        ),
        ("<name>a</name><y:Code>z</y:Code>", "{id:7,name:'a',code:'z'}"),
        ("<name>a</name><Code>z</Code>", "422: /Code additionalProperties"),
        ("<name>a</name><y:Other>z</y:Other>", "400:  unknown"),
        ("<tag>x</tag><name>a</name><tag>y</tag>", "{id:7,name:'a',tags:['x','y']}"),
        ("<name>a</name><plain>1</plain><plain>2</plain>", "{id:7,name:'a',plain:[1,2]}"),
        ("<name>a</name><plain>x</plain>", "422: /plain/0 type"),
        ("<name>a</name><Toys><toy><color>red</color></toy><toy/></Toys>", "{id:7,name:'a',toys:[{color:'red'},{}]}"),
        ("<name>a</name><Toys/>", "{id:7,name:'a',toys:[]}"),
        ("<name>a</name><Toys><toy><color>green</color></toy></Toys>", "422: /toys/0/color enum"),
        ("<name>a</name><Toys><ball/></Toys>", "400:  unknown"),
        ("<name>a</name><Toys>text</Toys>", "400:  mixed"),
        ("<name>a</name><mother><name>b</name><mother/></mother>", "{id:7,name:'a',mother:{name:'b',mother:{}}}"),
        ("<name>a</name><mother><age>9</age></mother>", "422: /mother/age additionalProperties"),
        ("<good>1</good>", "422: /name required"),
        ("<name>a</name><name>b</name>", "400:  repeated"),
        ("<name x='1'>a</name>", "400:  unknown"),
        ("<name><b>a</b></name>", "422: /name type"),
        ("text<name>a</name>", "400:  mixed"),
        ("<name>a</name><role>admin</role>", "422: /role additionalProperties"),
        ("<name>a</name><name2/><name2/>", "400:  unknown"),
        ("<name>much too long a name</name>", "422: /name maxLength"),
    ] {
        assert_eq!(judged("POST", "application/xml; charset=utf-8", &pet(inner)), expected, "{inner}");
    }
    for (text, expected) in [
        ("<pet xmlns='urn:pets'><name xmlns=''>a</name></pet>", "{name:'a'}"),
        ("<pet><name>a</name></pet>", "400:  root"),
        ("<pet xmlns='urn:pets' role='admin'><name xmlns=''>a</name></pet>", "422: /role additionalProperties"),
        ("<pet xmlns='urn:pets' id='x'><name xmlns=''>a</name></pet>", "422: /id type"),
    ] {
        assert_eq!(judged("POST", "application/xml", text), expected, "{text}");
    }
    for (text, expected) in [
        ("<pets><pet>a</pet><pet>b</pet></pets>", "['a','b']"),
        ("<pets/>", "[]"),
        ("<pets><cat>a</cat></pets>", "400:  unknown"),
        ("<pets evil='1'><pet>a</pet></pets>", "400:  mixed"),
        ("<pets>evil<pet>a</pet></pets>", "400:  mixed"),
        ("<pets><pet>a</pet><pet>b</pet><pet>c</pet></pets>", "422:  maxItems"),
    ] {
        assert_eq!(judged("PUT", "text/xml", text), expected, "{text}");
    }
    assert_eq!(judged("PATCH", "application/soap+xml", "<any><a>1</a><b>2</b></any>"), "{a:'1',b:'2'}");
    assert_eq!(judged("PATCH", "application/soap+xml", "<any><b><c/></b></any>"), "422: /b type");
    assert_eq!(judged("PUT", "text/xml; charset=utf-16", "<pets/>"), "415:  charset");
}

#[test]
fn what_is_no_xml_or_more_than_that_is_refused() {
    let limits = Limits { depth: 4, values: 10, text_bytes: 20, name_bytes: 8, ..Limits::default() };
    for (text, expected) in [
        ("<a/>", ""),
        ("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<a b='1' c=\"&lt;\">x</a >\n", ""),
        ("<?xml version='1.0' encoding='ISO-8859-1'?><a/>", "charset"),
        ("<!DOCTYPE a><a/>", "doctype"),
        ("<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><a>&x;</a>", "doctype"),
        ("<a>&x;</a>", "entity"),
        ("<a b='&x;'/>", "entity"),
        ("<a>&#0;</a>", "malformed"),
        ("<a>&#xD800;</a>", "malformed"),
        ("<a>&#;</a>", "malformed"),
        ("<a>&lt</a>", "malformed"),
        ("<a><?php 1 ?></a>", "instruction"),
        ("<a>\u{1}</a>", "malformed"),
        ("<a><b></a></b>", "malformed"),
        ("<a>", "malformed"),
        ("<a/><b/>", "malformed"),
        ("x<a/>", "malformed"),
        ("", "malformed"),
        ("<a b=1/>", "malformed"),
        ("<a b='1'c='2'/>", "malformed"),
        ("<a b='<'/>", "malformed"),
        ("<a b='1' b='2'/>", "repeated_member"),
        ("<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>", "repeated_member"),
        ("<x:a/>", "malformed"),
        ("<a x:b='1'/>", "malformed"),
        ("<b><a xmlns:x='u'/><x:a/></b>", "malformed"),
        ("<b><a xmlns:x='u'></a><x:a/></b>", "malformed"),
        ("<a xmlns:x=''/>", "malformed"),
        ("<a:b:c/>", "malformed"),
        ("<1/>", "malformed"),
        ("< a/>", "malformed"),
        ("<a><!-- -- --></a>", "malformed"),
        ("<a>]]></a>", "malformed"),
        ("<a><b><c><d/></c></b></a>", ""),
        ("<a><b><c><d><e/></d></c></b></a>", "depth"),
        ("<a><b/><b/><b/><b/><b/><b/><b/><b/><b/><b/></a>", "values"),
        ("<a>123456789012345678901</a>", "text_bytes"),
        ("<a>1234567890<b/>12345678901</a>", "text_bytes"),
        ("<a b='123456789012345678901'/>", "text_bytes"),
        ("<aaaaaaaaa/>", "name_bytes"),
    ] {
        let keyword = read::read(text, &limits).map_or_else(|flaw| flaw.keyword, |_| "");
        assert_eq!(keyword, expected, "{text}");
    }
}
