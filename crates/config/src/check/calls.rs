//! GraphQL and gRPC of a route: how much calls may ask for, and which there are.

use portcullis_contract::graphql;
use portcullis_types::segment::Segment;

use super::Check;
use super::apis::Scope;
use crate::diagnostic::Diagnostic;
use crate::file::{GraphQl, Grpc, Route};
use crate::plan::{GrpcCalls, Methods, UpstreamProtocol};
use crate::scalar::Count;
use crate::tree::At;

impl Check<'_> {
    /// How much a request of GraphQL may ask for; it comes with GET or POST (GraphQL over HTTP, section 5).
    pub(super) fn graphql(&mut self, route: &Route, (at, methods): (&At<'_>, &Methods)) -> Option<graphql::Limits> {
        let written = route.graphql.as_ref()?;
        let at = at.key("graphql");
        let of_graphql = |name: &String| matches!(name.as_str(), "GET" | "POST");
        let fits = match methods {
            Methods::Any => false,
            Methods::Only(names) => names.iter().all(of_graphql),
        };
        if !fits {
            let message = "a request of GraphQL comes with GET or POST, and other methods would not be looked at";
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), message);
            self.reject(&at, diagnostic.help("write `methods: [GET, POST]`, and another route for other methods"));
        }
        for (name, is_there) in [("websocket", route.websocket.is_some()), ("grpc", route.grpc.is_some())] {
            if is_there {
                let message = format!("nobody would look into what goes on as `{name}`");
                let diagnostic = Diagnostic::new("contradiction", at.name_span(), message);
                self.reject(&at, diagnostic.help(format!("remove `{name}`, or give it a route of its own")));
            }
        }
        Some(self.graphql_limits(&at, written))
    }

    fn graphql_limits(&mut self, at: &At<'_>, written: &GraphQl) -> graphql::Limits {
        let built_in = graphql::Limits::default();
        let mut count = |name: &str, written: Option<Count>, built_in: u64, (least, most): (u64, u64)| {
            let Some(count) = written else { return built_in };
            self.within(&at.key(name), count.0, (least, most), |value| value.to_string())
        };
        graphql::Limits {
            depth: count("depth", written.depth, built_in.depth, (1, 100)),
            aliases: count("aliases", written.aliases, built_in.aliases, (0, 10_000)),
            fields: count("fields", written.fields, built_in.fields, (1, 10_000)),
            cost: count("cost", written.cost, built_in.cost, (1, 1_000_000_000)),
            introspection: written.introspection.map_or(built_in.introspection, |flag| flag.0),
            batch: usize::try_from(count("batch", written.batch, 1, (1, 1_000))).unwrap_or(built_in.batch),
        }
    }

    /// gRPC of a route: it goes to a server that speaks HTTP/2. Whether it comes at all, and which calls are let through where
    /// not all are.
    pub(super) fn grpc(&mut self, route: &Route, at: &At<'_>, scope: &Scope<'_, '_>) -> (bool, Option<Vec<GrpcCalls>>) {
        let at = at.key("grpc");
        let (list, calls) = match &route.grpc {
            None | Some(Grpc::False) => return (false, None),
            Some(Grpc::True) => ("", None),
            Some(Grpc::Services(all)) => {
                let calls = all.iter().map(|one| GrpcCalls { service: one.0.clone(), method: None });
                ("services", Some(calls.collect::<Vec<_>>()))
            }
            Some(Grpc::Methods(all)) => {
                let calls =
                    all.iter().map(|one| GrpcCalls { service: one.service.clone(), method: one.method.clone() });
                ("methods", Some(calls.collect()))
            }
        };
        if scope.upstream.protocol != UpstreamProtocol::Http2 {
            let message = "gRPC goes to a server that speaks HTTP/2, and this upstream does not";
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), message)
                .help("give the route's version or API an upstream with `protocol: http2`, or remove `grpc`");
            self.reject(&at, diagnostic);
        }
        let list = at.key(list);
        for (index, call) in calls.iter().flatten().enumerate() {
            let item = list.index(index);
            let served = |prefix: &String| reaches(&format!("{prefix}{}", route.path.0), call);
            if !scope.prefixes.iter().any(served) {
                let message =
                    format!("no call of {} has a path that this route answers", self.shown(&item, &call.to_string()));
                let diagnostic = self.wrong(&item, "no-effect", message);
                self.reject(
                    &item,
                    diagnostic.help("a call's path is `/package.Service/Method`; change `path`, or remove this"),
                );
            }
        }
        if calls.as_ref().is_some_and(Vec::is_empty) {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no call is let through");
            self.reject(&list, diagnostic.help("name services or methods, or write `grpc: true`"));
        }
        (true, calls)
    }
}

/// Whether a path of a call can be one of a template's.
fn reaches(template: &str, call: &GrpcCalls) -> bool {
    let mut segments = template.rsplit('/');
    let (last, before) = (segments.next().unwrap_or(""), segments.next().unwrap_or(""));
    if last.starts_with("{*") {
        // It takes the method, or more than that.
        return true;
    }
    let has_method = call.method.as_deref().is_none_or(|method| fits(last, method));
    has_method && fits(before, &call.service)
}

fn fits(segment: &str, text: &str) -> bool {
    Segment::parse(segment).is_ok_and(|segment| segment.fits(text))
}
