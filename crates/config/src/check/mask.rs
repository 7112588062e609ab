//! What is masked, and what becomes of errors: rules that say nothing, or that nobody could meet.

mod marks;

use std::sync::Arc;

use indexmap::IndexMap;
use portcullis_mask::{Action, Coarser, Detector, Keys, Path, RULES_MAX, Rule, RulesError, Ruleset, Select};
use portcullis_types::outline::Meaning;
use portcullis_types::{Outline, Secret};

use super::Check;
use crate::diagnostic::Diagnostic;
use crate::file::{Api, Detect, Errors, File, Generalise, MaskRule, Route, Show, defaults};
use crate::plan::{ApiPlan, Audience, Authn, ErrorsPlan, MaskPlan, Origin, RoutePlan, ShapePlan, VersionPlan, Who};
use crate::scalar::{Flag, Text};
use crate::tree::At;

/// LIMIT: entries of each list of a rule.
const MAX_LIST: usize = 1_000;
/// LIMIT: the width of a range.
const MAX_WIDTH: u64 = 1_000_000_000_000;
const FIX: &str = "write one of `fields: [\"$.customer.email\"]`, `detect: [card]`, `sensitivity: [pii]`, `allow: [\"$.id\"]` and `declared: true`";

/// The rules of one level.
#[derive(Clone, Copy)]
struct Above<'l> {
    masks: &'l [MaskPlan],
    errors: Option<&'l (ErrorsPlan, Origin)>,
}

impl Check<'_> {
    /// What hashes and tokens are made with.
    pub(super) fn mask_key(&mut self, file: &File, root: &At<'_>, apis: &[ApiPlan]) -> Option<Secret> {
        let text = file.mask_key.as_ref()?.0.trim_end_matches(['\r', '\n']).to_owned();
        let at = root.key("mask_key");
        if Keys::new(text.as_bytes()).is_none() {
            let diagnostic = self.wrong(&at, "weak-secret", "the secret is too short for hashes and tokens");
            self.reject(&at, diagnostic.help("use at least 32 random bytes"));
        }
        let routes = apis.iter().flat_map(|api| &api.versions).flat_map(|version| &version.routes);
        let mut masks = routes.flat_map(|route| &route.shape.masks);
        if !masks.any(|mask| needs_key(&mask.rule.action)) && !self.incomplete && !root.key("apis").is_tainted() {
            let message = "`mask_key` has no effect, because nothing is shown as a hash or a token";
            let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
            self.reject(
                &at,
                diagnostic.help("write `show: hash` or `show: tokenise` in a rule of `mask`, or remove it"),
            );
        }
        Some(Secret::new(text))
    }

    /// What `defaults` says about errors.
    pub(super) fn errors(&self, at: &At<'_>, written: Option<Errors>) -> Option<(ErrorsPlan, Origin)> {
        let plan = match written? {
            Errors::Pass => ErrorsPlan::Pass,
            Errors::Scrub => ErrorsPlan::Scrub,
            Errors::Replace => ErrorsPlan::Replace,
        };
        Some((plan, self.origin(&at.key("errors"))))
    }

    /// Gives every route of an API what its levels say about answers.
    pub(super) fn shapes(
        &mut self,
        api: &Api,
        at: &At<'_>,
        defaults: Option<&(ErrorsPlan, Origin)>,
        versions: &mut [VersionPlan],
    ) {
        let masks = self.masks(api.mask.as_deref(), at);
        let errors = self.errors(at, api.errors);
        let above = Above { masks: &masks, errors: errors.as_ref().or(defaults) };
        let all = at.key("versions");
        for plan in versions.iter_mut() {
            let Some(name) = plan.name.clone() else {
                self.of_routes(api.routes.as_deref(), &at.key("routes"), above, &mut plan.routes);
                continue;
            };
            let Some(version) = api.versions.as_ref().and_then(|versions| versions.get(&*name)) else { continue };
            let at = all.key(&name);
            let own = self.masks(version.mask.as_deref(), &at);
            let errors = self.errors(&at, version.errors);
            let joined = [above.masks, &own].concat();
            let below = Above { masks: &joined, errors: errors.as_ref().or(above.errors) };
            self.of_routes(version.routes.as_deref(), &at.key("routes"), below, &mut plan.routes);
            self.for_nobody(version.mask.as_deref(), &at, &plan.routes);
            self.of_nothing(version.mask.as_deref(), &at, &plan.routes);
        }
        let routes: Vec<RoutePlan> = versions.iter().flat_map(|version| version.routes.iter().cloned()).collect();
        self.for_nobody(api.mask.as_deref(), at, &routes);
        self.of_nothing(api.mask.as_deref(), at, &routes);
    }

    fn of_routes(&mut self, written: Option<&[Route]>, at: &At<'_>, above: Above<'_>, plans: &mut [RoutePlan]) {
        for (index, plan) in plans.iter_mut().enumerate() {
            // Of a route that a contract makes, nothing is written.
            let route = written.and_then(|written| written.get(index));
            let item = at.index(index);
            let own_rules = route.and_then(|route| route.mask.as_deref());
            let own = self.masks(own_rules, &item);
            let errors = self.errors(&item, route.and_then(|route| route.errors)).or_else(|| above.errors.cloned());
            let mut masks = [above.masks, &own].concat();
            let outline = self.outlined(plan, &mut masks, &item);
            self.compiles(&masks, outline.as_deref(), &item);
            self.for_nobody(own_rules, &item, std::slice::from_ref(plan));
            if plan.websocket.is_some() && !masks.is_empty() {
                let websocket = item.key("websocket");
                let message = "nothing can be masked in a WebSocket, and rules of `mask` apply to this route";
                let diagnostic = Diagnostic::new("contradiction", websocket.name_span(), message);
                self.reject(&websocket, diagnostic.help("remove `websocket`, or give the rules to other routes"));
            }
            let (errors, errors_origin) =
                errors.map_or((ErrorsPlan::default(), None), |(errors, at)| (errors, Some(at)));
            plan.shape = Arc::new(ShapePlan { masks, outline, errors, errors_origin });
            self.of_nothing(own_rules, &item, std::slice::from_ref(plan));
            self.undeclared(plan, &item);
        }
    }

    /// Whether the rules of a route fit together.
    fn compiles(&mut self, masks: &[MaskPlan], outline: Option<&Outline>, at: &At<'_>) {
        if masks.is_empty() {
            return;
        }
        let rules: Vec<Rule> = masks.iter().map(|mask| mask.rule.clone()).collect();
        let nothing = Outline::default();
        let (message, help) = match Ruleset::along(&rules, outline.unwrap_or(&nothing), Keys::new(&[0; 32])) {
            Ok(_) | Err(RulesError::NoKeys) => return,
            Err(RulesError::TooMany) => {
                (format!("more than {RULES_MAX} rules of `mask` apply to this route"), "give rules more than one place")
            }
            Err(RulesError::TooComplex) => (
                "the places of its rules can meet in too many ways".to_owned(),
                "use fewer `..`, or begin places nearer to what they mean",
            ),
        };
        self.reject(at, Diagnostic::new("too-large", at.name_span(), message).help(help));
    }

    /// Rules that ask who calls where nobody ever says so.
    fn for_nobody(&mut self, written: Option<&[MaskRule]>, at: &At<'_>, routes: &[RoutePlan]) {
        let section = at.key("mask");
        if routes.is_empty() || routes.iter().any(|route| route.authn != Authn::Public) || at.key("authn").is_tainted()
        {
            return;
        }
        for (index, _) in written.unwrap_or_default().iter().enumerate().filter(|(_, rule)| asks_who(rule)) {
            let item = section.index(index);
            let message = "the rule asks who calls, and anybody may call without saying so";
            let diagnostic = Diagnostic::new("never-matches", item.name_span(), message);
            self.reject(
                &item,
                diagnostic.help("remove the condition, or give the route an `authn` that asks who calls"),
            );
        }
    }

    fn masks(&mut self, written: Option<&[MaskRule]>, level: &At<'_>) -> Vec<MaskPlan> {
        let Some(written) = written else { return Vec::new() };
        let at = level.key("mask");
        if written.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "nothing is masked");
            self.reject(&at, diagnostic.help("add a rule, such as `{ fields: [\"$.customer.email\"] }`, or remove it"));
        }
        let rule = |(index, rule): (usize, &MaskRule)| self.mask(rule, &at.index(index));
        written.iter().enumerate().filter_map(rule).collect()
    }

    fn mask(&mut self, written: &MaskRule, at: &At<'_>) -> Option<MaskPlan> {
        let action = self.action(written.show.as_ref(), &at.key("show"));
        let select = self.selected(written, at)?;
        let grants = matches!(select, Select::Grant(_) | Select::Declared);
        self.conditions(written, at, grants);
        let texts =
            |list: &Option<Vec<Text>>| -> Vec<String> { list.iter().flatten().map(|text| text.0.clone()).collect() };
        let claims = |map: &Option<IndexMap<String, Vec<Text>>>| -> Vec<(String, Vec<String>)> {
            let pair =
                |(name, all): (&String, &Vec<Text>)| (name.clone(), all.iter().map(|one| one.0.clone()).collect());
            map.iter().flatten().map(pair).collect()
        };
        let only_for = written.only_for.as_ref().map(|only| Who {
            roles: texts(&only.roles),
            scopes: texts(&only.scopes),
            consumers: texts(&only.consumers),
            claims: claims(&only.claims),
        });
        let unless = Who {
            roles: texts(&written.unless_roles),
            scopes: texts(&written.unless_scopes),
            consumers: texts(&written.unless_consumers),
            claims: claims(&written.unless_claims),
        };
        let name = written.name.as_ref().map_or_else(|| at.path(), |name| name.0.clone());
        if let Some(name) = &written.name {
            self.name(&at.key("name"), &name.0, "a rule");
        }
        let audience = Audience { only_for, unless };
        let text = described(&select, &action, &audience);
        Some(MaskPlan { name: Arc::from(name), rule: Rule { select, action }, audience, text, origin: self.origin(at) })
    }

    /// What the rule is about: one thing.
    fn selected(&mut self, written: &MaskRule, at: &At<'_>) -> Option<Select> {
        let given: Vec<&str> = [
            ("fields", written.fields.is_some()),
            ("detect", written.detect.is_some()),
            ("sensitivity", written.sensitivity.is_some()),
            ("allow", written.allow.is_some()),
            ("declared", written.declared.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_there)| is_there.then_some(name))
        .collect();
        let [name] = given.as_slice() else {
            let message = match given.is_empty() {
                true => "the rule does not say what it masks".to_owned(),
                false => format!("a rule has one of `{}`", given.join("` and `")),
            };
            let code = if given.is_empty() { "no-condition" } else { "contradiction" };
            self.reject(at, Diagnostic::new(code, at.name_span(), message).help(FIX));
            return None;
        };
        let list = at.key(name);
        if let Some(Flag(declared)) = written.declared {
            return self.all_declared(declared, &list);
        }
        let length = [
            written.fields.as_ref().map(Vec::len),
            written.detect.as_ref().map(Vec::len),
            written.sensitivity.as_ref().map(Vec::len),
            written.allow.as_ref().map(Vec::len),
        ];
        self.mask_list(&list, length.into_iter().flatten().sum());
        if let Some(classes) = &written.sensitivity {
            return Some(Select::Marked(classes.iter().map(|class| Meaning::Class(class.0.as_str().into())).collect()));
        }
        if let Some(detect) = &written.detect {
            return Some(Select::Detect(detect.iter().map(|one| detector(*one)).collect()));
        }
        let grants = written.allow.is_some();
        let paths = self.paths(written.fields.as_ref().or(written.allow.as_ref())?, &list);
        Some(if grants { Select::Grant(paths) } else { Select::Paths(paths) })
    }

    /// Places in a body, as they are written.
    pub(super) fn paths(&mut self, written: &[Text], at: &At<'_>) -> Vec<Path> {
        let mut paths = Vec::new();
        for (index, Text(text)) in written.iter().enumerate() {
            let item = at.index(index);
            match Path::parse(text) {
                Ok(path) => paths.push(path),
                Err(error) => {
                    let message = format!(
                        "{} is not a place: {} was expected at character {}",
                        self.shown(&item, text),
                        error.expected,
                        error.at + 1
                    );
                    let diagnostic = self.wrong(&item, "bad-path", message);
                    self.reject(
                        &item,
                        diagnostic.help("write it like `$.customer.email`, `$.items[*].price` or `$..iban`"),
                    );
                }
            }
        }
        paths
    }

    fn mask_list(&mut self, at: &At<'_>, length: usize) {
        if length == 0 {
            let diagnostic = Diagnostic::new("empty-list", at.name_span(), "nothing can ever be in an empty list");
            self.reject(at, diagnostic.help("name something, or remove the list"));
        }
        if length > MAX_LIST {
            let diagnostic = Diagnostic::new("too-large", at.name_span(), format!("more than {MAX_LIST} entries"));
            self.reject(at, diagnostic.help("make several rules of it"));
        }
    }

    /// For whom the rule counts: lists that hold something, and that can mean something.
    fn conditions(&mut self, written: &MaskRule, at: &At<'_>, grants: bool) {
        let lists = |prefix: &'static str, lists: [&Option<Vec<Text>>; 3]| {
            let names = ["roles", "scopes", "consumers"];
            let named = names
                .into_iter()
                .zip(lists)
                .filter_map(|(name, list)| Some((format!("{prefix}{name}"), list.as_ref()?.len())));
            named.collect::<Vec<_>>()
        };
        let mut unless = lists("unless_", [&written.unless_roles, &written.unless_scopes, &written.unless_consumers]);
        unless.extend(written.unless_claims.as_ref().map(|claims| ("unless_claims".to_owned(), claims.len())));
        for (name, length) in &unless {
            let at = at.key(name);
            self.mask_list(&at, *length);
            if grants {
                let message = format!("`{name}` has no effect on what is allowed");
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                self.reject(&at, diagnostic.help("say with `only_for` whom it is allowed to"));
            }
        }
        if grants && written.show.is_some() {
            let show = at.key("show");
            let diagnostic =
                Diagnostic::new("no-effect", show.name_span(), "what is not allowed is left out, whatever `show` says");
            self.reject(&show, diagnostic.help("remove it, or mask what is allowed with a rule of its own"));
        }
        let Some(only) = &written.only_for else { return };
        let only_at = at.key("only_for");
        let mut some = lists("", [&only.roles, &only.scopes, &only.consumers]);
        some.extend(only.claims.as_ref().map(|claims| ("claims".to_owned(), claims.len())));
        some.iter().for_each(|(name, length)| self.mask_list(&only_at.key(name), *length));
        if some.is_empty() {
            let diagnostic = Diagnostic::new("no-condition", only_at.name_span(), "`only_for` means nobody");
            self.reject(&only_at, diagnostic.help("name `roles`, `scopes`, `consumers` or `claims`, or remove it"));
        }
    }

    fn action(&mut self, written: Option<&Show>, at: &At<'_>) -> Action {
        let action = match written {
            None | Some(Show::Remove) => Action::Remove,
            Some(Show::Nulled) => Action::Null,
            Some(Show::Replace(text)) => Action::Replace(text.0.clone()),
            Some(Show::Hash) => Action::Hash,
            Some(Show::Tokenise) => Action::Tokenise,
            Some(Show::Generalise(Generalise::Year)) => Action::Generalise(Coarser::Year),
            Some(Show::Generalise(Generalise::Month)) => Action::Generalise(Coarser::Month),
            Some(Show::Generalise(Generalise::Range(width))) => {
                let range = at.key("generalise");
                Action::Generalise(Coarser::Range(
                    self.within(&range.key("range"), width.0, (1, MAX_WIDTH), |width| width.to_string()),
                ))
            }
            Some(Show::Partial(partial)) => {
                let partial_at = at.key("partial");
                let mut number = |name: &str, count: Option<crate::scalar::Count>| {
                    let count = count.map_or(0, |count| count.0);
                    let count =
                        self.within(&partial_at.key(name), count, (0, defaults::MAX_SHOWN), |count| count.to_string());
                    usize::try_from(count).unwrap_or(0)
                };
                let (first, last) = (number("first", partial.first), number("last", partial.last));
                if (first, last) == (0, 0) {
                    let diagnostic = Diagnostic::new("no-effect", partial_at.name_span(), "no character is shown");
                    self.reject(&partial_at, diagnostic.help("write `partial: { last: 4 }`, or `replace: \"****\"`"));
                }
                Action::Partial { first, last }
            }
        };
        if needs_key(&action) && !self.has_mask_key && !self.incomplete {
            let message = "hashes and tokens need a key, and there is no `mask_key`";
            let diagnostic = self.wrong(at, "missing-key", message);
            self.reject(
                at,
                diagnostic
                    .help("add `mask_key: { env: PORTCULLIS_MASK_KEY }` to the file, a secret of at least 32 bytes"),
            );
        }
        action
    }
}

/// Whether a rule is not for everybody.
const fn asks_who(rule: &MaskRule) -> bool {
    rule.only_for.is_some()
        || rule.unless_roles.is_some()
        || rule.unless_scopes.is_some()
        || rule.unless_consumers.is_some()
        || rule.unless_claims.is_some()
}

fn needs_key(action: &Action) -> bool {
    matches!(action, Action::Hash | Action::Tokenise)
}

const fn detector(written: Detect) -> Detector {
    match written {
        Detect::Card => Detector::Card,
        Detect::Iban => Detector::Iban,
        Detect::Email => Detector::Email,
        Detect::Phone => Detector::Phone,
        Detect::NationalId => Detector::NationalId,
        Detect::BearerToken => Detector::BearerToken,
        Detect::PrivateKey => Detector::PrivateKey,
    }
}

/// A rule in one line.
fn described(select: &Select, action: &Action, audience: &Audience) -> String {
    let paths = |paths: &[Path]| paths.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let mut text = match select {
        Select::Grant(allowed) => format!("allow {}", paths(allowed)),
        Select::Declared => "allow what the contract declares".to_owned(),
        Select::Paths(masked) => format!("{}: {action}", paths(masked)),
        Select::Marked(marks) => {
            let marks: Vec<String> = marks.iter().map(ToString::to_string).collect();
            format!("marked {}: {action}", marks.join(", "))
        }
        Select::Detect(found) => {
            let names: Vec<&str> = found.iter().map(|detector| detector.name()).collect();
            format!("{}: {action}", names.join(", "))
        }
    };
    if let Some(only) = &audience.only_for {
        text.push_str(&format!("; only for {}", only.text()));
    }
    if !audience.unless.is_nobody() {
        text.push_str(&format!("; unless {}", audience.unless.text()));
    }
    text
}
