//! HTTP/1 messages, strictly, without sockets.
