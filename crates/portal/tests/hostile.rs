//! Texts of contracts and operators that try to become more than texts: none of them does.

use crate::markup::tags;
use crate::support::{around, folder, made, text};
use serde_json::{Value, json};

const TEXTS: &[&str] = &[
    "<script>alert(1)</script>",
    "</script><script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<svg onload=alert(1)>",
    "<svg><script>alert(1)</script></svg>",
    "\"><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    "\" onfocus=\"alert(1)\" autofocus=\"",
    "<iframe src=javascript:alert(1)>",
    "<a href=javascript:alert(1)>x</a>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)",
    "[x](vbscript:msgbox(1))",
    "[x](https://a.example/\"onmouseover=\"alert(1))",
    "[x](https://a.example/'><script>alert(1)</script>)",
    "[<img src=x onerror=alert(1)>](https://a.example)",
    "![x](javascript:alert(1))",
    "![x\" onerror=\"alert(1)](https://a.example/x.png)",
    "<javascript:alert(1)>",
    "<https://a.example/\"onclick=alert(1)>",
    "`<script>alert(1)</script>`",
    "```\n</code></pre><script>alert(1)</script>\n```",
    "```html\" onclick=\"alert(1)\n<b>\n```",
    "# <script>alert(1)</script>",
    "| <script>alert(1)</script> | b |\n|---|---|\n| <img src=x onerror=alert(1)> | [x](javascript:alert(1)) |",
    "> <style>*{display:none}</style>",
    "- <script>alert(1)</script>\n- [x](javascript:alert(1))",
    "**<script>alert(1)</script>**",
    "<!--><script>alert(1)</script>-->",
    "<![CDATA[<script>alert(1)</script>]]>",
    "<?php echo 1 ?><script>alert(1)</script>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<base href=https://evil.example/>",
    "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<form action=https://evil.example><input name=q>",
    "<link rel=stylesheet href=https://evil.example/x.css>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "\u{202e}<script>alert(1)</script>",
    "+ADw-script+AD4-alert(1)+ADw-/script+AD4-",
    "{{constructor.constructor('alert(1)')()}}",
    "<x onclick=alert(1)>",
    "<details open ontoggle=alert(1)>",
    "'\"`$(touch /tmp/x)`\\",
];

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
