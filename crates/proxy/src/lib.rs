//! Carries requests: listeners, TLS, the pipeline, upstreams, answers, access records.
//!
//! It takes a checked [`portcullis_config::plan::Plan`] and knows neither the command line nor the files behind it.

mod alerts;
mod anomalies;
mod answer;
mod carry;
mod exchange;
mod feed;
mod gateway;
mod head;
mod http1;
mod http2;
mod identity;
mod inspection;
mod knowledge;
mod limits;
mod members;
mod metrics;
mod named;
mod origin;
mod outcall;
mod ownership;
mod pipeline;
mod problem;
mod record;
mod reports;
mod shape;
mod snapshot;
mod tls;
mod trace;
mod upstream;
mod welcome;
mod worker;

pub use anomalies::FindingFacts;
pub use feed::{Feed, Place, fetch_bundle, places, reach};
pub use gateway::{
    AccountFacts, CertificateFacts, Facts, Gateway, Giver, Handle, Inherited, IssuerFacts, KeysError, LimitFacts,
    ListenerFacts, Phase, ReloadError, StartError, StoreFacts,
};
pub use identity::fetch_keys;
pub use knowledge::{ContractFacts, OperationFacts, ShadowFacts, StrangerFacts};
pub use metrics::{RuleOfRoute, Totals, Traffic};
pub use origin::{fuzz_forwarded, fuzz_proxy_header};
pub use pipeline::explain::{ExplainRequest, Explanation, Step, explain, explain_raw};
pub use pipeline::suppose::{Permission, Supposed, suppose};
pub use record::recent::{RecentRecord, RecentRecords};
pub use snapshot::CompileError;
pub use tls::files::TlsError;
pub use tls::self_signed::{AUTHORITY_FILE, ensure as ensure_self_signed};
pub use tls::server::for_people as tls_for_people;
pub use upstream::fleet::{ServerStatus, UpstreamStatus};
