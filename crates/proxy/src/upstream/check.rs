//! Active checks: one thread with its own runtime asks every target of every upstream that wants it, and looks names up,
//! so that no worker has to. A check ends with its target or with the gateway.

use super::fleet::Server;
use super::{names, slow};
use crate::carry::socket::Socket;
use crate::gateway::Shared;
use crate::snapshot::Upstream;
use bytes::Bytes;
use http::Request;
use portcullis_config::plan::{HealthPlan, Probe};
use portcullis_types::Fault;
use std::collections::HashMap;
use std::future::poll_fn;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, LocalSet};
use tokio_rustls::TlsConnector;

/// How often the thread looks for a new configuration.
const LOOK_EVERY: Duration = Duration::from_millis(100);
/// LIMIT: bytes of an answer that are read for its status.
const ANSWER_BYTES_MAX: usize = 1024;

/// The one method of the health protocol of gRPC that answers at once.
const GRPC_PATH: &str = "/grpc.health.v1.Health/Check";

/// LIMIT: look-ups of names at once; each needs a thread for as long as it takes.
const LOOK_UPS_MAX: usize = 16;

/// Starts the thread.
///
/// # Errors
/// A thread or a runtime that the system does not grant.
pub(crate) fn start(shared: &Arc<Shared>) -> io::Result<()> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(LOOK_UPS_MAX).build()?;
    let shared = Arc::clone(shared);
    std::thread::Builder::new().name("checks".to_owned()).spawn(move || {
        LocalSet::new().block_on(&runtime, watch(&shared));
        // A look-up of a name may hang in the system.
        runtime.shutdown_background();
    })?;
    Ok(())
}

type Tasks = HashMap<(Arc<str>, String, Task), JoinHandle<()>>;

/// What is done for a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Task {
    Check,
    Name,
}

async fn watch(shared: &Arc<Shared>) {
    let mut tasks = Tasks::new();
    let (mut seen, mut compare_at) = (0, 0);
    while !shared.is_draining() {
        let generation = shared.generation.load(Ordering::Acquire);
        if generation != seen {
            seen = generation;
            renew(shared, &mut tasks);
        }
        if shared.clock.millis() >= compare_at {
            slow::leave_out(shared);
            compare_at = shared.clock.millis().saturating_add(slow::EVERY_MS);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Ends what is done for those that are gone and starts it for the new.
fn renew(shared: &Arc<Shared>, tasks: &mut Tasks) {
    let snapshot = shared.snapshot.load_full();
    let mut wanted = Vec::new();
    for upstream in &snapshot.upstreams {
        let crew = shared.fleet.crew(&upstream.plan.name);
        for target in &upstream.plan.targets {
            let address = format!("{}:{}:{}", target.tls, target.host, target.port);
            let key = |task| (Arc::clone(&upstream.plan.name), address.clone(), task);
            if upstream.plan.pool.health.is_some() {
                wanted.push((key(Task::Check), crew.server(target)));
            }
            if target.host.parse::<IpAddr>().is_err() {
                wanted.push((key(Task::Name), crew.server(target)));
            }
        }
    }
    tasks.retain(|key, task| {
        let stays = wanted.iter().any(|(have, _)| have == key);
        if !stays {
            task.abort();
        }
        stays
    });
    for (key, server) in wanted {
        let name = Arc::clone(&key.0);
        let task = key.2;
        tasks.entry(key).or_insert_with(|| match task {
            Task::Check => tokio::task::spawn_local(check(Arc::clone(shared), name, server)),
            Task::Name => tokio::task::spawn_local(names::keep(Arc::clone(shared), name, server)),
        });
    }
}

/// Asks one server again and again, by the rules in force.
async fn check(shared: Arc<Shared>, name: Arc<str>, server: Arc<Server>) {
    loop {
        let snapshot = shared.snapshot.load_full();
        let upstream = snapshot.upstreams.iter().find(|upstream| upstream.plan.name == name);
        let Some((upstream, plan)) = upstream.and_then(|one| Some((one, one.plan.pool.health.as_ref()?))) else {
            return;
        };
        // A name whose first look-up is under way says nothing about its server, and is waited for.
        let addresses = names::of(&server).await;
        let asked = tokio::time::timeout(plan.timeout, ask_any(&server, &addresses, upstream, plan)).await;
        let outcome = asked.unwrap_or_else(|_| Err(format!("no answer within {:?}", plan.timeout)));
        if let Err(why) = &outcome {
            server.note_failure(&format!("check: {why}"));
        }
        server.endpoint.check(outcome.is_ok(), (plan.rise, plan.fall), shared.clock.millis());
        let interval = plan.interval;
        drop(snapshot);
        tokio::time::sleep(interval).await;
    }
}

/// Asks at one address after the other, as requests try them: a server is up where one of its addresses is.
async fn ask_any(
    server: &Server,
    addresses: &Result<Vec<SocketAddr>, Fault>,
    upstream: &Upstream,
    plan: &HealthPlan,
) -> Result<(), String> {
    let addresses = addresses.as_ref().map_err(|fault| fault.source.clone())?;
    let each = plan.timeout / u32::try_from(addresses.len()).unwrap_or(1).max(1);
    let mut last = Err("its name is not known".to_owned());
    for address in addresses {
        let asked = tokio::time::timeout(each, ask(server, *address, upstream, plan)).await;
        last = asked.unwrap_or_else(|_| Err(format!("no answer within {each:?}")));
        if last.is_ok() {
            break;
        }
    }
    last
}

async fn ask(server: &Server, address: SocketAddr, upstream: &Upstream, plan: &HealthPlan) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let target = &server.plan;
    let stream = TcpStream::connect(address).await.map_err(text)?;
    let mut socket = match &upstream.tls {
        Some(tls) if target.tls => {
            let name = tls.server_name(&target.host).map_err(|error| error.to_string())?;
            let connecting = TlsConnector::from(tls.config()).connect(name, stream);
            Socket::TlsClient(Box::new(connecting.await.map_err(text)?))
        }
        Some(_) | None => Socket::Plain(stream),
    };
    let host = if target.host.contains(':') { format!("[{}]", target.host) } else { target.host.clone() };
    let path = match &plan.probe {
        Probe::Tcp => return Ok(()),
        Probe::Grpc(service) => {
            let scheme = if target.tls { "https" } else { "http" };
            return serving(socket, format!("{scheme}://{host}:{}{GRPC_PATH}", target.port), service).await;
        }
        Probe::Http(path) => path,
    };
    let question = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}:{}\r\nuser-agent: portcullis-check\r\nconnection: close\r\n\r\n",
        target.port
    );
    let mut left = question.as_bytes();
    while !left.is_empty() {
        let count = poll_fn(|context| socket.poll_write(context, left)).await.map_err(text)?;
        left = left.get(count..).filter(|_| count > 0).ok_or("the server takes no bytes")?;
    }
    poll_fn(|context| socket.poll_flush(context)).await.map_err(text)?;
    status(&mut socket).await
}

/// Reads as far as the status.
async fn status(socket: &mut Socket) -> Result<(), String> {
    let mut answer = Vec::with_capacity(ANSWER_BYTES_MAX);
    let mut room = [0; ANSWER_BYTES_MAX];
    loop {
        let count = poll_fn(|context| socket.poll_read(context, &mut room)).await.map_err(|error| error.to_string())?;
        answer.extend_from_slice(room.get(..count).unwrap_or_default());
        if let Some(line) = answer.split_inclusive(|byte| *byte == b'\n').next().filter(|line| line.ends_with(b"\n")) {
            let code = line.strip_prefix(b"HTTP/1.1 ").or_else(|| line.strip_prefix(b"HTTP/1.0 "));
            let code = code.and_then(|rest| rest.get(..3)).and_then(|code| std::str::from_utf8(code).ok());
            return match code.and_then(|code| code.parse::<u16>().ok()) {
                Some(200..=299) => Ok(()),
                Some(status) => Err(format!("status {status}")),
                None => Err("what came back is no HTTP".to_owned()),
            };
        }
        if count == 0 || answer.len() >= ANSWER_BYTES_MAX {
            return Err("what came back is no HTTP".to_owned());
        }
    }
}

/// Asks by the health protocol of gRPC whether a service is served.
async fn serving(socket: Socket, uri: String, service: &str) -> Result<(), String> {
    let text = |error: h2::Error| error.to_string();
    let (send, connection) = h2::client::Builder::new()
        .enable_push(false)
        .max_header_list_size(16 * 1024)
        .handshake::<_, Bytes>(socket)
        .await
        .map_err(text)?;
    let _driven = Driven(tokio::task::spawn_local(async move { drop(connection.await) }));
    called(send, uri, service).await
}

/// A connection that ends with its check, even one that is given up.
struct Driven(JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn called(send: h2::client::SendRequest<Bytes>, uri: String, service: &str) -> Result<(), String> {
    let text = |error: h2::Error| error.to_string();
    let request = Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    let request = request.body(()).map_err(|error| error.to_string())?;
    let mut send = send.ready().await.map_err(text)?;
    let (answer, mut body) = send.send_request(request, false).map_err(text)?;
    body.send_data(question(service).into(), true).map_err(text)?;
    let (head, mut body) = answer.await.map_err(text)?.into_parts();
    if head.status != 200 {
        return Err(format!("status {}", head.status.as_u16()));
    }
    let mut message = Vec::new();
    while let Some(data) = body.data().await {
        let data = data.map_err(text)?;
        body.flow_control().release_capacity(data.len()).map_err(text)?;
        message.extend_from_slice(&data);
        if message.len() > ANSWER_BYTES_MAX {
            return Err("the answer is too long".to_owned());
        }
    }
    // A message of one field: 1, a number, 1 (`SERVING`).
    match message.as_slice() {
        [0, 0, 0, 0, 2, 8, 1] => Ok(()),
        _ => Err("it does not serve".to_owned()),
    }
}

/// `HealthCheckRequest` in its frame: field 1 is the service's name, left out if it is empty.
fn question(service: &str) -> Vec<u8> {
    let mut message = Vec::with_capacity(service.len() + 4);
    if !service.is_empty() {
        message.push(0x0a);
        let mut length = service.len();
        while length >= 0x80 {
            message.push(u8::try_from(length & 0x7f).unwrap_or(0) | 0x80);
            length >>= 7;
        }
        message.push(u8::try_from(length).unwrap_or(0));
        message.extend_from_slice(service.as_bytes());
    }
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    [&[0], length.to_be_bytes().as_slice(), &message].concat()
}
