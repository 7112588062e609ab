//! One question, and what of it can be believed: who it says it is from, and whether a page of ours has asked it.

use crate::ask::Via;
use crate::door::Guest;
use crate::problem::Problem;
use http::Request;

/// What cookies are called.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Jar {
    /// Where connections are encrypted: what no other host of the domain can set (RFC 6265bis section 4.1.3.2).
    secure: &'static str,
    /// And where they are not, which is on loopback only.
    plain: &'static str,
}

/// Cookies know no ports, so that console and portal of one host would take them from each other under one name.
pub(crate) const CONSOLE_JAR: Jar = Jar { secure: "__Host-portcullis", plain: "portcullis" };
pub(crate) const PORTAL_JAR: Jar = Jar { secure: "__Host-portcullis-portal", plain: "portcullis-portal" };

/// A question.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) from: Via,
    pub(crate) request: &'a Request<Vec<u8>>,
    pub(crate) jar: Jar,
    /// The address by which people know what is asked, where it has one besides `Host`.
    pub(crate) home: Option<&'a str>,
}

// === impl Asked ===

impl<'a> Asked<'a> {
    pub(crate) fn method(&self) -> &'a str {
        self.request.method().as_str()
    }

    pub(crate) fn path(&self) -> &'a str {
        self.request.uri().path()
    }

    pub(crate) fn is_read(&self) -> bool {
        matches!(self.method(), "GET" | "HEAD")
    }

    /// A field that stands once.
    pub(crate) fn field(&self, name: &str) -> Option<&'a str> {
        let mut all = self.request.headers().get_all(name).iter();
        let (first, other) = (all.next(), all.next());
        first.filter(|_| other.is_none())?.to_str().ok()
    }

    pub(crate) fn is_secure(&self) -> bool {
        matches!(self.from, Via::Listener(_, true))
    }

    fn cookie_name(&self) -> &'static str {
        if self.is_secure() { self.jar.secure } else { self.jar.plain }
    }

    /// The token of a session, as the cookie has it.
    pub(crate) fn cookie(&self) -> Option<&'a str> {
        let pairs = self.request.headers().get_all("cookie").iter().filter_map(|value| value.to_str().ok());
        let mut found = pairs.flat_map(|line| line.split(';')).filter_map(|pair| {
            let (name, value) = pair.trim().split_once('=')?;
            (name == self.cookie_name()).then_some(value)
        });
        let (first, other) = (found.next(), found.next());
        // Two of them: somebody else has set one.
        first.filter(|_| other.is_none())
    }

    /// The field that sets the cookie, or takes it away.
    pub(crate) fn set_cookie(&self, token: Option<&str>) -> String {
        let secure = if self.is_secure() { "; Secure" } else { "" };
        let end = if token.is_some() { "" } else { "; Max-Age=0" };
        format!("{}={}; Path=/; HttpOnly; SameSite=Strict{secure}{end}", self.cookie_name(), token.unwrap_or_default())
    }

    /// Whether a browser says that a page of ours has asked. What neither says where it comes from nor what it is, is no browser
    /// of today, and not believed.
    pub(crate) fn is_same_site(&self) -> Result<(), Problem> {
        let elsewhere = || Problem::forbidden("another site has asked for this");
        if self.field("sec-fetch-site").is_some_and(|site| site != "same-origin") {
            return Err(elsewhere());
        }
        let origin = self.field("origin").ok_or_else(elsewhere)?;
        if self.home == Some(origin) {
            return Ok(());
        }
        let host = self.request.headers().get("host").and_then(|host| host.to_str().ok());
        let host =
            host.or_else(|| self.request.uri().authority().map(http::uri::Authority::as_str)).ok_or_else(elsewhere)?;
        let scheme = if self.is_secure() { "https" } else { "http" };
        // A proxy in front may speak TLS for a console on loopback.
        let behind = !self.is_secure() && origin == format!("https://{host}");
        if origin == format!("{scheme}://{host}") || behind { Ok(()) } else { Err(elsewhere()) }
    }

    /// The same, with the token that only our pages have.
    pub(crate) fn is_ours<R>(&self, guest: &Guest<R>, token: Option<&str>) -> Result<(), Problem> {
        self.is_same_site()?;
        match token.is_some_and(|token| guest.vouches(token)) {
            true => Ok(()),
            false => Err(Problem::forbidden("the token of the change is missing or wrong; load the page again")),
        }
    }
}
