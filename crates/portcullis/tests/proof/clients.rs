//! Clients that are not ours: curl, a gRPC library on both sides, a WebSocket library on both sides, a browser.

#[path = "clients/browser.rs"]
mod browser;
#[path = "clients/curl.rs"]
mod curl;
#[path = "clients/grpc.rs"]
mod grpc;
#[path = "clients/websocket.rs"]
pub(crate) mod websocket;
