//! The admin socket and the time that a load balancer gets: paths that no socket can have, folders that are not there.

use std::os::unix::ffi::OsStrExt as _;
use std::time::Duration;

use super::Check;
use crate::file::{File, defaults};
use crate::plan::AdminPlan;
use crate::scalar::Period;
use crate::tree::At;

/// LIMIT: bytes of a socket's path: what the system has room for, less the name under which it is made.
const MAX_SOCKET_PATH: usize = 80;
const MAX_GRACE: Period = Period::seconds(60 * 60);

impl Check<'_> {
    pub(super) fn admin(&mut self, file: &File, root: &At<'_>) -> AdminPlan {
        let Some(admin) = &file.admin else { return AdminPlan::default() };
        let section = root.key("admin");
        let at = section.key("socket");
        let path = self.locate(&at, &admin.socket);
        if path.as_os_str().as_bytes().len() > MAX_SOCKET_PATH {
            let message = format!("{} is too long for a socket", self.shown(&at, &admin.socket.0));
            let diagnostic = self.wrong(&at, "out-of-range", message);
            let diagnostic = diagnostic.help(format!("a socket's path has at most {MAX_SOCKET_PATH} bytes here"));
            self.reject(&at, diagnostic);
        }
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        if folder.is_some_and(|folder| !self.environment.is_folder(folder)) {
            let message = format!("the folder of {} does not exist", self.shown(&at, &admin.socket.0));
            let diagnostic = self.wrong(&at, "missing-folder", message).help("create it, or choose another");
            self.reject(&at, diagnostic);
        }
        AdminPlan { socket: Some(path) }
    }

    pub(super) fn grace(&mut self, file: &File, root: &At<'_>) -> Duration {
        let section = root.key("shutdown");
        let grace = file.shutdown.as_ref().and_then(|shutdown| shutdown.grace).unwrap_or(defaults::SHUTDOWN_GRACE);
        self.period(&section.key("grace"), grace, (Period::millis(0), MAX_GRACE))
    }
}
