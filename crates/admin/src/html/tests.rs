//! What could mean something to a browser does not.

use super::{escaped, prose};

#[test]
fn texts_cannot_become_markup() {
    for (text, expected) in [
        ("plain", "plain"),
        ("a < b && c > \"d\"", "a &lt; b &amp;&amp; c &gt; &quot;d&quot;"),
        ("<script>'", "&lt;script&gt;&#39;"),
    ] {
        assert_eq!(escaped(text), expected);
    }
}

#[test]
fn code_is_marked() {
    for (text, expected) in
        [("set `a: <b>` there", "set <code>a: &lt;b&gt;</code> there"), ("none", "none"), ("`all`", "<code>all</code>")]
    {
        assert_eq!(prose(text), expected);
    }
}
