//! What answers tell browsers to refuse.

/// Fields of every answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeadersPlan {
    /// The profile's name.
    pub profile: &'static str,
    /// Names in lower case, with their values.
    pub fields: Vec<(String, String)>,
    /// What is said over TLS besides (RFC 6797); empty for nothing.
    pub transport_security: String,
    /// Where browsers report, below the base path; `None` where nobody takes reports.
    pub reports: Option<String>,
}

/// Data that no browser should render, frame or run.
const API: [(&str, &str); 5] = [
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-resource-policy", "same-origin"),
];

const PERMISSIONS: &str =
    "accelerometer=(), camera=(), geolocation=(), gyroscope=(), magnetometer=(), microphone=(), payment=(), usb=()";

const BROWSER: [(&str, &str); 8] = [
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'none'",
    ),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", PERMISSIONS),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("cross-origin-embedder-policy", "require-corp"),
];

const PORTAL: [(&str, &str); 7] = [
    ("x-content-type-options", "nosniff"),
    (
        "content-security-policy",
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' https: data:; object-src 'none'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
    ),
    ("x-frame-options", "SAMEORIGIN"),
    ("referrer-policy", "strict-origin-when-cross-origin"),
    ("permissions-policy", PERMISSIONS),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

const TRANSPORT_SECURITY: &str = "max-age=31536000; includeSubDomains";

// === impl HeadersPlan ===

impl HeadersPlan {
    /// For pages of an application.
    #[must_use]
    pub fn browser() -> Self {
        Self::of("browser", &BROWSER)
    }

    /// For pages that frame each other.
    #[must_use]
    pub fn portal() -> Self {
        Self::of("portal", &PORTAL)
    }

    /// The fields of answers of an API with this base path: those of the profile, and where to report.
    #[must_use]
    pub fn fields_of(&self, base_path: &str) -> Vec<(String, String)> {
        let mut fields = self.fields.clone();
        let Some(reports) = &self.reports else { return fields };
        let place = format!("{base_path}{reports}");
        for (name, value) in &mut fields {
            let says = |word: &str| value.split(';').any(|part| part.trim_start().starts_with(word));
            if name == "content-security-policy" && !says("report-to") && !says("report-uri") {
                // Browsers that know `report-to` pass over the other one.
                value.push_str(&format!("; report-uri {place}; report-to default"));
            }
        }
        fields.push(("reporting-endpoints".to_owned(), format!("default=\"{place}\"")));
        fields
    }

    fn of(profile: &'static str, fields: &[(&str, &str)]) -> Self {
        let fields = fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self { profile, fields, transport_security: TRANSPORT_SECURITY.to_owned(), reports: None }
    }
}

impl Default for HeadersPlan {
    /// For data.
    fn default() -> Self {
        Self::of("api", &API)
    }
}
