//! Where commands and people reach the running gateway, and the time that a load balancer gets: paths that no socket can have,
//! passwords that others could read on their way, hashes that could be guessed from.

use std::net::SocketAddr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcullis_auth::password::PasswordHash;

use super::Check;
use super::listeners::collide;
use crate::diagnostic::Diagnostic;
use crate::file::{self, Admin, AdminSession, File, defaults};
use crate::plan::{AdminPlan, ConsolePlan, ListenerPlan, PortalPlan, Role, StatusPlan, UserPlan};
use crate::scalar::{FileName, Period};
use crate::tree::At;

/// LIMIT: bytes of a socket's path: what the system has room for, less the name under which it is made.
const MAX_SOCKET_PATH: usize = 80;
/// LIMIT: people who may come in.
const MAX_USERS: usize = 1_000;
const MAX_GRACE: Period = Period::seconds(60 * 60);
const LEAST_SESSION: Period = Period::seconds(1);
const MAX_SESSION: Period = Period::seconds(7 * 24 * 60 * 60);

impl Check<'_> {
    pub(super) fn admin(
        &mut self,
        file: &File,
        root: &At<'_>,
        taken: (&[ListenerPlan], &StatusPlan, Option<&PortalPlan>),
    ) -> AdminPlan {
        let Some(admin) = &file.admin else { return AdminPlan::default() };
        let section = root.key("admin");
        let socket = admin.socket.as_ref().map(|socket| self.admin_socket(socket, &section.key("socket")));
        let console = admin.bind.map(|bind| self.console(admin, bind.0, &section, taken));
        let names = ["socket", "bind"];
        if socket.is_none() && console.is_none() && !names.iter().any(|name| section.key(name).is_tainted()) {
            let diagnostic = Diagnostic::new("no-effect", section.name_span(), "nobody can reach anything here");
            self.reject(
                &section,
                diagnostic.help(
                    "add `socket: admin.sock` for commands, or `bind: \"127.0.0.1:9903\"` and `users` for people",
                ),
            );
        } else if console.is_none() && !section.key("bind").is_tainted() {
            for (name, is_there) in [
                ("tls", admin.tls.is_some()),
                ("address", admin.address.is_some()),
                ("users", admin.users.is_some()),
                ("session", admin.session.is_some()),
            ] {
                let at = section.key(name);
                if is_there {
                    let message = format!("`{name}` has no effect without `bind`");
                    let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                    self.reject(&at, diagnostic.help("add `bind: \"127.0.0.1:9903\"`, or remove it"));
                }
            }
        }
        AdminPlan { socket, console }
    }

    fn admin_socket(&mut self, socket: &FileName, at: &At<'_>) -> PathBuf {
        let path = self.locate(at, socket);
        if path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
            let message = format!("{} is too long for a socket", self.shown(at, &socket.0));
            let diagnostic = self.wrong(at, "out-of-range", message);
            let diagnostic = diagnostic.help(format!("a socket's path has at most {MAX_SOCKET_PATH} bytes here"));
            self.reject(at, diagnostic);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !self.environment.is_folder(folder)) {
            let message = format!("the folder of {} does not exist", self.shown(at, &socket.0));
            let diagnostic = self.wrong(at, "missing-folder", message).help("create it, or choose another");
            self.reject(at, diagnostic);
        }
        path
    }

    fn console(
        &mut self,
        admin: &Admin,
        bind: SocketAddr,
        section: &At<'_>,
        (listeners, status, portal): (&[ListenerPlan], &StatusPlan, Option<&PortalPlan>),
    ) -> ConsolePlan {
        let at = section.key("bind");
        let tls = admin.tls.as_ref().map(|tls| self.tls(tls, &section.key("tls")));
        if tls.is_none() && !bind.ip().is_loopback() && !section.key("tls").is_tainted() {
            let message = format!("passwords sent to {} can be read on their way", self.shown(&at, &bind.to_string()));
            let help =
                "add `tls: { certificates: [{ cert_file: tls.crt, key_file: tls.key }] }`, or bind to `127.0.0.1`";
            let diagnostic = self.wrong(&at, "plaintext", message).help(help);
            self.reject(&at, diagnostic);
        }
        let names = listeners.iter().map(|listener| (format!("listener `{}`", listener.name), listener.bind));
        let portal = portal.map(|portal| ("the portal".to_owned(), portal.bind));
        let mut all = names.chain([("the status address".to_owned(), status.bind)]).chain(portal);
        if let Some((name, _)) = all.find(|(_, taken)| collide(*taken, bind)) {
            let diagnostic = self.wrong(&at, "bind-collision", format!("the console and {name} collide"));
            self.reject(&at, diagnostic.help("give one of them another port"));
        }
        let address = admin.address.as_ref().and_then(|address| self.home(&section.key("address"), address));
        let (idle, lifetime) = self.session(admin.session.as_ref(), &section.key("session"));
        let users = self.users(admin, section);
        ConsolePlan { bind, tls, address, users, idle, lifetime }
    }

    /// How long somebody stays without doing anything, and whatever he does.
    pub(super) fn session(&mut self, written: Option<&AdminSession>, session: &At<'_>) -> (Duration, Duration) {
        let lifetime = written.and_then(|session| session.lifetime).unwrap_or(defaults::SESSION_LIFETIME);
        let lifetime = self.period(&session.key("lifetime"), lifetime, (LEAST_SESSION, MAX_SESSION));
        let idle = written.and_then(|session| session.idle);
        let idle_at = session.key("idle");
        let wanted = self.period(&idle_at, idle.unwrap_or(defaults::SESSION_IDLE), (LEAST_SESSION, MAX_SESSION));
        if idle.is_some() && wanted > lifetime {
            let diagnostic = self.wrong(&idle_at, "contradiction", "a session ends before it can be idle for so long");
            self.reject(&idle_at, diagnostic.help("make it shorter than `lifetime`"));
        }
        (wanted.min(lifetime), lifetime)
    }

    fn users(&mut self, admin: &Admin, section: &At<'_>) -> Vec<UserPlan> {
        let list = section.key("users");
        let written = admin.users.iter().flatten();
        if admin.users.as_ref().is_none_or(indexmap::IndexMap::is_empty) && !list.is_tainted() {
            let place = if admin.users.is_some() { list } else { section.key("bind") };
            let diagnostic = self.wrong(&place, "nobody", "nobody may come in");
            let help = "add `users: { ada: { role: admin, password: { env: ADA_PASSWORD } } }`, where the value is what `portcullis admin password` makes";
            self.reject(&place, diagnostic.help(help));
        }
        if admin.users.as_ref().is_some_and(|users| users.len() > MAX_USERS) {
            let diagnostic = self.wrong(&list, "out-of-range", format!("there are more than {MAX_USERS} users"));
            self.reject(&list, diagnostic.help("let some of them share a name"));
        }
        let mut users = Vec::new();
        for (name, user) in written {
            let named = list.key(name);
            self.name(&named, name, "a user");
            let at = named.key("password");
            let role = match user.role {
                file::Role::Viewer => Role::Viewer,
                file::Role::Operator => Role::Operator,
                file::Role::Admin => Role::Admin,
            };
            match PasswordHash::read(&user.password.0) {
                Ok(password) => users.push(UserPlan { name: Arc::from(name.as_str()), password, role }),
                Err(error) => {
                    // The text may be the password itself.
                    let diagnostic = self.wrong(&at, "bad-password", format!("this does not count: {error}"));
                    self.reject(&at, diagnostic.help("write what `portcullis admin password` makes of a password"));
                }
            }
        }
        users
    }

    pub(super) fn grace(&mut self, file: &File, root: &At<'_>) -> Duration {
        let section = root.key("shutdown");
        let grace = file.shutdown.as_ref().and_then(|shutdown| shutdown.grace).unwrap_or(defaults::SHUTDOWN_GRACE);
        self.period(&section.key("grace"), grace, (Period::millis(0), MAX_GRACE))
    }
}
