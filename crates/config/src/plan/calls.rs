//! Which calls of gRPC a route lets through.

/// Calls of one service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrpcCalls {
    /// With its package: `shop.v1.Orders`.
    pub service: String,
    /// `None` for all methods.
    pub method: Option<String>,
}

// === impl GrpcCalls ===

impl GrpcCalls {
    /// Whether a path is that of such a call (gRPC over HTTP/2, "Requests"): its last two segments are service and method.
    #[must_use]
    pub fn fits(&self, path: &str) -> bool {
        let mut segments = path.rsplit('/');
        let (method, service) = (segments.next(), segments.next());
        service == Some(&self.service)
            && method.is_some_and(|method| self.method.as_ref().map_or(!method.is_empty(), |own| own == method))
    }
}

impl std::fmt::Display for GrpcCalls {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.service, self.method.as_deref().unwrap_or("*"))
    }
}

#[cfg(test)]
mod tests {
    use super::GrpcCalls;

    #[test]
    fn calls_are_told_by_the_end_of_their_path() {
        let one = GrpcCalls { service: "a.B".to_owned(), method: Some("Get".to_owned()) };
        let all = GrpcCalls { service: "a.B".to_owned(), method: None };
        for (path, is_one, is_of_all) in [
            ("/a.B/Get", true, true),
            ("/base/a.B/Get", true, true),
            ("/a.B/Put", false, true),
            ("/a.B/get", false, true),
            ("/a.B/", false, false),
            ("/a.b/Get", false, false),
            ("/x.a.B/Get", false, false),
            ("/a.B/Get/x", false, false),
            ("/Get", false, false),
        ] {
            assert_eq!((one.fits(path), all.fits(path)), (is_one, is_of_all), "{path}");
        }
    }
}
