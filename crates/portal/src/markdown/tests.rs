//! What is Markdown, what is a text, and what either costs.

use super::{first_words, markdown};
use portcullis_types::Clock;

#[test]
fn what_is_markdown_and_what_is_text() {
    for (text, expected) in [
        ("# One", "<h3>One</h3>\n"),
        (
            "a **b** *c* `d<e` _f_ g_h_i",
            "<p>a <strong>b</strong> <em>c</em> <code>d&lt;e</code> <em>f</em> g_h_i</p>\n",
        ),
        ("- a\n- b\n  more", "<ul><li>a</li>\n<li>b\nmore</li>\n</ul>\n"),
        ("1. a\n2. b", "<ol><li>a</li>\n<li>b</li>\n</ol>\n"),
        ("> a\n> b", "<blockquote><p>a\n b</p></blockquote>\n"),
        (
            "```json\n{\"a\": \"<b>\"}\n```",
            "<pre tabindex=\"0\"><code>{&quot;a&quot;: &quot;&lt;b&gt;&quot;}</code></pre>\n",
        ),
        ("[a](https://b.example/c)", "<p><a href=\"https://b.example/c\" rel=\"nofollow noopener\">a</a></p>\n"),
        ("[a](b.html) [c](/d)", "<p>[a](b.html) [c](/d)</p>\n"),
        ("[a](javascript:alert)", "<p>[a](javascript:alert)</p>\n"),
        (
            "<https://a.example>",
            "<p><a href=\"https://a.example\" rel=\"nofollow noopener\">https://a.example</a></p>\n",
        ),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("<!-- a -->\n\n<b>c</b>", "<p>&lt;!-- a --&gt;</p>\n<p>&lt;b&gt;c&lt;/b&gt;</p>\n"),
        (
            "![a](https://b.example/c.png)",
            "<p>!<a href=\"https://b.example/c.png\" rel=\"nofollow noopener\">a</a></p>\n",
        ),
        ("a\\*b\\* **c", "<p>a*b* **c</p>\n"),
        ("---", "<hr>\n"),
    ] {
        assert_eq!(markdown(text, 2).into_text(), expected, "{text}");
    }
    let table = markdown("| a | b |\n|---|---|\n| <i> | `d` |\n", 2).into_text();
    assert!(table.contains("<td>&lt;i&gt;</td><td><code>d</code></td>"), "{table}");
}

#[test]
fn no_text_takes_longer_than_its_length_allows() {
    for unit in ["[", "*", "`", "**a", "_a_", "<", "[a](", "> ", "- ", "|", "\\", "# ", "``` "] {
        let clock = Clock::system();
        let html = markdown(&unit.repeat(128 * 1024 / unit.len() + 10), 2).into_text();
        assert!(!html.is_empty() && clock.millis() < 20_000, "{unit}: {} ms", clock.millis());
    }
}

#[test]
fn first_words_are_one_line() {
    assert_eq!(first_words("\n# A title\nmore\n\nrest", 80), "A title more");
    assert_eq!(first_words("abcdef", 3), "abc…");
}
