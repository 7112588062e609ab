//! An identity provider that is not ours (`oidc-provider`, a process of its own), which rotates its keys, hangs and dies
//! when it is told to.

use crate::support::DEADLINE;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use portcullis_auth::jwt::SigningKey;
use portcullis_testkit::certificates::Authority;
use portcullis_testkit::scratch::Scratch;
use portcullis_testkit::{Answer, Client};
use rustls::ClientConfig;
use serde_json::json;
use std::cell::RefCell;
use std::io::{BufRead, BufReader, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::SystemTime;

/// The algorithms that it signs with.
pub(crate) const ALGORITHMS: [&str; 3] = ["RS256", "ES256", "EdDSA"];
/// The scope that every token has.
pub(crate) const SCOPE: &str = "orders:read";

/// A client of the provider, and what it proves itself with there.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registered {
    pub(crate) id: &'static str,
    pub(crate) secret: &'static str,
}

/// Gets plain bearer tokens.
pub(crate) const WEB: Registered = Registered { id: "web", secret: "5f0c7a1be2934d68a1c7f3" };
/// Gets tokens that are bound to its key.
pub(crate) const HOLDER: Registered = Registered { id: "holder", secret: "b54c0f9d13aa42e7f8d06e" };
/// Gets tokens that are bound to its certificate.
pub(crate) const MEMBER: Registered = Registered { id: "member", secret: "93c1e8b7f20d4a65b1c07d" };
/// The gateway, which asks about tokens.
pub(crate) const GATEWAY: Registered = Registered { id: "gateway", secret: "e7b1:%/d0954f2a8c+6e1b" };
/// The gateway by another name, with a key instead of a secret.
pub(crate) const KEYED: &str = "keyed";

/// The provider, running or dead.
pub(crate) struct Provider {
    scratch: Scratch,
    process: RefCell<Option<Process>>,
    pub(crate) address: SocketAddr,
    /// The same over TLS, where it asks for certificates.
    pub(crate) secure: SocketAddr,
    /// Vouches for it, and for whoever a test likes.
    pub(crate) authority: Authority,
}

struct Process {
    child: Child,
    commands: ChildStdin,
    said: Receiver<String>,
}

fn granted(answer: &Answer) -> String {
    let token = answer.json()["access_token"].as_str().map(str::to_owned);
    token.unwrap_or_else(|| panic!("no token: {}", answer.text()))
}

/// A proof that whoever sends this request holds the key (RFC 9449), together with a token once there is one.
pub(crate) fn proof(key: &SigningKey, method: &str, address: &str, token: Option<&str>) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let mut claims = json!({ "jti": format!("{now:?}"), "htm": method, "htu": address, "iat": now.as_secs() });
    if let Some(token) = token {
        claims["ath"] = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes())).into();
    }
    key.sign("dpop+jwt", claims.as_object().unwrap(), true).unwrap()
}

/// The key of a PEM file.
fn signing_key(file: &Path) -> SigningKey {
    let text = std::fs::read_to_string(file).expect("a file");
    let lines: String = text.lines().filter(|line| !line.starts_with('-')).collect();
    SigningKey::from_pkcs8(&STANDARD.decode(lines).expect("base64")).expect("a key")
}

/// The value of `Authorization` for a name and a password.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

// === impl Provider ===

impl Provider {
    pub(crate) fn start() -> Self {
        let (scratch, authority) = (Scratch::new(), Authority::new());
        let files = authority.leaf(&["127.0.0.1", "localhost"]);
        for (from, to) in [(files.cert_file, "tls.pem"), (files.key_file, "tls-key.pem")] {
            std::fs::copy(from, scratch.path().join(to)).expect("a copy");
        }
        // Its file is a private key like any other: the gateway proves itself with it.
        let key_file = authority.leaf(&["keyed"]).key_file;
        std::fs::copy(&key_file, scratch.path().join("keyed.pem")).expect("a copy");
        let clients = json!([
            { "client_id": WEB.id, "client_secret": WEB.secret },
            { "client_id": HOLDER.id, "client_secret": HOLDER.secret, "dpop_bound_access_tokens": true },
            {
                "client_id": MEMBER.id, "client_secret": MEMBER.secret,
                "tls_client_certificate_bound_access_tokens": true,
            },
            { "client_id": GATEWAY.id, "client_secret": GATEWAY.secret },
            {
                "client_id": KEYED, "token_endpoint_auth_method": "private_key_jwt",
                "jwks": { "keys": [signing_key(&key_file).public_jwk()] },
            },
        ]);
        std::fs::write(scratch.path().join("clients.json"), clients.to_string()).expect("a file");
        let (process, [address, secure]) = Process::start(scratch.path(), [0, 0]);
        Self { scratch, process: RefCell::new(Some(process)), address, secure, authority }
    }

    /// The exact `iss` of its tokens.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.address)
    }

    /// A token for an audience; `form` is an algorithm, or `opaque`.
    pub(crate) fn token(&self, client: Registered, audience: &str, form: &str) -> String {
        granted(&self.grant(Client::connect(self.address), client, audience, form, ""))
    }

    fn grant(&self, connection: Client, client: Registered, audience: &str, form: &str, lines: &str) -> Answer {
        let body = format!(
            "grant_type=client_credentials&scope={SCOPE}&resource=https%3A%2F%2Fapi.test%2F{audience}%2F{form}"
        );
        self.post(connection, "/token", client, &body, lines)
    }

    fn post(&self, mut connection: Client, path: &str, client: Registered, body: &str, lines: &str) -> Answer {
        // RFC 6749 section 2.3.1: both are form-encoded first.
        let secret = client.secret.replace('%', "%25").replace(':', "%3A").replace('/', "%2F").replace('+', "%2B");
        let basic = basic(client.id, &secret);
        connection.ask(format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: {basic}\r\n{lines}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        ))
    }

    /// A token that is bound to the certificate that the connection shows.
    pub(crate) fn certified_token(&self, certified: &Arc<ClientConfig>, form: &str) -> String {
        let connection = Client::tls(self.secure, certified, "localhost").expect("a handshake");
        granted(&self.grant(connection, MEMBER, "orders", form, ""))
    }

    /// A token that is bound to a key.
    pub(crate) fn bound_token(&self, key: &SigningKey, form: &str) -> String {
        let proof = proof(key, "POST", &format!("{}/token", self.issuer()), None);
        let lines = format!("DPoP: {proof}\r\n");
        granted(&self.grant(Client::connect(self.address), HOLDER, "orders", form, &lines))
    }

    /// Takes a token back.
    pub(crate) fn revoke(&self, client: Registered, token: &str) {
        let answer =
            self.post(Client::connect(self.address), "/token/revocation", client, &format!("token={token}"), "");
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// The private key that [`KEYED`] proves itself with.
    pub(crate) fn key_file(&self) -> PathBuf {
        self.scratch.path().join("keyed.pem")
    }

    /// A file with the secret of [`GATEWAY`].
    pub(crate) fn secret_file(&self) -> PathBuf {
        self.scratch.file("gateway-secret", GATEWAY.secret)
    }

    /// One token of each algorithm.
    pub(crate) fn tokens(&self) -> Vec<String> {
        ALGORITHMS.iter().map(|algorithm| self.token(WEB, "orders", algorithm)).collect()
    }

    /// Publishes keys that do not sign yet.
    pub(crate) fn announce(&self) {
        self.say("announce");
    }

    /// Signs with other keys; those before stay published until the next time.
    pub(crate) fn rotate(&self) {
        self.say("rotate");
    }

    /// Publishes no key any more but those that sign.
    pub(crate) fn retire(&self) {
        self.say("retire");
    }

    fn say(&self, command: &str) {
        let mut process = self.process.borrow_mut();
        let process = process.as_mut().expect("it runs");
        writeln!(process.commands, "{command}").expect("it listens");
        process.hear(command);
    }

    /// Without a farewell.
    pub(crate) fn kill(&self) {
        drop(self.process.borrow_mut().take());
    }

    /// Starts again where it was, with the keys it had.
    pub(crate) fn revive(&self) {
        let ports = [self.address.port(), self.secure.port()];
        let (process, addresses) = Process::start(self.scratch.path(), ports);
        assert_eq!(addresses, [self.address, self.secure]);
        *self.process.borrow_mut() = Some(process);
    }
}

// === impl Process ===

impl Process {
    fn start(folder: &Path, ports: [u16; 2]) -> (Self, [SocketAddr; 2]) {
        let packages = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("npm").join("oidc-provider");
        assert!(packages.is_dir(), "{} is missing; `cargo xtask test needs` brings it", packages.display());
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/provider/provider.mjs");
        let mut node = Command::new("node");
        node.arg("--no-warnings").arg(program).arg(packages).arg(folder).args(ports.map(|port| port.to_string()));
        node.stdin(Stdio::piped()).stdout(Stdio::piped());
        let child = node.spawn();
        let mut child = child.unwrap_or_else(|why| panic!("node: {why}; `cargo xtask test needs` installs it"));
        let (commands, output) = (child.stdin.take().expect("a pipe"), child.stdout.take().expect("a pipe"));
        let (sender, said) = sync_channel(100);
        std::thread::spawn(move || {
            let lines = BufReader::new(output).lines().map_while(Result::ok);
            lines.take_while(|line| sender.send(line.clone()).is_ok()).for_each(drop);
        });
        let process = Self { child, commands, said };
        let ready = process.hear("ready");
        let mut ports = ready.split(' ').skip(1).map(|port| port.parse::<u16>().expect("a port"));
        let addresses = [ports.next(), ports.next()].map(|port| SocketAddr::from(([127, 0, 0, 1], port.expect("two"))));
        (process, addresses)
    }

    /// The next line that begins so.
    fn hear(&self, with: &str) -> String {
        loop {
            let line = self.said.recv_timeout(DEADLINE);
            let line = line.unwrap_or_else(|why| panic!("the provider does not say `{with}`: {why}"));
            if line.starts_with(with) {
                return line;
            }
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
