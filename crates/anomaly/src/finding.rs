//! What is said about something unusual.

/// Something unusual, with the numbers that made it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Finding {
    /// What is unusual.
    pub kind: Kind,
    /// About whom.
    pub who: Who,
    /// When it was noticed, in milliseconds since 1970.
    pub at_ms: u64,
    /// What was seen, in the unit of its kind.
    pub seen: f64,
    /// What is usual, in the same unit; 0 where nothing is known yet.
    pub usual: f64,
    /// What it would have taken to be noticed, in the same unit.
    pub bound: f64,
    /// Over how many seconds.
    pub window_s: u64,
}

/// About whom something is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A principal.
    Principal(u64),
    /// A principal at an operation.
    PrincipalAt(u64, u64),
    /// An address.
    Address(u64),
    /// All of them together.
    Everybody,
}

/// What can be unusual. In brackets: the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// More requests than ever at this time of day (requests a minute).
    Rate,
    /// More bytes than ever at this time of day: data may be carried off (bytes a minute).
    Volume,
    /// More of the answers are 4xx than usual (share).
    Errors,
    /// Many answers 401 (answers a minute).
    Unauthorized,
    /// Many answers 403 (answers a minute).
    Forbidden,
    /// Many answers 404 (answers a minute).
    NotFound,
    /// Objects asked for one after another by their numbers (objects in a row).
    Sequential,
    /// More different objects than usual (objects in two minutes).
    Sweep,
    /// Operations in an order in which nobody calls them (bits of surprise a call).
    Sequence,
    /// Wrong credentials from many addresses, few from each (addresses a minute).
    Stuffing,
    /// A network from which this principal never called (requests).
    NewNetwork,
    /// A country from which this principal never called (requests).
    NewCountry,
    /// A kind of client that this principal never used (requests).
    NewClient,
    /// A time of day at which this principal never calls (requests an hour).
    Hour,
}

// === impl Kind ===

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 14] = [
        Self::Rate,
        Self::Volume,
        Self::Errors,
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Sequential,
        Self::Sweep,
        Self::Sequence,
        Self::Stuffing,
        Self::NewNetwork,
        Self::NewCountry,
        Self::NewClient,
        Self::Hour,
    ];

    /// A name that does not change.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::Volume => "volume",
            Self::Errors => "errors",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Sequential => "sequential_ids",
            Self::Sweep => "id_sweep",
            Self::Sequence => "sequence",
            Self::Stuffing => "credential_stuffing",
            Self::NewNetwork => "new_network",
            Self::NewCountry => "new_country",
            Self::NewClient => "new_client",
            Self::Hour => "hour",
        }
    }

    /// How much it says by itself: 1 is a reason to look, 4 is a reason to act.
    #[must_use]
    pub const fn weight(self) -> u32 {
        match self {
            Self::NewClient | Self::Hour | Self::Errors => 1,
            Self::NewNetwork | Self::Sequence | Self::NotFound | Self::Rate => 2,
            Self::Volume | Self::Forbidden | Self::Sweep | Self::Stuffing | Self::NewCountry => 3,
            Self::Unauthorized | Self::Sequential => 4,
        }
    }

    pub(crate) const fn bit(self) -> u16 {
        1 << (self as u16)
    }
}
