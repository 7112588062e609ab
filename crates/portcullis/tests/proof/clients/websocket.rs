//! WebSocket by a library on both sides: messages of every kind and size, pings, and the end.

use crate::house::{House, Setup};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

/// Repeats what it gets, until it is told to close.
pub(crate) fn echoing() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            std::thread::spawn(move || {
                stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
                let Ok(mut socket) = tungstenite::accept(stream) else { return };
                while let Ok(message) = socket.read() {
                    if (message.is_text() || message.is_binary()) && socket.send(message).is_err() {
                        return;
                    }
                }
            });
        }
    });
    address
}

pub(crate) fn connect(address: SocketAddr, origin: Option<&str>) -> Result<WebSocket<TcpStream>, String> {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let mut request =
        tungstenite::client::IntoClientRequest::into_client_request(format!("ws://{address}/chat")).unwrap();
    if let Some(origin) = origin {
        request.headers_mut().insert("origin", origin.parse().unwrap());
    }
    tungstenite::client(request, stream).map(|(socket, _)| socket).map_err(|error| error.to_string())
}

#[test]
fn a_websocket_library_talks_through_the_gateway() {
    let routes = "      - { path: /chat, methods: [GET], websocket: { origins: [\"https://page.test\"] } }\n";
    let house = House::start(Setup { routes, ..Setup::new("websocket", &[echoing()]) });
    let error = connect(house.plain, Some("https://elsewhere.test")).expect_err("not from that page");
    assert!(error.contains("403"), "{error}");
    drop(connect(house.plain, Some("https://page.test")).expect("from this page"));
    let mut socket = connect(house.plain, None).expect("from no page");
    for length in [0, 1, 125, 126, 65_535, 65_536, 1 << 20] {
        let text = Message::text("t".repeat(length));
        socket.send(text.clone()).unwrap();
        assert_eq!(socket.read().unwrap(), text, "{length} letters");
        let binary = Message::binary(vec![0x80; length]);
        socket.send(binary.clone()).unwrap();
        assert_eq!(socket.read().unwrap(), binary, "{length} octets");
    }
    socket.send(Message::Ping("alive".into())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Pong("alive".into()));
    let frame = CloseFrame { code: CloseCode::Normal, reason: "done".into() };
    socket.close(Some(frame.clone())).unwrap();
    assert_eq!(socket.read().unwrap(), Message::Close(Some(frame)), "the end comes back as it was sent");
    house.wait_metric("portcullis_connections", 0.0);
    house.stop();
}
