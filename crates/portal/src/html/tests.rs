//! What could mean something to a browser does not.

use super::{Html, escaped, is_harmless, prose};

#[test]
fn nothing_of_a_text_is_markup() {
    for (text, expected) in [
        ("<b>&\"'", "&lt;b&gt;&amp;&quot;&#39;"),
        ("a\u{0}b\u{1b}", "a\u{fffd}b\u{fffd}"),
        ("a\u{202e}b", "a\u{fffd}b"),
        ("one\n\ttwo", "one\n\ttwo"),
    ] {
        assert_eq!(escaped(text), expected);
    }
    assert_eq!(prose("a `b<c` d"), "a <code>b&lt;c</code> d");
}

#[test]
fn addresses_that_do_something_lead_nowhere() {
    for (address, expected) in [
        ("https://a.example/?b=c#d", true),
        ("HTTP://a", true),
        ("mailto:a@b.example", true),
        ("../a/b.html#c", true),
        ("#a:b", true),
        ("?a=b:c", true),
        ("a/b:c", true),
        ("javascript:alert(1)", false),
        ("JaVaScRiPt:alert(1)", false),
        ("java\nscript:alert(1)", false),
        (" javascript:alert(1)", false),
        ("\u{1}javascript:alert(1)", false),
        ("data:text/html,<script>", false),
        ("vbscript:x", false),
        ("file:///etc/passwd", false),
        ("//elsewhere.example/", false),
        ("/\\elsewhere.example/", false),
        ("&#106;avascript:x", true),
    ] {
        assert_eq!(is_harmless(address), expected, "{address:?}");
        let mut html = Html::default();
        html.link(address, "x");
        assert_eq!(html.into_text().contains("href=\"#\""), !expected, "{address:?}");
    }
}

#[test]
fn attributes_end_where_they_should() {
    let mut html = Html::default();
    html.element("p", &[("title", "\" onclick=\"x")], |html| html.text("</p><script>").done());
    assert_eq!(html.into_text(), "<p title=\"&quot; onclick=&quot;x\">&lt;/p&gt;&lt;script&gt;</p>");
}
