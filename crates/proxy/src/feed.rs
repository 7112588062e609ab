//! The bundle of the feed in force: what of it is about a route, and what it has met. Who signed it and whether it may be taken over
//! is not decided here.

use crate::identity::outside::{fetch, tls_of};
use crate::snapshot::prefixes;
use portcullis_auth::issuer::FetchFault;
use portcullis_config::plan::{ApiPlan, Endpoint, Plan, RoutePlan, VersionPlan, WafPlan, WafRulesPlan};
use portcullis_patch::{Action, Bundle, Met, Patch, Stage};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// LIMIT: how long an address is waited for.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
const BUNDLE_TYPE: &str = "application/octet-stream, text/plain";

/// A bundle, ready to be put in force.
#[derive(Debug)]
pub struct Feed {
    bundle: Bundle,
    stage: Stage,
    rules: Option<Arc<WafRulesPlan>>,
    /// By patch: requests that it has refused, and others that it is about.
    met: BTreeMap<Box<str>, [AtomicU64; 2]>,
}

/// What a bundle says of a route.
#[derive(Debug)]
pub(crate) struct Patched {
    pub(crate) feed: Arc<Feed>,
    pub(crate) patches: Box<[Arc<Patch>]>,
    /// Its rules, where the route is looked at for attacks at all.
    pub(crate) rules: Option<WafPlan>,
}

// === impl Feed ===

impl Feed {
    /// Makes a bundle ready: its rules are compiled.
    ///
    /// # Errors
    /// What is wrong with its rules. None of it counts then.
    pub fn new(bundle: Bundle, stage: Stage) -> Result<Self, String> {
        let rules = bundle.rules.as_deref().map(|text| WafRulesPlan::of_text("rules", text)).transpose();
        let rules = rules.map_err(|why| format!("its rules: {why}"))?;
        if rules.as_ref().is_some_and(|rules| rules.set.inspects_responses()) {
            return Err("its rules: they look at answers, and rules of a bundle see requests only".to_owned());
        }
        let met = bundle.patches.iter().map(|patch| (patch.id.clone(), Default::default())).collect();
        Ok(Self { bundle, stage, rules, met })
    }

    /// What is in it.
    #[must_use]
    pub fn bundle(&self) -> &Bundle {
        &self.bundle
    }

    /// How far it goes.
    #[must_use]
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Each patch with the requests that it has refused, and those that it has met and let pass.
    pub(crate) fn met(&self) -> impl Iterator<Item = (&str, [u64; 2])> {
        self.met.iter().map(|(id, counts)| (&**id, counts.each_ref().map(|count| count.load(Ordering::Relaxed))))
    }

    pub(crate) fn count(&self, met: &Met) {
        if let Some([refused, others]) = self.met.get(&met.patch.id) {
            (if met.refuses { refused } else { others }).fetch_add(1, Ordering::Relaxed);
        }
    }
}

// === impl Patched ===

impl Patched {
    /// `None` where nothing of the bundle is about a route.
    pub(crate) fn on(feed: Option<&Arc<Feed>>, plan: &RoutePlan, api: &str, template: &str) -> Option<Box<Self>> {
        let feed = feed?;
        let is_for = |patch: &&Arc<Patch>| patch.is_for(api, &plan.id, template);
        let patches: Box<[Arc<Patch>]> = feed.bundle.patches.iter().filter(is_for).cloned().collect();
        let rules = feed.rules.as_ref().zip(plan.waf.as_ref()).map(|(rules, waf)| WafPlan {
            enforces: waf.enforces && feed.stage == Stage::Enforce,
            rules: Arc::clone(rules),
        });
        let something = !patches.is_empty() || rules.is_some();
        something.then(|| Box::new(Self { feed: Arc::clone(feed), patches, rules }))
    }

    /// Whether a patch has to see bodies.
    pub(crate) fn asks_body(&self) -> bool {
        self.patches.iter().any(|patch| patch.asks_body())
    }
}

/// What became of a request that a patch is about, as far as the patch decided.
pub(crate) fn verdict(met: &Met) -> &'static str {
    match (met.refuses, met.patch.action) {
        (true, _) => "refused",
        (false, Action::Refuse) => "would_refuse",
        (false, Action::Observe) => "noted",
    }
}

/// A route as patches name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its API.
    pub api: Arc<str>,
    /// Its operation.
    pub operation: Arc<str>,
    /// Its whole template, as records have it.
    pub template: String,
}

/// Every route of a plan, once for each way to it.
#[must_use]
pub fn places(plan: &Plan) -> Vec<Place> {
    let versions = plan.apis.iter().flat_map(|api| api.versions.iter().map(move |version| (api, version)));
    let of = |(api, version): (&ApiPlan, &VersionPlan)| -> Vec<Place> {
        let place = |prefix: &String, route: &RoutePlan| Place {
            api: Arc::clone(&api.name),
            operation: Arc::clone(&route.id),
            template: format!("{prefix}{}", route.template),
        };
        prefixes(api, version)
            .iter()
            .flat_map(|prefix| version.routes.iter().map(move |route| place(prefix, route)))
            .collect()
    };
    versions.flat_map(of).collect()
}

/// How many routes each patch of a bundle is about.
#[must_use]
pub fn reach(plan: &Plan, bundle: &Bundle) -> Vec<usize> {
    let places = places(plan);
    let is_for = |patch: &Patch, place: &Place| patch.is_for(&place.api, &place.operation, &place.template);
    bundle.patches.iter().map(|patch| places.iter().filter(|place| is_for(patch, place)).count()).collect()
}

/// Fetches a bundle, from addresses that may be asked, over TLS or on this machine. Blocks, for a bounded time.
///
/// # Errors
/// The code of what went wrong.
pub fn fetch_bundle(at: &Endpoint, bytes_max: u64) -> Result<Vec<u8>, &'static str> {
    let tls = tls_of(at).map_err(|_| FetchFault::Tls.code())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|_| FetchFault::Unreachable.code())?;
    let bytes_max = usize::try_from(bytes_max).unwrap_or(usize::MAX);
    let fetching = async { tokio::time::timeout(FETCH_TIMEOUT, fetch(at, tls.as_ref(), BUNDLE_TYPE, bytes_max)).await };
    let fetched = runtime.block_on(fetching);
    runtime.shutdown_background();
    fetched.map_err(|_| FetchFault::Deadline.code())?.map(|(body, _)| body).map_err(FetchFault::code)
}
