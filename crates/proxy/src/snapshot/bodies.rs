//! What the stages of a route need of a request's body: all of it, or nothing.

use portcullis_config::plan::RoutePlan;
use portcullis_contract::json;

/// What a body may be that stages look into.
#[derive(Debug)]
pub(crate) struct Looks {
    /// Bytes as it is sent.
    pub(crate) bytes_max: u64,
    pub(crate) coding: portcullis_coding::Limits,
    pub(crate) json: json::Limits,
    /// Whether somebody looks into bodies of every media type.
    pub(crate) everything: bool,
    /// Whether JSON that programs may read in different ways is refused, whatever else looks at it.
    pub(crate) strict_json: bool,
    /// Whether rules about access ask what is in them.
    pub(crate) access: bool,
    /// Whether calls of gRPC come, into which nobody looks.
    pub(crate) grpc: bool,
}

// === impl Looks ===

impl Looks {
    /// `None` where nobody looks: bodies pass as they come.
    /// Patches of the feed may look where nothing else does.
    pub(crate) fn compile(plan: &RoutePlan, patched: bool) -> Option<Box<Self>> {
        let bodies = &plan.bodies;
        (patched || plan.looks_into_bodies()).then(|| {
            let coding = portcullis_coding::Limits {
                output_bytes_max: bodies.decoded_bytes,
                ..portcullis_coding::Limits::default()
            };
            let bytes_max = bodies.held_bytes.min(plan.body_bytes);
            Box::new(Self {
                bytes_max,
                coding,
                json: bodies.json,
                everything: patched || plan.waf.is_some(),
                strict_json: bodies.strict_json,
                access: plan.authz.as_ref().is_some_and(|authz| authz.looks_into_bodies()),
                grpc: plan.grpc,
            })
        })
    }
}
