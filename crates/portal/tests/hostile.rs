//! Texts of contracts and operators that try to become more than texts: none of them does.

use crate::markup::tags;
use crate::support::{around, folder, made, text};
use crate::texts::TEXTS;
use serde_json::{Value, json};

/// A document in which each text that there can be is this one.
fn document(text: &str) -> Value {
    json!({
        "openapi": "3.1.0",
        "info": { "title": text, "version": text, "description": text },
        "paths": { "/things/{id}": {
            "get": {
                "operationId": text, "summary": text, "description": text, "tags": [text], "deprecated": true,
                "parameters": [
                    { "name": "id", "in": "path", "required": true, "description": text, "example": text, "schema": { "type": "string" } },
                    { "name": "q", "in": "query", "required": true, "description": text, "schema": { "type": "string", "enum": [text], "default": text } },
                ],
                "responses": { "200": {
                    "description": text,
                    "headers": { "X-Thing": { "description": text, "schema": { "type": "string", "format": text } } },
                    "content": { "application/json": { "example": { text: text }, "schema": { "$ref": "#/components/schemas/Thing" } } },
                } },
            },
            "post": {
                "summary": text,
                "parameters": [{ "name": "id", "in": "path", "required": true, "schema": { "type": "string" } }],
                "requestBody": { "required": true, "content": { "application/json": { "example": { text: [text] }, "schema": { "$ref": "#/components/schemas/Thing" } } } },
                "responses": { "default": { "description": text } },
            },
        } },
        "components": { "schemas": { "Thing": {
            "type": "object", "description": text, "required": [text],
            "properties": { text: { "type": "string", "description": text, "const": text, "examples": [text] } },
        } } },
    })
}

#[test]
fn no_text_becomes_more_than_a_text() {
    for (index, hostile) in TEXTS.iter().enumerate() {
        let contract = document(hostile).to_string();
        let folder = folder(&format!("hostile-{index}"), &[("it.json", &contract), ("own.md", hostile)]);
        let quoted = Value::from(*hostile).to_string();
        let own = "portal: { title: TITLE, address: 'https://d.example', try_it: true, welcome: own.md, pages: { TITLE: own.md } }\n".replace("TITLE", &quoted);
        // A title has one line; what has several is a text of a page alone.
        let own = if hostile.chars().any(char::is_control) { own.replace(&quoted, "Title") } else { own };
        let site =
            made(&format!("{}{own}", around("it.json", "    cors: { origins: ['https://d.example'] }\n")), &folder);
        let mut pages = 0;
        for (path, _) in site.files().filter(|(path, _)| path.ends_with(".html")) {
            tags(path, &text(&site, path));
            pages += 1;
        }
        assert!(pages > 60, "{pages}");
        assert_eq!(site.called().count(), 1, "operations can be tried");
        let list = text(&site, "llms.txt");
        assert!(list.lines().filter(|line| line.starts_with("## ")).count() == 2, "a title has ended its line: {list}");
        serde_json::from_str::<Value>(&text(&site, "apis/it/openapi.json")).expect("the document stays one");
    }
}
