#![allow(missing_docs, reason = "scratch")]
use portcullis_config::plan::*;
use std::sync::Arc;
use std::time::Duration;
fn main() {
    let up: u16 = std::env::args().nth(1).unwrap().parse().unwrap();
    let log = std::env::args().nth(2);
    let tls = std::env::args().nth(3).is_some();
    let d = Duration::from_secs;
    let upstream = Arc::new(UpstreamPlan {
        name: "b".into(),
        targets: vec![TargetPlan { tls: false, host: "127.0.0.1".into(), port: up }],
        connect_timeout: d(2),
        first_byte_timeout: d(15),
        idle_timeout: d(30),
        idle_connections: 64,
        tls: None,
    });
    let route = |m: &str, t: &str| RoutePlan {
        id: format!("{m} {t}").into(),
        template: t.into(),
        methods: Methods::Only(vec![m.into()]),
        authn: Authn::Public,
        body_bytes: 1 << 20,
        upstream: upstream.clone(),
        timeout: d(30),
        origin: Origin { file: "x".into(), line: 1 },
    };
    let plan = Plan {
        listeners: vec![ListenerPlan {
            name: "l".into(),
            bind: "127.0.0.1:9200".parse().unwrap(),
            tls: tls.then(|| TlsPlan {
                certificates: CertificateSource::SelfSigned {
                    names: vec!["localhost".into()],
                    directory: "/tmp/spike-tls".into(),
                },
                min_version: TlsVersion::Tls12,
            }),
            limits: ListenerLimits {
                head_bytes: 65536,
                target_bytes: 16384,
                headers: 100,
                head_timeout: d(10),
                idle_timeout: d(60),
                body_idle_timeout: d(30),
                connections: 20000,
                requests_per_connection: 1_000_000_000,
            },
        }],
        status: StatusPlan { bind: "127.0.0.1:0".parse().unwrap() },
        workers: std::num::NonZeroUsize::new(1),
        access_log: AccessLogPlan {
            sink: log.filter(|l| l != "off").map_or(LogSink::Off, |p| LogSink::File(p.into())),
            queue: 65536,
            show_query: vec![],
        },
        shutdown_deadline: d(5),
        apis: vec![ApiPlan {
            name: "bench".into(),
            hosts: vec![HostPattern::Any],
            base_path: "".into(),
            allow_path_parameters: false,
            versions: vec![VersionPlan {
                name: None,
                path: None,
                default: false,
                routes: vec![route("GET", "/users/{id}"), route("GET", "/"), route("POST", "/users/{id}")],
            }],
        }],
        dangers: vec![],
        watched: vec![],
        hash: "h".into(),
    };
    let gateway =
        portcullis_proxy::Gateway::start(plan, portcullis_types::Clock::system(), "http://127.0.0.1/problems/".into())
            .unwrap();
    eprintln!("{:?}", gateway.handle().addresses());
    std::thread::park();
}
