//! What is unusual and what follows from it: no step without somebody to take it against, no setting without effect.

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Anomalies, AnomalyMode, AnomalyPoints, File, defaults};
use crate::plan::AnomaliesPlan;
use crate::scalar::{Count, FileName, Period};
use crate::tree::At;
use portcullis_anomaly::{Bounds, Kind, PLACES_BYTES_MAX, Places, Rungs, Step, Wanted};
use std::sync::Arc;
use std::time::Duration;

impl Check<'_> {
    /// `None` if nobody looks.
    pub(super) fn anomalies(&mut self, file: &File, root: &At<'_>) -> Option<AnomaliesPlan> {
        let at = root.key("anomalies");
        let written = file.anomalies.as_ref();
        let general = written.and_then(|written| written.mode).unwrap_or(AnomalyMode::Observe);
        let modes = self.detector_modes(written, general, &at);
        let is_clear = !at.key("mode").is_tainted() && !at.key("detectors").is_tainted();
        if let Some(written) = written.filter(|_| is_clear) {
            self.anomalies_for_nothing(written, &modes, &at);
            self.places_for_nothing(written, &modes, &at);
        }
        let points = self.anomaly_points(written.and_then(|written| written.points.as_ref()), &at.key("points"));
        let mut period = |key: &str, value: Option<Period>, default, range| {
            self.period(&at.key(key), value.unwrap_or(default), range)
        };
        let of = |get: fn(&Anomalies) -> Option<Period>| written.and_then(get);
        let range = (Period::seconds(10), Period::seconds(24 * 60 * 60));
        let half_life = period("half_life", of(|written| written.half_life), defaults::ANOMALY_HALF_LIFE, range);
        let block = period("block_for", of(|written| written.block_for), defaults::ANOMALY_BLOCK, range);
        let range = (Period::millis(10), Period::seconds(10));
        let delay = period("delay", of(|written| written.delay), defaults::ANOMALY_DELAY, range);
        let callers = written.and_then(|written| written.callers).unwrap_or(defaults::ANOMALY_CALLERS).0;
        let range = (1_000, defaults::MAX_ANOMALY_CALLERS);
        let callers = self.within(&at.key("callers"), callers, range, |value| value.to_string());
        let callers = usize::try_from(callers).unwrap_or(usize::MAX);
        let file = |get: fn(&Anomalies) -> Option<&FileName>| written.and_then(get);
        let countries = file(|written| written.countries.as_ref());
        let countries = countries.and_then(|name| self.places(name, Wanted::Country, &at.key("countries")));
        let networks = file(|written| written.networks.as_ref());
        let networks = networks.and_then(|name| self.places(name, Wanted::System, &at.key("networks")));
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let looks = modes.iter().any(|mode| *mode != AnomalyMode::Off);
        looks.then(|| AnomaliesPlan {
            told: modes.map(|mode| mode != AnomalyMode::Off),
            rungs: Rungs { highest: modes.map(step), points, half_life_ms: millis(half_life), block_ms: millis(block) },
            delay,
            bounds: Bounds { principals: callers, addresses: callers, pairs: callers.saturating_mul(2) },
            countries,
            networks,
        })
    }

    /// Where addresses are, by a file.
    fn places(&mut self, name: &FileName, wanted: Wanted, at: &At<'_>) -> Option<Arc<Places>> {
        let path = self.locate(at, name);
        self.watch(&path);
        if at.is_tainted() {
            return None;
        }
        let shown = self.shown(at, &name.0);
        let read = self.environment.read(&path, PLACES_BYTES_MAX as u64);
        let diagnostic = match read.map(|bytes| Places::read(&bytes, wanted)) {
            Ok(Ok(places)) => return Some(Arc::new(places)),
            Err(why) => self
                .wrong(at, "unreadable-file", format!("{shown} cannot be read: {why}"))
                .help(format!("it was looked for at `{}`", path.display())),
            Ok(Err(why)) => {
                let example = match wanted {
                    Wanted::Country => "`GeoLite2-Country.mmdb`, or another with `country.iso_code`",
                    Wanted::System => "`GeoLite2-ASN.mmdb`, or another with `autonomous_system_number`",
                };
                self.wrong(at, "bad-places", format!("{shown} does not say where addresses are: {why}"))
                    .help(format!("name a file in MaxMind's form: {example}"))
            }
        };
        self.reject(at, diagnostic);
        None
    }

    /// Files that nobody looks into, and a detector without its file.
    fn places_for_nothing(&mut self, written: &Anomalies, modes: &[AnomalyMode], at: &At<'_>) {
        let is_on = |kind: Kind| modes.get(kind as usize).is_some_and(|mode| *mode != AnomalyMode::Off);
        for (key, is_written, kind) in [
            ("countries", written.countries.is_some(), Kind::NewCountry),
            ("networks", written.networks.is_some(), Kind::NewNetwork),
        ] {
            if is_written && !is_on(kind) {
                let place = at.key(key);
                let message = format!("`{key}` has no effect, because nobody looks for `{}`", kind.name());
                let diagnostic = Diagnostic::new("no-effect", place.name_span(), message);
                self.reject(&place, diagnostic.help("remove it, or let the detector look: `observe`"));
            }
        }
        let named = written.detectors.as_ref().and_then(|detectors| detectors.new_country);
        if written.countries.is_none() && named.is_some_and(|mode| mode != AnomalyMode::Off) {
            let section = at.key("detectors");
            let place = section.key("new_country");
            let message = "`new_country` has no effect, because nothing says in which country an address is";
            let diagnostic = Diagnostic::new("no-effect", place.name_span(), message);
            self.reject(&place, diagnostic.help("add `countries: GeoLite2-Country.mmdb`, or remove it"));
        }
    }

    /// How far findings of each kind lead.
    fn detector_modes(
        &mut self,
        written: Option<&Anomalies>,
        general: AnomalyMode,
        at: &At<'_>,
    ) -> [AnomalyMode; Kind::ALL.len()] {
        let section = at.key("detectors");
        let detectors = written.and_then(|written| written.detectors.as_ref()).map(|one| one.all());
        let mut modes = [general; Kind::ALL.len()];
        for (mode, kind) in modes.iter_mut().zip(Kind::ALL) {
            let named = detectors.and_then(|all| all.into_iter().find(|(name, _)| *name == kind.name())?.1);
            let everybody = kind == Kind::Stuffing;
            let acts = |mode: AnomalyMode| step(mode) > Step::Observe;
            if everybody && named.is_some_and(acts) {
                let place = section.key(kind.name());
                let message =
                    "nothing can be done to everybody: attempts of this kind come from many addresses at once";
                let diagnostic = Diagnostic::new("no-effect", place.span(), message);
                self.reject(
                    &place,
                    diagnostic.help("write `observe`; each address has its wait after failed attempts anyway"),
                );
            }
            *mode = named.unwrap_or(*mode);
            if everybody && acts(*mode) {
                *mode = AnomalyMode::Observe;
            }
        }
        modes
    }

    /// Settings of steps that nobody takes.
    fn anomalies_for_nothing(&mut self, written: &Anomalies, modes: &[AnomalyMode], at: &At<'_>) {
        let highest = modes.iter().map(|mode| step(*mode)).max().unwrap_or_default();
        let off = modes.iter().all(|mode| *mode == AnomalyMode::Off);
        let points = written.points.as_ref();
        let needs = [
            ("callers", written.callers.is_some(), Step::Observe),
            ("half_life", written.half_life.is_some(), Step::Slow),
            ("delay", written.delay.is_some(), Step::Slow),
            ("block_for", written.block_for.is_some(), Step::Block),
            ("points.slow", points.is_some_and(|points| points.slow.is_some()), Step::Slow),
            ("points.refuse", points.is_some_and(|points| points.refuse.is_some()), Step::Refuse),
            ("points.block", points.is_some_and(|points| points.block.is_some()), Step::Block),
        ];
        for (key, is_written, needed) in needs {
            if is_written && (off || highest < needed) {
                let section = at.key("points");
                let place = key.strip_prefix("points.").map_or_else(|| at.key(key), |key| section.key(key));
                let message = match off {
                    true => format!("`{key}` has no effect, because nobody looks"),
                    false => format!("`{key}` has no effect, because no finding leads to `{}`", needed.name()),
                };
                let help = format!("remove it, or write `mode: {}`", needed.name());
                self.reject(&place, Diagnostic::new("no-effect", place.name_span(), message).help(help));
            }
        }
    }

    fn anomaly_points(&mut self, written: Option<&AnomalyPoints>, at: &At<'_>) -> [u32; 3] {
        let usual = Rungs::up_to(Step::Block).points;
        let named: [(&str, Option<Count>); 3] = written
            .map_or([("slow", None), ("refuse", None), ("block", None)], |one| {
                [("slow", one.slow), ("refuse", one.refuse), ("block", one.block)]
            });
        let mut points = usual;
        for (point, (key, value)) in points.iter_mut().zip(named) {
            let value = value.map_or(u64::from(*point), |count| count.0);
            let value = self.within(&at.key(key), value, (1, defaults::MAX_ANOMALY_POINTS), |value| value.to_string());
            *point = u32::try_from(value).unwrap_or(u32::MAX);
        }
        if !points.is_sorted() {
            let message = "a milder step would need more points than a harder one";
            let diagnostic = Diagnostic::new("contradiction", at.name_span(), message);
            self.reject(at, diagnostic.help("write numbers that go up: `points: { slow: 3, refuse: 6, block: 10 }`"));
        }
        points
    }
}

/// The step that a mode leads to.
pub(super) fn step(mode: AnomalyMode) -> Step {
    match mode {
        AnomalyMode::Off | AnomalyMode::Observe => Step::Observe,
        AnomalyMode::Slow => Step::Slow,
        AnomalyMode::Refuse => Step::Refuse,
        AnomalyMode::Block => Step::Block,
    }
}
