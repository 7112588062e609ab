//! The values of one request: every name and every value once, in one buffer.
//! Decides what a variable of the language reads; transformations and rules come later.

use crate::bytes::{index, len32};
use crate::variable::Var;

/// A piece of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A named value.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    /// What the gates found out about either half: 0 for nothing left to match, otherwise the number of a set.
    pub(crate) marks: [u32; 2],
    pub(crate) name: Span,
    pub(crate) value: Span,
}

/// Where values are kept; scalars are lists of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum List {
    ArgsGet,
    ArgsPost,
    ArgsSize,
    Files,
    FilesSizes,
    FilesSize,
    PartHeaders,
    MultipartFlags,
    Headers,
    Cookies,
    Filename,
    Basename,
    Uri,
    UriRaw,
    Line,
    Method,
    Protocol,
    Body,
    BodyLength,
    Query,
    XmlText,
    XmlAttributes,
    Processor,
    BodyError,
    BodyErrorMsg,
    ResponseBody,
    ResponseHeaders,
    ResponseStatus,
    ResponseProtocol,
    ResponseType,
    ResponseLength,
    RemoteAddr,
    RemotePort,
    ServerName,
    UniqueId,
    Derived,
}

/// How many lists there are.
pub(crate) const LISTS: usize = 36;

/// Which half of an entry a variable reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Half {
    Name,
    Value,
}

/// The values of a request.
#[derive(Debug)]
pub(crate) struct Store {
    arena: Vec<u8>,
    lists: [Vec<Entry>; LISTS],
    /// How many entries of each list have been scanned.
    scanned: [usize; LISTS],
    /// The lists that anybody reads; what belongs to others isn't kept.
    wanted: Wanted,
}

/// A set of lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Wanted(u64);

// === impl List ===

impl List {
    pub(crate) fn at(self) -> usize {
        self as usize
    }
}

// === impl Wanted ===

impl Wanted {
    pub(crate) const ALL: Self = Self(u64::MAX);
    pub(crate) const NONE: Self = Self(0);

    /// What the engine itself reads: arguments to count them, headers, cookies, and what a body says of itself.
    pub(crate) const ALWAYS: Self = Self(0)
        .with(List::ArgsGet)
        .with(List::ArgsPost)
        .with(List::Headers)
        .with(List::Cookies)
        .with(List::Files)
        .with(List::MultipartFlags)
        .with(List::BodyError);

    pub(crate) const fn with(self, list: List) -> Self {
        Self(self.0 | 1 << list as u32)
    }

    pub(crate) fn has(self, list: List) -> bool {
        self.0 >> list.at() & 1 == 1
    }
}

// === impl Entry ===

impl Entry {
    pub(crate) fn mark(&self, half: Half) -> u32 {
        let [name, value] = self.marks;
        if half == Half::Name { name } else { value }
    }
}

// === impl Span ===

impl Span {
    pub(crate) fn len(self) -> usize {
        index(self.end.saturating_sub(self.start))
    }
}

// === impl Store ===

impl Default for Store {
    fn default() -> Self {
        Self {
            arena: Vec::with_capacity(4096),
            lists: std::array::from_fn(|_| Vec::new()),
            scanned: [0; LISTS],
            wanted: Wanted::ALL,
        }
    }
}

impl Store {
    pub(crate) fn clear(&mut self, wanted: Wanted) {
        self.wanted = wanted;
        self.arena.clear();
        for list in &mut self.lists {
            list.clear();
        }
        self.scanned = [0; LISTS];
    }

    /// Drops the lists that aren't among `kept`, and all bytes but those of the others and of `spans`.
    pub(crate) fn keep_only<'s>(&mut self, kept: Wanted, spans: impl Iterator<Item = &'s mut Span>) {
        let all = std::mem::take(&mut self.arena);
        let mut arena = Vec::new();
        let mut take_over = |span: &mut Span| {
            let start = len32(arena.len());
            arena.extend_from_slice(all.get(index(span.start)..index(span.end)).unwrap_or_default());
            *span = Span { start, end: len32(arena.len()) };
        };
        for ((list, entries), scanned) in crate::gate::ALL_LISTS.iter().zip(&mut self.lists).zip(&mut self.scanned) {
            if kept.has(*list) {
                entries.iter_mut().flat_map(|entry| [&mut entry.name, &mut entry.value]).for_each(&mut take_over);
            } else {
                *entries = Vec::new();
                *scanned = 0;
            }
        }
        spans.for_each(take_over);
        self.arena = arena;
    }

    /// How many bytes the values have.
    pub(crate) fn bytes_kept(&self) -> usize {
        self.arena.len()
    }

    /// The mark of an entry that the gates haven't seen: every rule may match it.
    pub(crate) const UNSCANNED: u32 = u32::MAX;

    /// Which entry of a list is the first not to have been scanned.
    pub(crate) fn unscanned(&self, list: List) -> usize {
        self.scanned.get(list.at()).copied().unwrap_or(0)
    }

    /// Notes that all entries of a list have been scanned.
    pub(crate) fn scanned(&mut self, list: List) {
        let count = self.list(list).len();
        if let Some(scanned) = self.scanned.get_mut(list.at()) {
            *scanned = count;
        }
    }

    pub(crate) fn mark(&mut self, list: List, half: Half, at: usize, mark: u32) {
        let entry = self.lists.get_mut(list.at()).and_then(|l| l.get_mut(at));
        if let (Some(entry), at) = (entry, usize::from(half == Half::Value))
            && let Some(slot) = entry.marks.get_mut(at)
        {
            *slot = mark;
        }
    }

    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        self.arena.get(index(span.start)..index(span.end)).unwrap_or_default()
    }

    /// The values of a list.
    pub(crate) fn list(&self, list: List) -> &[Entry] {
        self.lists.get(list.at()).map_or(&[], Vec::as_slice)
    }

    /// Copies bytes in.
    pub(crate) fn intern(&mut self, bytes: &[u8]) -> Span {
        let start = len32(self.arena.len());
        self.arena.extend_from_slice(bytes);
        Span { start, end: len32(self.arena.len()) }
    }

    /// Lets `write` append to the buffer and says what it appended. It must only append.
    pub(crate) fn write(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> Span {
        let start = len32(self.arena.len());
        write(&mut self.arena);
        Span { start, end: len32(self.arena.len()) }
    }

    /// Whether anybody reads the list.
    pub(crate) fn wants(&self, list: List) -> bool {
        self.wanted.has(list)
    }

    /// Adds a named value.
    pub(crate) fn push(&mut self, list: List, name: Span, value: Span) {
        if !self.wants(list) {
            return;
        }
        let entry = Entry { marks: [Self::UNSCANNED; 2], name, value };
        if let Some(list) = self.lists.get_mut(list.at()) {
            list.push(entry);
        }
    }

    /// Makes a scalar hold `value`.
    pub(crate) fn set(&mut self, list: List, value: Span) {
        if let Some(entries) = self.lists.get_mut(list.at()) {
            entries.clear();
        }
        if let Some(scanned) = self.scanned.get_mut(list.at()) {
            *scanned = 0;
        }
        self.push(list, Span::default(), value);
    }

    pub(crate) fn set_bytes(&mut self, list: List, value: &[u8]) {
        if !self.wants(list) {
            return;
        }
        let span = self.intern(value);
        self.set(list, span);
    }

    pub(crate) fn set_number(&mut self, list: List, value: usize) {
        if !self.wants(list) {
            return;
        }
        let span = self.write(|out| crate::bytes::push_decimal(out, i64::try_from(value).unwrap_or(i64::MAX)));
        self.set(list, span);
    }

    /// The scalar's bytes, empty if it isn't set.
    pub(crate) fn scalar(&self, list: List) -> &[u8] {
        self.list(list).first().map_or(&[], |entry| self.bytes(entry.value))
    }

    /// The first member called `name`, letters of either case.
    pub(crate) fn find(&self, list: List, name: &[u8]) -> Option<&Entry> {
        self.list(list).iter().find(|entry| self.bytes(entry.name).eq_ignore_ascii_case(name))
    }
}

/// Where a variable's values are; nothing for those that aren't in the store (`TX`, `MATCHED_VAR`, …).
pub(crate) fn sources(var: Var) -> &'static [(List, Half)] {
    use Half::{Name, Value};
    match var {
        Var::Args => &[(List::ArgsGet, Value), (List::ArgsPost, Value)],
        Var::ArgsNames => &[(List::ArgsGet, Name), (List::ArgsPost, Name)],
        Var::ArgsGet => &[(List::ArgsGet, Value)],
        Var::ArgsGetNames => &[(List::ArgsGet, Name)],
        Var::ArgsPost => &[(List::ArgsPost, Value)],
        Var::ArgsPostNames => &[(List::ArgsPost, Name)],
        Var::ArgsCombinedSize => &[(List::ArgsSize, Value)],
        Var::Files | Var::MultipartFilename => &[(List::Files, Value)],
        Var::FilesNames | Var::MultipartName => &[(List::Files, Name)],
        Var::FilesSizes => &[(List::FilesSizes, Value)],
        Var::FilesCombinedSize => &[(List::FilesSize, Value)],
        Var::MultipartPartHeaders => &[(List::PartHeaders, Value)],
        Var::RequestHeaders => &[(List::Headers, Value)],
        Var::RequestHeadersNames => &[(List::Headers, Name)],
        Var::RequestCookies => &[(List::Cookies, Value)],
        Var::RequestCookiesNames => &[(List::Cookies, Name)],
        Var::RequestFilename => &[(List::Filename, Value)],
        Var::RequestBasename => &[(List::Basename, Value)],
        Var::RequestUri => &[(List::Uri, Value)],
        Var::RequestUriRaw => &[(List::UriRaw, Value)],
        Var::RequestLine => &[(List::Line, Value)],
        Var::RequestMethod => &[(List::Method, Value)],
        Var::RequestProtocol => &[(List::Protocol, Value)],
        Var::RequestBody => &[(List::Body, Value)],
        Var::RequestBodyLength => &[(List::BodyLength, Value)],
        Var::QueryString => &[(List::Query, Value)],
        Var::XmlText => &[(List::XmlText, Value)],
        Var::XmlAttributes => &[(List::XmlAttributes, Value)],
        Var::ReqbodyProcessor => &[(List::Processor, Value)],
        Var::ReqbodyError => &[(List::BodyError, Value)],
        Var::ReqbodyErrorMsg => &[(List::BodyErrorMsg, Value)],
        Var::ResponseBody => &[(List::ResponseBody, Value)],
        Var::ResponseHeaders => &[(List::ResponseHeaders, Value)],
        Var::ResponseHeadersNames => &[(List::ResponseHeaders, Name)],
        Var::ResponseStatus => &[(List::ResponseStatus, Value)],
        Var::ResponseProtocol => &[(List::ResponseProtocol, Value)],
        Var::ResponseContentType => &[(List::ResponseType, Value)],
        Var::ResponseContentLength => &[(List::ResponseLength, Value)],
        Var::RemoteAddr => &[(List::RemoteAddr, Value)],
        Var::RemotePort => &[(List::RemotePort, Value)],
        Var::ServerName => &[(List::ServerName, Value)],
        Var::UniqueId => &[(List::UniqueId, Value)],
        Var::Derived => &[(List::Derived, Value)],
        Var::DerivedNames => &[(List::Derived, Name)],
        Var::MultipartStrictError
        | Var::MultipartUnmatchedBoundary
        | Var::MultipartFlag(_)
        | Var::Duration
        | Var::Rule(_)
        | Var::HighestSeverity
        | Var::MatchedVar
        | Var::MatchedVarName
        | Var::MatchedVars
        | Var::MatchedVarsNames
        | Var::Tx => &[],
    }
}
