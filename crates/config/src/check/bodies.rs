//! Bodies that stages look into: bounds, each of the nearest level that states it, and whether anything looks.

use portcullis_contract::json;

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Bodies, Json, defaults};
use crate::plan::{BodiesPlan, RoutePlan};
use crate::scalar::{Count, Size};
use crate::tree::At;

impl Check<'_> {
    /// The section below `level`, over what the level above it comes to.
    pub(super) fn bodies(&mut self, level: &At<'_>, written: Option<&Bodies>, above: BodiesPlan) -> BodiesPlan {
        let at = level.key("bodies");
        let Some(written) = written else { return above };
        let held = written.held_bytes.unwrap_or(Size { bytes: above.held_bytes });
        let decoded = written.decoded_bytes.unwrap_or(Size { bytes: above.decoded_bytes });
        let plan = BodiesPlan {
            held_bytes: self.size(&at.key("held_bytes"), held, (1, defaults::MAX_HELD.bytes)),
            decoded_bytes: self.size(&at.key("decoded_bytes"), decoded, (1, defaults::MAX_HELD.bytes)),
            ..above
        };
        let Some(json) = &written.json else { return plan };
        let at = at.key("json");
        let strict_json = json.strict.map_or(above.strict_json, |flag| flag.0);
        BodiesPlan { strict_json, json: self.json(&at, json, above.json), ..plan }
    }

    fn json(&mut self, at: &At<'_>, written: &Json, above: json::Limits) -> json::Limits {
        let mut count = |name: &'static str, count: Option<Count>, above: usize, most: u64| {
            let Some(count) = count else { return above };
            let value = self.within(&at.key(name), count.0, (1, most), |value| value.to_string());
            usize::try_from(value).unwrap_or(above)
        };
        let most = defaults::MAX_JSON_VALUES;
        let counted = json::Limits {
            depth: count("depth", written.depth, above.depth, defaults::MAX_JSON_DEPTH),
            members: count("members", written.members, above.members, most),
            items: count("items", written.items, above.items, most),
            values: count("values", written.values, above.values, most),
            ..above
        };
        let mut size = |name: &'static str, size: Option<Size>, above: usize| {
            let Some(size) = size else { return above };
            usize::try_from(self.size(&at.key(name), size, (1, defaults::MAX_HELD.bytes))).unwrap_or(above)
        };
        json::Limits {
            text_bytes: size("text_bytes", written.text_bytes, above.text_bytes),
            name_bytes: size("name_bytes", written.name_bytes, above.name_bytes),
            number_bytes: size("number_bytes", written.number_bytes, above.number_bytes),
            ..counted
        }
    }

    /// Reports bounds of bodies that nobody looks into.
    pub(super) fn unseen<'r>(
        &mut self,
        level: &At<'_>,
        written: Option<&Bodies>,
        mut routes: impl Iterator<Item = &'r RoutePlan>,
    ) {
        if written.is_some() && !routes.any(RoutePlan::looks_into_bodies) {
            let at = level.key("bodies");
            let message = "this has no effect, because nothing looks into bodies here";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message)
                .help("add `json: { strict: true }` to it, or remove it; `body_bytes` bounds bodies that are streamed");
            self.reject(&at, diagnostic);
        }
    }
}
