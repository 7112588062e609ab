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
}
