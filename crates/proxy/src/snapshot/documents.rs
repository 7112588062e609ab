//! What the gateway itself serves about its APIs: the metadata of each as a protected resource (RFC 9728).

use portcullis_auth::outward::Resource;
use portcullis_config::plan::{ApiPlan, Authn, DemandPlan, Dpop, Plan, ResourcePlan};
use std::sync::Arc;

/// Where documents of this kind lie.
const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

/// The documents of all APIs.
#[derive(Debug, Default)]
pub(crate) struct Documents(Vec<Document>);

#[derive(Debug)]
struct Document {
    host: String,
    path: String,
    body: Arc<str>,
}

// === impl Documents ===

impl Documents {
    pub(super) fn compile(plan: &Plan) -> Self {
        let documents = plan.apis.iter().filter_map(|api| {
            let resource = api.resource.as_ref()?;
            let body = describe(api, resource, plan).document().to_string();
            Some(Document { host: resource.host.clone(), path: Resource::path(&api.base_path), body: Arc::from(body) })
        });
        Self(documents.collect())
    }

    /// The document at a place.
    pub(crate) fn find(&self, host: &str, path: &str) -> Option<Arc<str>> {
        if self.0.is_empty() || !path.starts_with(WELL_KNOWN) {
            return None;
        }
        let document = self.0.iter().find(|document| document.host == host && document.path == path)?;
        Some(Arc::clone(&document.body))
    }
}

fn describe(api: &ApiPlan, resource: &ResourcePlan, plan: &Plan) -> Resource {
    let identity = &plan.identity;
    let routes = api.versions.iter().flat_map(|version| &version.routes);
    let demands: Vec<&DemandPlan> = routes
        .filter_map(|route| match &route.authn {
            Authn::Demand(demand) => Some(&**demand),
            Authn::Public | Authn::Refuse => None,
        })
        .filter(|demand| !demand.issuers.is_empty() || demand.introspection.is_some())
        .collect();
    let named =
        |name: &Arc<str>| demands.iter().any(|of| of.issuers.contains(name) || of.introspection.as_ref() == Some(name));
    let issuers = identity.issuers.iter().filter(|issuer| named(&issuer.name));
    let proofs: Vec<Dpop> = demands
        .iter()
        .flat_map(|of| {
            let signed = (!of.issuers.is_empty()).then_some(of.proofs.dpop);
            signed.into_iter().chain(of.introspection.is_some().then_some(of.proofs.introspected))
        })
        .collect();
    let any_proof = proofs.iter().any(|dpop| *dpop != Dpop::Off);
    Resource {
        resource: resource.address.clone(),
        name: None,
        authorization_servers: issuers.map(|issuer| issuer.issuer.clone()).collect(),
        scopes: Vec::new(),
        proof_algorithms: if any_proof { identity.proofs.algorithms.clone() } else { Vec::new() },
        proof_required: proofs.iter().all(|dpop| *dpop == Dpop::Required),
        // Where clients are asked for certificates, a token that is bound to one can be shown with it.
        certificate_bound: !demands.is_empty()
            && plan.listeners.iter().any(|one| one.tls.as_ref().is_some_and(|tls| tls.client_auth.is_some())),
    }
}
