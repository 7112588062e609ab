//! A gateway in a box: a plan with defaults fit for tests, started on ports of its own, drained when it is dropped.

use crate::deadline::eventually;
use crate::records::Records;
use crate::scratch::Scratch;
use portcullis_config::plan::{
    AccessLogPlan, AdminPlan, ApiPlan, Authn, BodiesPlan, CertificateFiles, CertificateSource, HostPattern, Http2Plan,
    IdentityPlan, ListenerLimits, ListenerPlan, LogFormat, LogSink, Methods, Origin, PacePlan, Plan, PoolPlan,
    ProvenancePlan, RouteLimits, RoutePlan, StatusPlan, StreamsPlan, TargetPlan, TlsPlan, TlsVersion, TracingPlan,
    UpstreamPlan, UpstreamProtocol, VersionBy, VersionPlan,
};
use portcullis_proxy::{Gateway, Handle};
use portcullis_types::Clock;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

/// What the `type` of every problem begins with.
pub const PROBLEM_BASE: &str = "http://127.0.0.1:9180/problems/";

/// A running gateway.
#[derive(Debug)]
pub struct Gatehouse {
    gateway: Option<Gateway>,
    handle: Handle,
    plan: Plan,
    records: Records,
    _scratch: Scratch,
}

// === impl Gatehouse ===

impl Gatehouse {
    /// Every path is open and goes to this upstream.
    #[must_use]
    pub fn before(upstream: SocketAddr) -> Self {
        Self::start(plan(upstream))
    }

    /// The same after a change to the plan.
    #[must_use]
    pub fn with(upstream: SocketAddr, change: impl FnOnce(&mut Plan)) -> Self {
        let mut plan = plan(upstream);
        change(&mut plan);
        Self::start(plan)
    }

    /// Starts a plan as it is, except that records go to a file of the test.
    #[must_use]
    pub fn start(mut plan: Plan) -> Self {
        let scratch = Scratch::new();
        let path = scratch.path().join("access.log");
        if plan.access_log.sink == LogSink::Stdout {
            plan.access_log.sink = LogSink::File(path.clone());
        }
        let gateway = Gateway::start(plan.clone(), Clock::system(), PROBLEM_BASE.to_owned());
        let gateway = gateway.unwrap_or_else(|error| panic!("the gateway does not start: {error}"));
        let handle = gateway.handle();
        Self { gateway: Some(gateway), handle, plan, records: Records::new(&path), _scratch: scratch }
    }

    /// Where the first listener listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.handle.addresses()[0].1
    }

    /// Where a listener listens.
    #[must_use]
    pub fn listener(&self, name: &str) -> SocketAddr {
        self.handle.addresses().iter().find(|(have, _)| &**have == name).expect("a listener of that name").1
    }

    /// The part that the admin side holds.
    #[must_use]
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// The plan as it was started.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.plan.clone()
    }

    /// The access log.
    #[must_use]
    pub fn records(&self) -> &Records {
        &self.records
    }

    /// The value of a metric, series as in the text format; 0 where there is none yet.
    #[must_use]
    pub fn metric(&self, series: &str) -> f64 {
        let text = self.handle.metrics();
        let value = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().expect("a number"))
    }

    /// Waits until a metric has a value.
    pub fn wait_metric(&self, series: &str, value: f64) {
        eventually(&format!("{series} {value}, in\n{}", self.handle.metrics()), || {
            ((self.metric(series) - value).abs() < 0.5).then_some(())
        });
    }

    /// Stops and waits for the last record.
    pub fn stop(&mut self, deadline: Duration) {
        if let Some(gateway) = self.gateway.take() {
            gateway.drain(deadline);
        }
    }
}

impl Drop for Gatehouse {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}

/// A plan with one plain listener and one API for every host and path.
#[must_use]
pub fn plan(upstream: SocketAddr) -> Plan {
    let upstream = Arc::new(upstream_plan("api", upstream));
    let routes = vec![route(Methods::Any, "/", &upstream), route(Methods::Any, "/{*rest}", &upstream)];
    Plan {
        listeners: vec![listener("plain", None)],
        status: StatusPlan { bind: loopback() },
        portal: None,
        workers: NonZeroUsize::new(1),
        access_log: AccessLogPlan {
            sink: LogSink::Stdout,
            format: LogFormat::Json,
            rotation: None,
            queue: 10_000,
            show_query: Vec::new(),
        },
        security_log: None,
        shared_store: None,
        anomalies: None,
        alerts: None,
        feed: None,
        tracing: TracingPlan::default(),
        admin: AdminPlan::default(),
        shutdown_grace: Duration::ZERO,
        shutdown_deadline: Duration::from_secs(1),
        apis: vec![api("api", HostPattern::Any, routes)],
        identity: IdentityPlan::default(),
        mask_key: None,
        dns: Vec::new(),
        waf: None,
        dangers: Vec::new(),
        warnings: Vec::new(),
        watched: Vec::new(),
        hash: "test".to_owned(),
    }
}

/// An API without versions.
#[must_use]
pub fn api(name: &str, host: HostPattern, routes: Vec<RoutePlan>) -> ApiPlan {
    ApiPlan {
        name: name.into(),
        hosts: vec![host],
        base_path: String::new(),
        forward_credential: false,
        resource: None,
        cors: None,
        headers: Arc::default(),
        allow_path_parameters: false,
        version_by: VersionBy::Path,
        strip_version: false,
        versions: vec![VersionPlan {
            name: None,
            path: None,
            default: false,
            lifecycle: None,
            published: None,
            routes,
        }],
    }
}

/// An open route that takes a mebibyte.
#[must_use]
pub fn route(methods: Methods, template: &str, upstream: &Arc<UpstreamPlan>) -> RoutePlan {
    RoutePlan {
        id: template.into(),
        template: template.to_owned(),
        methods,
        authn: Authn::Public,
        authz: None,
        body_bytes: 1024 * 1024,
        bodies: BodiesPlan::default(),
        contract: None,
        upstream: Arc::clone(upstream),
        timeout: Duration::from_secs(10),
        websocket: None,
        grpc: false,
        grpc_calls: None,
        graphql: None,
        limits: RouteLimits::default(),
        waf: None,
        shape: Arc::default(),
        origin: Origin { file: "test.yaml".into(), line: 1 },
    }
}

/// An upstream with one plain target.
#[must_use]
pub fn upstream_plan(name: &str, address: SocketAddr) -> UpstreamPlan {
    UpstreamPlan {
        name: name.into(),
        targets: vec![target(address)],
        connect_timeout: Duration::from_secs(5),
        first_byte_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(30),
        idle_connections: 16,
        tls: None,
        protocol: UpstreamProtocol::Http1,
        streams: StreamsPlan::default(),
        pool: PoolPlan::default(),
    }
}

/// A plain target.
#[must_use]
pub fn target(address: SocketAddr) -> TargetPlan {
    TargetPlan { tls: false, host: address.ip().to_string(), port: address.port(), from: None }
}

/// A listener on a port that the system chooses.
#[must_use]
pub fn listener(name: &str, tls: Option<TlsPlan>) -> ListenerPlan {
    ListenerPlan {
        name: name.into(),
        bind: loopback(),
        tls,
        provenance: ProvenancePlan::default(),
        limits: limits(),
        http2: Some(Http2Plan::default()),
    }
}

/// TLS with certificates from files.
#[must_use]
pub fn tls(certificates: Vec<CertificateFiles>) -> TlsPlan {
    TlsPlan { certificates: CertificateSource::Files(certificates), min_version: TlsVersion::Tls12, client_auth: None }
}

fn limits() -> ListenerLimits {
    ListenerLimits {
        head_bytes: 16 * 1024,
        target_bytes: 4 * 1024,
        headers: 64,
        head_timeout: Duration::from_secs(10),
        idle_timeout: Duration::from_secs(30),
        body_idle_timeout: Duration::from_secs(10),
        pace: PacePlan::default(),
        connections: 1000,
        requests_per_connection: 100_000,
    }
}

fn loopback() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 0))
}

/// Changes the limits of every listener.
pub fn limit(plan: &mut Plan, change: impl Fn(&mut ListenerLimits)) {
    plan.listeners.iter_mut().for_each(|listener| change(&mut listener.limits));
}

/// Changes every route.
pub fn each_route(plan: &mut Plan, change: impl Fn(&mut RoutePlan)) {
    plan.apis.iter_mut().flat_map(|api| &mut api.versions).flat_map(|version| &mut version.routes).for_each(change);
}

/// Changes every upstream. Routes that shared one share the changed one.
pub fn each_upstream(plan: &mut Plan, change: impl Fn(&mut UpstreamPlan)) {
    let mut changed: Vec<(Arc<UpstreamPlan>, Arc<UpstreamPlan>)> = Vec::new();
    for route in plan.apis.iter_mut().flat_map(|api| &mut api.versions).flat_map(|version| &mut version.routes) {
        let old = Arc::clone(&route.upstream);
        let known = changed.iter().find(|(have, _)| Arc::ptr_eq(have, &old)).map(|(_, new)| Arc::clone(new));
        let new = known.unwrap_or_else(|| {
            let mut new = (*route.upstream).clone();
            change(&mut new);
            let new = Arc::new(new);
            changed.push((old, Arc::clone(&new)));
            new
        });
        route.upstream = new;
    }
}
