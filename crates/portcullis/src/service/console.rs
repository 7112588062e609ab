//! The console of a gateway that runs: where it is started, what it may ask of the process, what a reload changes about it.

use super::read;
use super::reload::details;
use super::signals::{Asked, Signals};
use super::succession;
use crate::command::audit_log_tail;
use crate::ending::Stop;
use portcullis_admin::ConsoleListener;
use portcullis_config::Loaded;
use portcullis_config::plan::{CertificateSource, Plan};
use portcullis_console::{Console, Order, Orders, Reloaded};
use portcullis_proxy::Handle;
use portcullis_types::Clock;
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

type Tls = Option<Arc<rustls::ServerConfig>>;

/// Puts what is asked of the process among the signals. What only reads is answered at once, where it was asked.
pub(super) fn orders(signals: &Signals, path: &Path, store: Option<&Path>) -> Orders {
    let teller = signals.teller();
    let (path, store) = (path.to_owned(), store.map(Path::to_owned));
    Arc::new(move |order| match order {
        Order::Look { answer } => {
            let found = read(&path).map(Box::new).map_err(|stop| Reloaded {
                done: false,
                text: stop.plain(),
                details: details(&stop),
            });
            // Whoever asked may have gone.
            drop(answer.send(found));
            true
        }
        Order::Recall { count, answer } => {
            // A log that cannot be read is found by `audit-log verify`; here there is nothing of it to show.
            let entries = store.as_deref().and_then(|store| audit_log_tail(store, count).ok());
            drop(answer.send(entries));
            true
        }
        Order::Reload { .. } | Order::Upgrade { .. } | Order::Drain { .. } | Order::Note { .. } => {
            teller.tell(Asked::Told(order))
        }
    })
}

/// Its listener, where the configuration has one.
pub(super) fn start(
    loaded: Arc<Loaded>,
    handle: Handle,
    orders: &Orders,
    given: Option<TcpListener>,
) -> Result<Option<ConsoleListener>, Stop> {
    let tls = tls(&loaded.plan)?;
    let Some(plan) = loaded.plan.admin.console.clone() else { return Ok(None) };
    let console = Console::new(handle, Arc::clone(orders), &plan, loaded, Clock::system());
    let console = console.ok_or_else(|| Stop::environment("the system has no randomness"))?;
    let listener = match succession::at(given, plan.bind) {
        Some(socket) => ConsoleListener::adopt(socket, tls, console),
        None => ConsoleListener::listen(plan.bind, tls, console),
    };
    listener.map(Some).map_err(|error| Stop::environment(error.to_string()))
}

/// What its connections are encrypted with.
pub(super) fn tls(plan: &Plan) -> Result<Tls, Stop> {
    let tls = plan.admin.console.as_ref().and_then(|console| console.tls.as_ref());
    tls.map(portcullis_proxy::tls_for_people).transpose().map_err(|error| Stop::Unfit(format!("admin.tls: {error}")))
}

/// Whether it can be encrypted as the plan says, without making certificates for that.
pub(super) fn check(plan: &Plan) -> Result<(), Stop> {
    let console = plan.admin.console.as_ref();
    let is_made =
        |tls: &portcullis_config::plan::TlsPlan| matches!(tls.certificates, CertificateSource::SelfSigned { .. });
    if console.and_then(|console| console.tls.as_ref()).is_some_and(is_made) { Ok(()) } else { tls(plan).map(drop) }
}

/// From now on it shows this configuration.
pub(super) fn take_over(listener: &ConsoleListener, tls: Tls, loaded: Loaded) {
    listener.show(tls);
    if let Some(plan) = loaded.plan.admin.console.clone() {
        listener.console().take_over(&plan, Arc::new(loaded));
    }
}
