//! Rows of multipart bodies and their strictness.

use super::*;

fn values(body: &str) -> (Result<(), Unread>, Vec<String>) {
    let mut store = Store::default();
    let outcome = read(body.as_bytes(), b"multipart/form-data; boundary=x", 8, &mut store);
    let text = |span| String::from_utf8_lossy(store.bytes(span)).into_owned();
    let mut out = Vec::new();
    for (list, label) in [(List::ArgsPost, "arg"), (List::Files, "file"), (List::PartHeaders, "head")] {
        out.extend(store.list(list).iter().map(|e| format!("{label} {}={}", text(e.name), text(e.value))));
    }
    let flags = store.list(List::MultipartFlags).iter().zip(MULTIPART_FLAGS);
    out.extend(flags.filter(|(e, _)| store.bytes(e.value) == b"1").map(|(_, name)| name.to_owned()));
    (outcome, out)
}

#[test]
fn fields_and_files() {
    let body = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n2\r\n--x\r\n\
        Content-Disposition: form-data; name=\"f\"; filename=\"q\\\"r.txt\"\r\nContent-Type: text/plain\r\n\r\ndata\r\n--x--\r\n";
    let (outcome, values) = values(body);
    outcome.unwrap();
    assert_eq!(
        values,
        [
            "arg a=1\r\n2",
            "file f=q\"r.txt",
            "head a=Content-Disposition: form-data; name=\"a\"",
            "head f=Content-Disposition: form-data; name=\"f\"; filename=\"q\\\"r.txt\"",
            "head f=Content-Type: text/plain",
        ]
    );
}

#[test]
fn flags_and_errors() {
    let (outcome, flagged) = values("pre\r\n--x\nContent-Disposition: form-data; name='a'\n\n1\r\n--x--\r\npost");
    assert_eq!(outcome, Ok(()));
    assert!(flagged.contains(&"MULTIPART_LF_LINE".to_owned()), "{flagged:?}");
    assert!(flagged.contains(&"MULTIPART_DATA_BEFORE".to_owned()), "{flagged:?}");
    assert!(flagged.contains(&"MULTIPART_DATA_AFTER".to_owned()), "{flagged:?}");
    assert!(flagged.contains(&"MULTIPART_INVALID_QUOTING".to_owned()), "{flagged:?}");
    assert!(values("--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1").0.is_err());
    assert!(values("").0.is_err());
    assert!(values("--x\r\nA: b\r\n\r\n1\r\n--x--").0.is_err());
}
