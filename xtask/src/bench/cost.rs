//! What a request costs a server in CPU time, and whether it did the work.

use super::load::{LogTail, Seen};
use super::peers::Subject;

/// Microseconds a request, and requests a second. The server has to have logged as many lines with `line` in them as there
/// were requests, give or take those that were under way when the time was up.
pub(super) fn cpu_per_request_us(
    subject: &Subject,
    line: &'static str,
    under_way: u32,
    load: impl FnOnce() -> Result<Seen, String>,
) -> Result<(f64, f64), String> {
    let mut log = subject.access_log.as_deref().map(|path| LogTail::of(path, line));
    let before = subject.server.cpu_us();
    let seen = load()?;
    // The log is waited for before the clock is read: lines written late are paid for as well.
    if let Some(lines) = log.as_mut().map(LogTail::new_lines) {
        // The requests that are under way when the time is up are dropped; the server may have answered them.
        if lines < seen.requests || lines > seen.requests + under_way {
            return Err(format!("{} logged {lines} of {} requests", subject.name, seen.requests));
        }
    }
    let spent = subject.server.cpu_us() - before;
    Ok((spent / f64::from(seen.requests), seen.per_second))
}
