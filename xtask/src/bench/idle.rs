//! What connections cost that do nothing: each has had one answer and waits.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use super::process::Server;
use crate::command::program;

/// Opened and closed before the first reading, so that pools and tables that live longer than a connection are there.
const WARM_UP: u32 = 100;

/// Kilobytes of resident memory for each of so many idle connections; with a certificate they speak TLS. `check` is made
/// while all are open.
pub(super) fn kb_per_connection(
    server: &Server,
    port: u16,
    certificate: Option<&Path>,
    count: u32,
    check: impl Fn() -> Result<(), String>,
) -> Result<f64, String> {
    hold(WARM_UP, port, certificate, || Ok(0.0))?;
    let before = server.resident_kb();
    let reading = || {
        let during = server.resident_kb();
        check().map(|()| during)
    };
    let during = hold(count, port, certificate, reading)?;
    Ok((during - before) / f64::from(count))
}

/// Takes a reading while so many connections are open. They are opened by Python because it comes with TLS.
fn hold(
    count: u32,
    port: u16,
    certificate: Option<&Path>,
    reading: impl Fn() -> Result<f64, String>,
) -> Result<f64, String> {
    let mut python = program("python3");
    python.args(["-c", include_str!("idle.py"), &count.to_string(), &port.to_string()]).args(certificate);
    python.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = python.spawn().map_err(|error| format!("cannot start python3: {error}"))?;
    let mut said = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut said).map_err(|error| format!("python3: {error}"))?;
    }
    // Session tickets and the like may still be on their way.
    std::thread::sleep(Duration::from_millis(500));
    let value = reading();
    drop(child.stdin.take());
    let status = child.wait().map_err(|error| format!("python3: {error}"))?;
    let good = status.success() && said.trim() == "open";
    if good { value } else { Err(format!("{count} idle connections to port {port} could not be opened")) }
}
