//! Which bundle of the feed is in force, until when it counts as fresh, and what its patches have met.

use super::text::{heading, line};
use crate::Handle;
use std::sync::atomic::Ordering;

/// Appends all series of the feed.
pub(crate) fn feed_text(handle: &Handle, out: &mut String) {
    const REFUSED: &str = "portcullis_feed_bundles_refused_total";
    heading(out, REFUSED, "counter", "Bundles of virtual patches and rules that were not taken over.");
    line(out, REFUSED, "", handle.shared.bundles_refused.load(Ordering::Relaxed));
    let feed = handle.bundle();
    const VERSION: &str = "portcullis_feed_version";
    heading(out, VERSION, "gauge", "The version of the bundle in force, by its name and how far it goes.");
    if let Some(feed) = &feed {
        let (bundle, stage) = (feed.bundle(), feed.stage().name());
        line(out, VERSION, &format!("bundle=\"{}\",stage=\"{stage}\"", bundle.name), bundle.version);
    }
    const EXPIRES: &str = "portcullis_feed_expires_timestamp_seconds";
    heading(out, EXPIRES, "gauge", "When the bundle in force ends; it stays in force, and a newer one is due.");
    if let Some(feed) = &feed {
        line(out, EXPIRES, "", feed.bundle().expires_s);
    }
    const MET: &str = "portcullis_patch_requests_total";
    heading(out, MET, "counter", "Requests that a virtual patch is about, by whether it refused them.");
    for (patch, [refused, passed]) in feed.iter().flat_map(|feed| feed.met()) {
        line(out, MET, &format!("patch=\"{patch}\",verdict=\"refused\""), refused);
        line(out, MET, &format!("patch=\"{patch}\",verdict=\"passed\""), passed);
    }
}
