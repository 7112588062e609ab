//! Answers of every framing, whole and in parts.

use super::Answer;

#[test]
fn an_answer_is_read_when_it_is_whole() {
    for (bytes, ended, expected) in [
        ("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhiHTTP", false, Some((200, "hi", 40))),
        ("HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nhi", false, None),
        ("HTTP/1.1 200 OK\r\nContent-Len", false, None),
        ("HTTP/1.1 204 No Content\r\n\r\n", false, Some((204, "", 27))),
        ("HTTP/1.1 200 OK\r\n\r\nrest", false, None),
        ("HTTP/1.1 200 OK\r\n\r\nrest", true, Some((200, "rest", 23))),
        (
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
            false,
            Some((200, "hi!", 65)),
        ),
        ("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhi\r\n", false, None),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false, Some((200, "", 63))),
    ] {
        let read = Answer::read(bytes.as_bytes(), ended).unwrap();
        let brief = read.as_ref().map(|(answer, length)| (answer.status, answer.body.as_str(), *length));
        assert_eq!(brief, expected, "{bytes:?}");
    }
}
