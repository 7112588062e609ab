//! How a version comes to its end.

/// What its callers are told, and when it is no longer served. Moments are seconds since 1970.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LifecyclePlan {
    /// Since when nobody should begin to use it.
    pub deprecated_at: Option<i64>,
    /// From when on it is gone.
    pub sunset_at: Option<i64>,
    /// A page about what to do instead.
    pub link: Option<String>,
    /// The path of the version to use instead, where another one is the default.
    pub successor: Option<String>,
    /// When it answers as if it were gone, from the first to before the last moment.
    pub brownouts: Vec<(i64, i64)>,
    /// Who is served then all the same.
    pub exempt: Vec<String>,
}

/// How a request says which version of an API it is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum VersionBy {
    /// By segments of its path.
    #[default]
    Path,
    /// By a field of this name, in small letters.
    Header(String),
    /// By this parameter of its query.
    Query(String),
    /// By this parameter of the media types that it accepts, in small letters.
    MediaType(String),
}
