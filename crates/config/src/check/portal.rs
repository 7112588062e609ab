//! The pages for developers: addresses that lead nowhere, colours that nobody could read, files that are not there.

use std::path::PathBuf;
use std::sync::Arc;

use super::Check;
use super::listeners::collide;
use crate::diagnostic::{Diagnostic, quote};
use crate::file::{Accent, File, Portal, PortalSecurity};
use crate::plan::{ApiPlan, ListenerPlan, PortalPlan, SecurityContactPlan, StatusPlan};
use crate::scalar::{Colour, FileName, Text};
use crate::tree::At;

/// LIMIT: bytes of a text or of the logo.
const MAX_FILE_BYTES: u64 = 1 << 20;
/// LIMIT: pages of the operator's own.
const MAX_PAGES: usize = 100;
/// Hundredths: what WCAG 2.2 asks of texts (success criterion 1.4.3, level AA).
const MIN_CONTRAST: u32 = 450;
/// What the pages are written on.
const PAPER: [(&str, Colour); 2] = [("light", Colour([255, 255, 255])), ("dark", Colour([15, 20, 25]))];
/// Ends of names of images.
const IMAGES: [&str; 5] = ["png", "jpg", "jpeg", "webp", "svg"];

impl Check<'_> {
    pub(super) fn portal(
        &mut self,
        file: &File,
        root: &At<'_>,
        taken: (&[ListenerPlan], &StatusPlan),
    ) -> Option<PortalPlan> {
        let written = file.portal.as_ref()?;
        let section = root.key("portal");
        let mut plan = PortalPlan::default();
        if let Some(bind) = written.bind {
            plan.bind = bind.0;
        }
        self.portal_address(written, &section, &plan, taken);
        if let Some(title) = &written.title {
            plan.title.clone_from(&title.0);
        }
        plan.address = written.address.as_ref().and_then(|address| self.home(&section.key("address"), address));
        plan.try_it = written.try_it.is_some_and(|flag| flag.0);
        if plan.try_it && written.address.is_none() {
            let at = section.key("try_it");
            let diagnostic = self.wrong(&at, "no-effect", "`try_it` has no effect without `address`");
            self.reject(
                &at,
                diagnostic
                    .help("add `address: \"https://developers.example.com\"`: browsers say it of the pages that call"),
            );
        }
        plan.apis = written.apis.as_ref().map(|names| {
            let at = section.key("apis");
            self.known_apis(&at, names, file, ("no API is shown", "name one, or remove `apis` to show all"))
        });
        if let Some(accent) = &written.accent {
            plan.accent = self.accent(&section.key("accent"), accent, plan.accent);
        }
        plan.logo = written.logo.as_ref().and_then(|name| self.logo(&section.key("logo"), name));
        plan.welcome = written.welcome.as_ref().and_then(|name| self.page_file(&section.key("welcome"), name));
        let pages = section.key("pages");
        if written.pages.as_ref().is_some_and(|pages| pages.len() > MAX_PAGES) {
            let diagnostic = self.wrong(&pages, "out-of-range", format!("there are more than {MAX_PAGES} pages"));
            self.reject(&pages, diagnostic.help("put some of them together"));
        }
        for (title, name) in written.pages.iter().flatten() {
            plan.pages.extend(self.page_file(&pages.key(title), name).map(|path| (title.clone(), path)));
        }
        if let Some(accounts) = &written.accounts {
            let has_store = file.store.is_some() || root.key("store").is_tainted();
            plan.accounts =
                Some(self.portal_accounts(&section.key("accounts"), accounts, (file, plan.bind, has_store)));
        }
        plan.security = written.security.as_ref().map(|security| self.contact(&section.key("security"), security));
        Some(plan)
    }

    /// Whether there is anything that can be tried.
    pub(super) fn trials(&mut self, root: &At<'_>, portal: Option<&PortalPlan>, apis: &[ApiPlan]) {
        let Some(portal) = portal.filter(|portal| portal.try_it) else { return };
        let Some(address) = &portal.address else { return };
        let lets = |api: &ApiPlan| api.cors.as_ref().is_some_and(|cors| cors.origins.allow(address.as_bytes()));
        if apis.iter().any(|api| portal.shows(&api.name) && lets(api)) {
            return;
        }
        let section = root.key("portal");
        let at = section.key("try_it");
        let message = "`try_it` has no effect: no API that is shown lets pages of the portal call it";
        let diagnostic = self.wrong(&at, "no-effect", message);
        self.reject(
            &at,
            diagnostic.help(format!("add `cors: {{ origins: [\"{address}\"] }}` to the APIs that may be tried")),
        );
    }

    fn portal_address(
        &mut self,
        written: &Portal,
        section: &At<'_>,
        plan: &PortalPlan,
        (listeners, status): (&[ListenerPlan], &StatusPlan),
    ) {
        let at = section.key("bind");
        let place = if written.bind.is_some() { at } else { *section };
        if written.danger_exposed.is_some_and(|flag| flag.0) {
            let message = "whoever reaches the address reads how the APIs are protected, unencrypted";
            self.danger(&section.key("danger_exposed"), message);
        } else if !plan.bind.ip().is_loopback() {
            let message = format!("{} is reachable from other machines", self.shown(&at, &plan.bind.to_string()));
            let diagnostic = self.wrong(&at, "exposed-portal", message);
            let help =
                "bind to `127.0.0.1` and put it behind something that speaks HTTPS, or say `danger_exposed: true`";
            self.reject(&at, diagnostic.help(help));
        }
        let names = listeners.iter().map(|listener| (format!("listener `{}`", listener.name), listener.bind));
        let mut all = names.chain([("the status address".to_owned(), status.bind)]);
        if let Some((name, _)) = all.find(|(_, bind)| collide(*bind, plan.bind)) {
            let diagnostic = self.wrong(&place, "bind-collision", format!("the portal and {name} collide"));
            self.reject(&place, diagnostic.help("give one of them another port: `portal: { bind: … }`"));
        }
    }

    /// An address without a path, by which visitors know the site.
    pub(super) fn home(&mut self, at: &At<'_>, address: &Text) -> Option<String> {
        let text = address.0.trim_end_matches('/');
        let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let is_plain = |host: &str| {
            !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte))
        };
        if host.is_some_and(is_plain) {
            return Some(text.to_owned());
        }
        let diagnostic =
            self.wrong(at, "bad-address", format!("{} is no address of a site", self.shown(at, &address.0)));
        self.reject(at, diagnostic.help("write scheme and host: `https://developers.example.com`"));
        None
    }

    /// Names of APIs, of which there has to be one; else what is wrong and what to do.
    pub(super) fn known_apis(
        &mut self,
        at: &At<'_>,
        names: &[Text],
        file: &File,
        (none, help): (&str, &str),
    ) -> Vec<Arc<str>> {
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !file.apis.contains_key(&name.0)) {
            let at = at.index(index);
            let diagnostic = self.wrong(&at, "unknown-name", format!("there is no API {}", self.shown(&at, &name.0)));
            self.reject(&at, diagnostic.help("name one of `apis`, or remove it"));
        }
        if names.is_empty() {
            let diagnostic = self.wrong(at, "empty-list", none);
            self.reject(at, diagnostic.help(help));
        }
        names.iter().map(|name| Arc::from(name.0.as_str())).collect()
    }

    fn accent(&mut self, at: &At<'_>, accent: &Accent, usual: (String, String)) -> (String, String) {
        if accent.light.is_none() && accent.dark.is_none() {
            let diagnostic = self.wrong(at, "no-effect", "this has no effect, because no colour is named");
            self.reject(at, diagnostic.help("add `light` or `dark`, or remove it"));
        }
        let mut one = |written: Option<Colour>, (name, paper): (&str, Colour), usual: String| {
            let Some(colour) = written else { return usual };
            if colour.contrast(paper) < MIN_CONTRAST {
                let at = at.key(name);
                let message = format!("{colour} does not stand out from {paper}, on which it is written");
                let diagnostic = self.wrong(&at, "bad-contrast", message);
                self.reject(&at, diagnostic.help("choose one that is darker, or lighter on `dark`: 4.5 to 1 at least"));
            }
            colour.to_string()
        };
        let [light, dark] = PAPER;
        (one(accent.light, light, usual.0), one(accent.dark, dark, usual.1))
    }

    fn logo(&mut self, at: &At<'_>, name: &FileName) -> Option<(PathBuf, &'static str)> {
        let path = self.page_file(at, name)?;
        let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
        let known = IMAGES.into_iter().find(|one| ending.as_deref() == Some(*one));
        if known.is_none() {
            let diagnostic =
                self.wrong(at, "bad-image", format!("{} is no image that is known", self.shown(at, &name.0)));
            self.reject(at, diagnostic.help("name a file that ends with `.png`, `.jpg`, `.webp` or `.svg`"));
        }
        Some((path, known?))
    }

    /// A file that pages are made of, which has to be there.
    fn page_file(&mut self, at: &At<'_>, name: &FileName) -> Option<PathBuf> {
        let path = self.locate(at, name);
        self.watch(&path);
        match self.environment.read(&path, MAX_FILE_BYTES) {
            Ok(_) => Some(path),
            Err(_) if at.is_tainted() => None,
            Err(why) => {
                let message = format!("{} cannot be read: {why}", self.shown(at, &name.0));
                let diagnostic = self.wrong(at, "unreadable-file", message);
                self.reject(at, diagnostic.help("name a file of at most 1 MiB that is there"));
                None
            }
        }
    }

    fn contact(&mut self, at: &At<'_>, security: &PortalSecurity) -> SecurityContactPlan {
        let contact = at.key("contact");
        if security.contact.is_empty() {
            let diagnostic = self.wrong(&contact, "empty-list", "there is nobody to tell");
            self.reject(&contact, diagnostic.help("write `contact: [\"mailto:security@example.com\"]`"));
        }
        for (index, one) in security.contact.iter().enumerate() {
            self.safe_link(&contact.index(index), one, &["mailto:", "https://", "tel:"]);
        }
        if let Some(policy) = &security.policy {
            self.safe_link(&at.key("policy"), policy, &["https://"]);
        }
        let languages = at.key("languages");
        for (index, language) in security.languages.iter().flatten().enumerate() {
            let is_tag = language.0.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
            if !is_tag || language.0.is_empty() {
                let at = languages.index(index);
                let diagnostic =
                    Diagnostic::new("bad-name", at.span(), format!("{} is no language", self.shown(&at, &language.0)));
                self.reject(&at, diagnostic.help("write a language tag: `en`, `de`, `pt-BR`"));
            }
        }
        let texts = |list: &[Text]| list.iter().map(|one| one.0.clone()).collect::<Vec<_>>();
        SecurityContactPlan {
            contact: texts(&security.contact),
            expires: security.expires.unix,
            policy: security.policy.as_ref().map(|policy| policy.0.clone()),
            languages: security.languages.as_deref().map(texts).unwrap_or_default(),
        }
    }

    /// An address of one of these schemes, in which nothing ends a line.
    fn safe_link(&mut self, at: &At<'_>, text: &Text, schemes: &[&str]) {
        let is_known = schemes.iter().any(|scheme| text.0.starts_with(scheme) && text.0.len() > scheme.len());
        if is_known && text.0.bytes().all(|byte| byte.is_ascii_graphic()) {
            return;
        }
        let listed = schemes.iter().map(|scheme| quote(scheme)).collect::<Vec<_>>().join(", ");
        let diagnostic = self.wrong(at, "bad-address", format!("{} leads nobody anywhere", self.shown(at, &text.0)));
        self.reject(at, diagnostic.help(format!("begin it with one of {listed}, without blanks")));
    }
}
