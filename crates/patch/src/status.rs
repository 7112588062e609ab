//! How far a bundle has come.

/// What becomes of requests that patches of a bundle are about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// They pass, and their records say what would have refused them.
    Observe,
    /// They are refused, unless the patch itself only observes.
    Enforce,
}

// === impl Stage ===

impl Stage {
    /// The name in files, records and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Enforce => "enforce",
        }
    }

    /// The one with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        [Self::Observe, Self::Enforce].into_iter().find(|stage| stage.name() == name)
    }
}
