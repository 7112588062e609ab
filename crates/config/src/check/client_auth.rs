//! Certificates of clients: who vouches for them, and which name in them counts.

use std::path::PathBuf;

use portcullis_auth::certificate::NameRule;

use super::Check;
use super::certificates::Pem;
use crate::diagnostic::Diagnostic;
use crate::file::{CertificateName, ClientAuth, ClientAuthMode, File, Mtls, defaults};
use crate::plan::ClientAuthPlan;
use crate::scalar::FileName;
use crate::tree::At;

/// LIMIT: files of one kind for one listener.
const MAX_FILES: usize = 64;

impl Check<'_> {
    pub(super) fn client_auth(&mut self, written: &ClientAuth, at: &At<'_>) -> ClientAuthPlan {
        let list = at.key("ca_files");
        if written.ca_files.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no authority vouches for clients")
                .help("name the files of some: `ca_files: [clients.pem]`");
            self.reject(&list, diagnostic);
        }
        let mode = written.mode.unwrap_or(ClientAuthMode::Required);
        let intermediates = written.intermediates.unwrap_or(defaults::INTERMEDIATES).0;
        let range = (0, defaults::MAX_INTERMEDIATES);
        let intermediates = self.within(&at.key("intermediates"), intermediates, range, |value| value.to_string());
        ClientAuthPlan {
            ca_files: self.pem_files(&written.ca_files, &list, Pem::Certificate),
            crl_files: self.pem_files(written.crl_files.as_deref().unwrap_or_default(), &at.key("crl_files"), Pem::Crl),
            required: mode == ClientAuthMode::Required,
            intermediates: usize::try_from(intermediates).unwrap_or(usize::MAX),
        }
    }

    fn pem_files(&mut self, files: &[FileName], list: &At<'_>, wanted: Pem) -> Vec<PathBuf> {
        if files.len() > MAX_FILES {
            let diagnostic =
                Diagnostic::new("too-large", list.name_span(), format!("more than {MAX_FILES} files in one list"));
            self.reject(list, diagnostic.help("put several into one file"));
        }
        files.iter().enumerate().map(|(index, name)| self.pem(&list.index(index), name, wanted)).collect()
    }

    /// What one demand says about names in certificates; `at` is the method.
    pub(super) fn mtls(&mut self, written: &Mtls, at: &At<'_>) {
        self.named.certificates_used = true;
        let Some(names) = &written.names else { return };
        let list = at.key("names");
        if names.is_empty() {
            let diagnostic = Diagnostic::new("empty-list", list.name_span(), "no name in a certificate counts")
                .help("write `names: [san_uri]`, or remove the list");
            self.reject(&list, diagnostic);
        }
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|other| other == name) {
                let at = list.index(index);
                let diagnostic = self.wrong(&at, "duplicate", "this kind of name stands twice");
                self.reject(&at, diagnostic.help("name it once"));
            }
        }
    }

    /// Listeners that ask for certificates nobody looks at, and demands that nobody could meet; to be called after every
    /// demand has been read.
    pub(super) fn unused_client_auth(&mut self, file: &File, root: &At<'_>, tokens: bool) {
        let section = root.key("listeners");
        let mut asks = section.is_tainted();
        for (name, listener) in &file.listeners {
            let listed = section.key(name);
            let tls = listed.key("tls");
            let at = tls.key("client_auth");
            asks |= at.is_tainted() || tls.is_tainted();
            let Some(written) = listener.tls.as_ref().and_then(|tls| tls.client_auth.as_ref()) else { continue };
            asks = true;
            let optional = written.mode == Some(ClientAuthMode::Optional);
            if optional && !self.named.certificates_used && !tokens {
                let message =
                    "`client_auth` has no effect, because it is optional and no `authn` looks at certificates";
                let diagnostic = Diagnostic::new("no-effect", at.name_span(), message);
                self.reject(&at, diagnostic.help("write `authn: { any_of: [{ mtls: {} }] }`, or `mode: required`"));
            }
        }
        if self.named.certificates_used && !asks {
            let message = "`mtls` is demanded, and no listener asks clients for certificates";
            let diagnostic = Diagnostic::new("no-client-auth", section.name_span(), message)
                .help("add `client_auth: { ca_files: [clients.pem] }` to the `tls` of a listener");
            self.reject(&section, diagnostic);
        }
    }
}

/// The names that count.
pub(super) fn rules_of(written: &Mtls) -> Vec<NameRule> {
    let usual = [CertificateName::SanUri, CertificateName::SanDns];
    let names = written.names.as_deref().unwrap_or(&usual);
    let rule = |name: &CertificateName| match name {
        CertificateName::SanUri => NameRule::SanUri,
        CertificateName::SanDns => NameRule::SanDns,
        CertificateName::SanEmail => NameRule::SanEmail,
        CertificateName::CommonName => NameRule::CommonName,
    };
    names.iter().map(rule).collect()
}
