//! What fields of redirections and errors say about the servers behind the gateway: such fields do not leave.

use crate::head::Head;
use portcullis_config::plan::ErrorsPlan;
use portcullis_h1::Field;
use portcullis_mask::names_inner_host;

/// What is known of the server of an answer.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Inner<'a> {
    /// What becomes of errors of the route's servers; nothing where no route has been found.
    pub(crate) errors: Option<ErrorsPlan>,
    /// The server: `http://host:port`.
    pub(crate) origin: Option<&'a str>,
    /// Whether it sees the same paths as the client.
    pub(crate) same_paths: bool,
}

// === impl Inner ===

impl Inner<'_> {
    /// Whether values of fields are looked at.
    pub(super) fn looks_at(&self, status: u16) -> bool {
        status >= 300 && matches!(self.errors, Some(ErrorsPlan::Scrub | ErrorsPlan::Replace))
    }

    /// Writes a field, if it names no inner host. A place of the server itself is named by its path, if that is the client's as
    /// well.
    pub(super) fn write(&self, line: &Field<'_>, out: &mut impl Head) {
        const PLACES: [&[u8]; 2] = [b"location", b"content-location"];
        const CLOUD: &[u8] = b"x-amz-";
        let is_place = PLACES.iter().any(|name| line.name.eq_ignore_ascii_case(name));
        let path = self.origin.filter(|_| is_place).and_then(|origin| path_at(origin, line.value));
        let value = match path {
            None => line.value,
            Some(path) if self.same_paths && is_path(path) => path,
            Some(_) => return,
        };
        let is_of_cloud = line.name.get(..CLOUD.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(CLOUD));
        if !is_of_cloud && names_inner_host(value) == Ok(false) {
            out.field(line.name, value);
        }
    }
}

/// What follows the origin in an address at it; a default port may be left out.
fn path_at<'v>(origin: &str, value: &'v [u8]) -> Option<&'v [u8]> {
    let short = match origin.split_once("://") {
        Some(("https", _)) => origin.strip_suffix(":443"),
        _ => origin.strip_suffix(":80"),
    };
    [Some(origin), short].into_iter().flatten().find_map(|origin| {
        let (begin, path) = value.split_at_checked(origin.len())?;
        let ends = path.first().is_none_or(|byte| matches!(byte, b'/' | b'?' | b'#'));
        (ends && begin.eq_ignore_ascii_case(origin.as_bytes())).then_some(path)
    })
}

/// Whether it is a path, also for a browser: what begins with two slashes names another host.
fn is_path(path: &[u8]) -> bool {
    path.starts_with(b"/") && !path.get(1).is_some_and(|second| matches!(second, b'/' | b'\\' | b'\t'))
}

#[cfg(test)]
mod tests {
    use super::{Inner, path_at};
    use crate::head::{FieldMap, Head as _};
    use portcullis_config::plan::ErrorsPlan;
    use portcullis_h1::{Field, Known};

    const ORIGIN: &str = "http://10.0.0.5:8080";

    #[test]
    fn addresses_of_the_server_itself_are_known() {
        for (value, expected) in [
            ("http://10.0.0.5:8080/x?y=1", Some("/x?y=1")),
            ("HTTP://10.0.0.5:8080/", Some("/")),
            ("http://10.0.0.5:8080", Some("")),
            ("http://10.0.0.5:80801/x", None),
            ("http://10.0.0.5:8080@evil.example/x", None),
            ("https://10.0.0.5:8080/x", None),
            ("/x", None),
        ] {
            assert_eq!(path_at(ORIGIN, value.as_bytes()), expected.map(str::as_bytes), "{value}");
        }
        assert_eq!(path_at("http://up.example:80", b"http://up.example/x"), Some(&b"/x"[..]));
        assert_eq!(path_at("https://up.example:443", b"https://up.example/x"), Some(&b"/x"[..]));
        assert_eq!(path_at("https://up.example:80", b"https://up.example/x"), None);
    }

    fn shown(inner: Inner<'_>, name: &str, value: &str) -> Option<String> {
        let mut map = FieldMap::default();
        map.status(302);
        inner.write(&Field { known: Known::Other, name: name.as_bytes(), value: value.as_bytes() }, &mut map);
        let answer = map.into_answer().unwrap();
        answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn fields_that_name_inner_hosts_do_not_leave() {
        let inner = Inner { errors: Some(ErrorsPlan::Scrub), origin: Some(ORIGIN), same_paths: true };
        for (name, value, expected) in [
            ("location", "http://10.0.0.5:8080/x", Some("/x")),
            ("location", "http://10.0.0.5:8080//evil.example", None),
            ("location", "http://10.0.0.5:8080/\\evil.example", None),
            ("location", "http://10.0.0.5:8080", None),
            ("location", "http://10.0.0.6:8080/x", None),
            ("location", "http://10.0.0.5:8080/x?next=http://db.internal/", None),
            ("location", "https://shop.example.com/x", Some("https://shop.example.com/x")),
            ("location", "http://127.0.0.1:51004/callback", Some("http://127.0.0.1:51004/callback")),
            ("x-anything", "http://10.0.0.5:8080/x", None),
            ("x-amz-meta-of", "anything", None),
            ("set-cookie", "id=1; Domain=x.internal", None),
            ("set-cookie", "id=1; Path=/", Some("id=1; Path=/")),
        ] {
            assert_eq!(shown(inner, name, value).as_deref(), expected, "{name}: {value}");
        }
        let other_paths = Inner { origin: Some("http://up.example:80"), same_paths: false, ..inner };
        assert_eq!(shown(other_paths, "location", "http://up.example/x"), None);
        for (errors, status, expected) in [
            (Some(ErrorsPlan::Scrub), 200, false),
            (Some(ErrorsPlan::Scrub), 302, true),
            (Some(ErrorsPlan::Replace), 404, true),
            (Some(ErrorsPlan::Pass), 404, false),
            (None, 404, false),
        ] {
            assert_eq!(Inner { errors, ..Inner::default() }.looks_at(status), expected, "{errors:?} {status}");
        }
    }
}
