//! The pages for developers, on a listener of their own: what was made of the policy in force, and what somebody who has signed in sees
//! and does.

#[cfg(test)]
mod tests;

use crate::console::reply;
use crate::server::{Peer, Server, ServerError};
use axum::Router;
use axum::body::Body;
use axum::extract::{Extension, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use portcullis_config::plan::HeadersPlan;
use portcullis_console::{SelfService, Via};
use portcullis_portal::{Frame, Site};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

/// How long a page may be shown without asking anew; a reload makes others.
const FRESH: &str = "max-age=60";

/// The listener at work.
#[derive(Debug)]
pub struct Portal {
    shelf: Shelf,
    server: Server,
}

/// The site in force, and who answers those that sign in, once there is a gateway.
#[derive(Clone, Debug)]
struct Shelf(Arc<RwLock<Arc<Shown>>>, Arc<OnceLock<SelfService>>);

/// A site with what every answer says about its pages.
#[derive(Debug)]
struct Shown {
    site: Site,
    headers: Vec<(HeaderName, HeaderValue)>,
}

// === impl Portal ===

impl Portal {
    /// Listens and answers at once.
    ///
    /// # Errors
    /// The address is taken or not ours, or there is no thread to be had.
    pub fn listen(bind: SocketAddr, site: Site) -> Result<Self, ServerError> {
        let (shelf, router) = shelved(site);
        Ok(Self { server: Server::listen("portal", bind, router)?, shelf })
    }

    /// The same at a socket that a predecessor gave.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn adopt(listener: TcpListener, site: Site) -> Result<Self, ServerError> {
        let (shelf, router) = shelved(site);
        Ok(Self { server: Server::adopt("portal", listener, router)?, shelf })
    }

    /// The socket at which it listens, for a successor.
    ///
    /// # Errors
    /// The system grants no more files.
    pub fn socket(&self) -> io::Result<TcpListener> {
        self.server.socket()
    }

    /// From now on these pages are served.
    pub fn show(&self, site: Site) {
        *self.shelf.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(Shown::new(site));
    }

    /// The frame of the pages in force.
    #[must_use]
    pub fn frame(&self) -> Frame {
        self.shelf.0.read().unwrap_or_else(PoisonError::into_inner).site.frame().clone()
    }

    /// From now on developers can sign in. The first one counts.
    pub fn attach(&self, service: SelfService) {
        drop(self.shelf.1.set(service));
    }

    /// Who answers those that sign in.
    #[must_use]
    pub fn service(&self) -> Option<&SelfService> {
        self.shelf.1.get()
    }

    /// Where it listens; a port of 0 is a real one here.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Stops listening and closes what is open.
    pub fn stop(self) {
        self.server.stop();
    }
}

fn shelved(site: Site) -> (Shelf, Router) {
    let shelf = Shelf(Arc::new(RwLock::new(Arc::new(Shown::new(site)))), Arc::default());
    (shelf.clone(), Router::new().fallback(answer).with_state(shelf))
}

// === impl Shown ===

impl Shown {
    fn new(site: Site) -> Self {
        Self { headers: headers(&site), site }
    }
}

/// The security headers of pages that load nothing but what is theirs, and call nobody but the APIs that they are about.
fn headers(site: &Site) -> Vec<(HeaderName, HeaderValue)> {
    let called: String = site.called().map(|origin| format!(" {origin}")).collect();
    let fields = HeadersPlan::portal().fields.into_iter().map(|(name, value)| match name.as_str() {
        "content-security-policy" if !called.is_empty() => (name, format!("{value}; connect-src 'self'{called}")),
        _ => (name, value),
    });
    fields.filter_map(|(name, value)| Some((name.parse().ok()?, value.parse().ok()?))).collect()
}

async fn answer(State(shelf): State<Shelf>, Extension(peer): Extension<Peer>, request: Request) -> Response {
    if let Some(service) = shelf.1.get().filter(|_| SelfService::answers(request.uri().path())).cloned() {
        let from = Via::Listener(peer.address.ip(), peer.is_secure);
        return reply(move |question| service.answer(from, question), request).await;
    }
    let (method, path) = (request.method(), request.uri().path());
    // Held for no longer than it takes to count one more reader.
    let shown = Arc::clone(&shelf.0.read().unwrap_or_else(PoisonError::into_inner));
    let site = &shown.site;
    let mut response = if method != Method::GET && method != Method::HEAD {
        plain(StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD are answered here\n")
    } else if let Some(file) = site.at(path) {
        let fields = [(CONTENT_TYPE, file.media_type), (CACHE_CONTROL, FRESH)];
        (fields, Body::from(file.body.clone())).into_response()
    } else {
        plain(StatusCode::NOT_FOUND, "there is no such page\n")
    };
    for (name, value) in &shown.headers {
        response.headers_mut().insert(name, value.clone());
    }
    response
}

fn plain(status: StatusCode, text: &'static str) -> Response {
    (status, [(CONTENT_TYPE, "text/plain; charset=utf-8"), (CACHE_CONTROL, "no-store")], text).into_response()
}
