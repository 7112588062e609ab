//! The two that a benchmark compares, nginx and the gateway, and the upstream behind both; all on loopback, on free ports.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

use super::process::{Server, wait_for};
use crate::command::{program, read, target_folder};

/// A folder for the files of one run, removed with all it holds.
#[derive(Debug)]
pub(super) struct Workplace {
    folder: PathBuf,
}

/// One of the two that are compared.
#[derive(Debug)]
pub(super) struct Subject {
    pub(super) name: &'static str,
    pub(super) plain_port: u16,
    pub(super) tls_port: u16,
    /// HTTP/2 in the clear, by prior knowledge.
    pub(super) http2_port: u16,
    /// Where it tells its metrics, if it does.
    pub(super) status_port: Option<u16>,
    pub(super) server: Server,
    /// Where it writes a line per request.
    pub(super) access_log: Option<PathBuf>,
}

/// What stands behind both.
#[derive(Debug)]
pub(super) struct Upstream {
    port: u16,
    pub(super) body: String,
    _server: Server,
}

impl Workplace {
    /// Makes the folder and, in it, the certificate that both show: ECDSA with P-256.
    pub(super) fn new() -> Result<Workplace, String> {
        let folder = std::env::temp_dir().join(format!("portcullis-bench-{}", std::process::id()));
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let place = Workplace { folder };
        let mut openssl = program("openssl");
        openssl.args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]);
        openssl.args(["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-days", "2"]);
        openssl.arg("-keyout").arg(place.file("tls.key")).arg("-out").arg(place.file("tls.crt"));
        read(&mut openssl)?;
        Ok(place)
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn write(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.file(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.folder));
    }
}

/// An nginx that answers every request with the same 330 bytes of JSON.
pub(super) fn upstream(place: &Workplace) -> Result<Upstream, String> {
    let note = "x".repeat(220);
    let body = format!(
        "{{\"id\":1,\"name\":\"Ada\",\"email\":\"ada@example.com\",\"ssn\":\"123-45-6789\",\"items\":[1,2,3,4,5,6,7,8,9,10],\"note\":\"{note}\"}}"
    );
    upstream_saying(place, "upstream", &body)
}

/// An nginx that answers every request with the same JSON.
pub(super) fn upstream_saying(place: &Workplace, name: &str, body: &str) -> Result<Upstream, String> {
    let (port, body) = (free_port()?, body.to_owned());
    let server = format!("location / {{ default_type application/json; return 200 '{body}'; }}");
    let http = format!("access_log off; server {{ listen 127.0.0.1:{port}; {server} }}");
    Ok(Upstream { port, body, _server: nginx_server(place, name, &http, &[port])? })
}

/// nginx as a bare proxy, keep-alive both ways, without a log: the least that can be compared with.
pub(super) fn nginx(place: &Workplace, upstream: &Upstream) -> Result<Subject, String> {
    nginx_proxy(place, upstream, "nginx", None)
}

/// nginx with a log in the place of the gateway, to see that the runner itself is fair: every ratio should be about 1.
pub(super) fn stand_in(place: &Workplace, upstream: &Upstream) -> Result<Subject, String> {
    nginx_proxy(place, upstream, "stand-in", Some(place.file("stand-in.access")))
}

fn nginx_proxy(
    place: &Workplace,
    upstream: &Upstream,
    name: &'static str,
    access_log: Option<PathBuf>,
) -> Result<Subject, String> {
    let (plain_port, tls_port, http2_port) = (free_port()?, free_port()?, free_port()?);
    let log = access_log.as_ref().map_or_else(|| "off".to_owned(), |path| path.display().to_string());
    let (certificate, key) = (place.file("tls.crt"), place.file("tls.key"));
    let http = format!(
        "access_log {log};
         upstream u {{ server 127.0.0.1:{}; keepalive 256; keepalive_requests 100000000; }}
         server {{
           listen 127.0.0.1:{plain_port};
           listen 127.0.0.1:{tls_port} ssl;
           listen 127.0.0.1:{http2_port} http2;
           ssl_certificate {}; ssl_certificate_key {}; ssl_protocols TLSv1.2 TLSv1.3;
           location / {{ proxy_pass http://u; proxy_http_version 1.1; proxy_set_header Connection \"\"; }}
         }}",
        upstream.port,
        certificate.display(),
        key.display()
    );
    let server = nginx_server(place, name, &http, &[plain_port, tls_port, http2_port])?;
    Ok(Subject { name, plain_port, tls_port, http2_port, status_port: None, server, access_log })
}

fn nginx_server(place: &Workplace, name: &str, http: &str, ports: &[u16]) -> Result<Server, String> {
    let (pid, errors) = (place.file(&format!("{name}.pid")), place.file(&format!("{name}.errors")));
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {};", place.file(&format!("{name}-{kind}")).display()));
    let text = format!(
        "worker_processes 1; daemon off; pid {}; error_log {};
         events {{ worker_connections 24000; }}
         http {{ {} keepalive_requests 100000000; keepalive_timeout 600; {http} }}\n",
        pid.display(),
        errors.display(),
        temporary.join(" ")
    );
    let path = place.write(&format!("{name}.conf"), &text)?;
    let nginx = crate::command::find("nginx").ok_or("nginx is missing")?;
    let words = [nginx.as_path(), Path::new("-e"), &errors, Path::new("-c"), &path].map(Path::to_string_lossy);
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    Server::start(&words, &place.file(&format!("{name}.out")), ports)
}

/// Our release binary with the configuration in `gateway.yaml`.
pub(super) fn gateway(place: &Workplace, upstream: &Upstream, binary: &Path) -> Result<Subject, String> {
    gateway_logging(place, upstream, binary, place.file("gateway.access"))
}

/// The same with its access log elsewhere.
pub(super) fn gateway_logging(
    place: &Workplace,
    upstream: &Upstream,
    binary: &Path,
    access_log: PathBuf,
) -> Result<Subject, String> {
    let tls_port = free_port()?;
    let more = [
        ("@TLS_PORT@", tls_port.to_string()),
        ("@CERTIFICATE@", place.file("tls.crt").display().to_string()),
        ("@KEY@", place.file("tls.key").display().to_string()),
    ];
    let template = include_str!("gateway.yaml");
    let subject = gateway_with(place, upstream, binary, template, &more, access_log)?;
    wait_for(tls_port)?;
    Ok(Subject { tls_port, ..subject })
}

/// Our release binary with another configuration, whose names in `more` are filled in besides those that every one has.
pub(super) fn gateway_with(
    place: &Workplace,
    upstream: &Upstream,
    binary: &Path,
    template: &str,
    more: &[(&str, String)],
    access_log: PathBuf,
) -> Result<Subject, String> {
    let (port, status_port) = (free_port()?, free_port()?);
    let usual = [
        ("@PLAIN_PORT@", port.to_string()),
        ("@STATUS_PORT@", status_port.to_string()),
        ("@UPSTREAM_PORT@", upstream.port.to_string()),
        ("@ACCESS_LOG@", access_log.display().to_string()),
    ];
    let text = filled(template, usual.iter().chain(more));
    // A file for each: a gateway that is running would take the next one's for its own.
    let path = place.write(&format!("gateway-{port}.yaml"), &text)?;
    let (binary, path) = (binary.to_string_lossy(), path.to_string_lossy());
    let words = [binary.as_ref(), "run", "-c", path.as_ref()];
    let server = Server::start(&words, &place.file("gateway.out"), &[port, status_port])?;
    Ok(Subject {
        name: "portcullis",
        plain_port: port,
        tls_port: port,
        http2_port: port,
        status_port: Some(status_port),
        server,
        access_log: Some(access_log),
    })
}

/// Envoy, one worker, with the configuration in `envoy.yaml`.
pub(super) fn envoy(place: &Workplace, upstream: &Upstream, jwks: &Path) -> Result<Subject, String> {
    let (port, access_log) = (free_port()?, place.file("envoy.access"));
    let values = [
        ("@PORT@", port.to_string()),
        ("@UPSTREAM_PORT@", upstream.port.to_string()),
        ("@ACCESS_LOG@", access_log.display().to_string()),
        ("@JWKS@", jwks.display().to_string()),
    ];
    let path = place.write("envoy.yaml", &filled(include_str!("envoy.yaml"), &values))?;
    let path = path.to_string_lossy();
    // What it logs is counted, and by default it would be up to ten seconds late.
    let flush = ["--file-flush-interval-msec", "200"];
    let words = ["envoy", "-c", &path, "--concurrency", "1", "--disable-hot-restart", "-l", "error"];
    let words: Vec<&str> = words.into_iter().chain(flush).collect();
    let server = Server::start(&words, &place.file("envoy.out"), &[port])?;
    let access_log = Some(access_log);
    Ok(Subject {
        name: "envoy",
        plain_port: port,
        tls_port: port,
        http2_port: port,
        status_port: None,
        server,
        access_log,
    })
}

fn filled<'v>(template: &str, values: impl IntoIterator<Item = &'v (&'v str, String)>) -> String {
    values.into_iter().fold(template.to_owned(), |text, (name, value)| text.replace(name, value))
}

/// Builds the gateway as it is shipped, and says where it lies.
pub(crate) fn build() -> Result<PathBuf, String> {
    // cargo tells its progress on standard error; standard output is for the figures.
    let mut cargo = program("cargo");
    let status = cargo.args(["build", "--profile", "dist", "--locked", "--package", "portcullis"]).status();
    if !status.is_ok_and(|status| status.success()) {
        return Err("the gateway does not build: `cargo build --profile dist --package portcullis` failed".to_owned());
    }
    target_folder().map(|target| target.join("dist/portcullis"))
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> Result<u16, String> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| format!("no free port: {error}"))?;
    listener.local_addr().map(|address| address.port()).map_err(|error| format!("no free port: {error}"))
}
