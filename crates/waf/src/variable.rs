//! The variables a rule can look at, by name, and which of them are collections.

/// A variable of the rule language.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[allow(clippy::enum_variant_names, reason = "the language's own names")]
pub(crate) enum Var {
    Args,
    ArgsNames,
    ArgsGet,
    ArgsGetNames,
    ArgsPost,
    ArgsPostNames,
    ArgsCombinedSize,
    Files,
    FilesNames,
    FilesSizes,
    FilesCombinedSize,
    MultipartPartHeaders,
    MultipartFilename,
    MultipartName,
    MultipartStrictError,
    MultipartUnmatchedBoundary,
    MultipartFlag(u8),
    RequestHeaders,
    RequestHeadersNames,
    RequestCookies,
    RequestCookiesNames,
    RequestFilename,
    RequestBasename,
    RequestUri,
    RequestUriRaw,
    RequestLine,
    RequestMethod,
    RequestProtocol,
    RequestBody,
    RequestBodyLength,
    QueryString,
    XmlText,
    XmlAttributes,
    ReqbodyProcessor,
    ReqbodyError,
    ReqbodyErrorMsg,
    ResponseBody,
    ResponseHeaders,
    ResponseHeadersNames,
    ResponseStatus,
    ResponseProtocol,
    ResponseContentType,
    ResponseContentLength,
    RemoteAddr,
    RemotePort,
    ServerName,
    UniqueId,
    /// Values inside values: no variable of other engines, so that only rules written for it see them.
    Derived,
    DerivedNames,
    Duration,
    Rule(RuleField),
    HighestSeverity,
    MatchedVar,
    MatchedVarName,
    MatchedVars,
    MatchedVarsNames,
    Tx,
}

/// The fields of the running rule that `%{rule.id}` and its like name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum RuleField {
    Id,
    Msg,
    Severity,
}

/// The multipart anomaly flags, in the order in which the parser keeps them.
pub(crate) const MULTIPART_FLAGS: [&str; 11] = [
    "MULTIPART_BOUNDARY_QUOTED",
    "MULTIPART_BOUNDARY_WHITESPACE",
    "MULTIPART_DATA_BEFORE",
    "MULTIPART_DATA_AFTER",
    "MULTIPART_HEADER_FOLDING",
    "MULTIPART_LF_LINE",
    "MULTIPART_MISSING_SEMICOLON",
    "MULTIPART_INVALID_QUOTING",
    "MULTIPART_INVALID_PART",
    "MULTIPART_INVALID_HEADER_FOLDING",
    "MULTIPART_FILE_LIMIT_EXCEEDED",
];

const NAMES: &[(&str, Var)] = &[
    ("ARGS", Var::Args),
    ("ARGS_NAMES", Var::ArgsNames),
    ("ARGS_GET", Var::ArgsGet),
    ("ARGS_GET_NAMES", Var::ArgsGetNames),
    ("ARGS_POST", Var::ArgsPost),
    ("ARGS_POST_NAMES", Var::ArgsPostNames),
    ("ARGS_COMBINED_SIZE", Var::ArgsCombinedSize),
    ("FILES", Var::Files),
    ("FILES_NAMES", Var::FilesNames),
    ("FILES_SIZES", Var::FilesSizes),
    ("FILES_COMBINED_SIZE", Var::FilesCombinedSize),
    ("MULTIPART_PART_HEADERS", Var::MultipartPartHeaders),
    ("MULTIPART_FILENAME", Var::MultipartFilename),
    ("MULTIPART_NAME", Var::MultipartName),
    ("MULTIPART_STRICT_ERROR", Var::MultipartStrictError),
    ("MULTIPART_UNMATCHED_BOUNDARY", Var::MultipartUnmatchedBoundary),
    ("REQUEST_HEADERS", Var::RequestHeaders),
    ("REQUEST_HEADERS_NAMES", Var::RequestHeadersNames),
    ("REQUEST_COOKIES", Var::RequestCookies),
    ("REQUEST_COOKIES_NAMES", Var::RequestCookiesNames),
    ("REQUEST_FILENAME", Var::RequestFilename),
    ("REQUEST_BASENAME", Var::RequestBasename),
    ("REQUEST_URI", Var::RequestUri),
    ("REQUEST_URI_RAW", Var::RequestUriRaw),
    ("REQUEST_LINE", Var::RequestLine),
    ("REQUEST_METHOD", Var::RequestMethod),
    ("REQUEST_PROTOCOL", Var::RequestProtocol),
    ("REQUEST_BODY", Var::RequestBody),
    ("REQUEST_BODY_LENGTH", Var::RequestBodyLength),
    ("QUERY_STRING", Var::QueryString),
    ("REQBODY_PROCESSOR", Var::ReqbodyProcessor),
    ("REQBODY_ERROR", Var::ReqbodyError),
    ("REQBODY_PROCESSOR_ERROR", Var::ReqbodyError),
    ("REQBODY_ERROR_MSG", Var::ReqbodyErrorMsg),
    ("REQBODY_PROCESSOR_ERROR_MSG", Var::ReqbodyErrorMsg),
    ("RESPONSE_BODY", Var::ResponseBody),
    ("RESPONSE_HEADERS", Var::ResponseHeaders),
    ("RESPONSE_HEADERS_NAMES", Var::ResponseHeadersNames),
    ("RESPONSE_STATUS", Var::ResponseStatus),
    ("RESPONSE_PROTOCOL", Var::ResponseProtocol),
    ("RESPONSE_CONTENT_TYPE", Var::ResponseContentType),
    ("RESPONSE_CONTENT_LENGTH", Var::ResponseContentLength),
    ("REMOTE_ADDR", Var::RemoteAddr),
    ("REMOTE_PORT", Var::RemotePort),
    ("SERVER_NAME", Var::ServerName),
    ("UNIQUE_ID", Var::UniqueId),
    ("DERIVED", Var::Derived),
    ("DERIVED_NAMES", Var::DerivedNames),
    ("DURATION", Var::Duration),
    ("HIGHEST_SEVERITY", Var::HighestSeverity),
    ("MATCHED_VAR", Var::MatchedVar),
    ("MATCHED_VAR_NAME", Var::MatchedVarName),
    ("MATCHED_VARS", Var::MatchedVars),
    ("MATCHED_VARS_NAMES", Var::MatchedVarsNames),
    ("TX", Var::Tx),
];

// === impl Var ===

impl Var {
    /// The variable of that name, letters of either case. `XML` and `RULE` need their selector and are not here.
    pub(crate) fn from_name(name: &str) -> Option<Self> {
        if let Some((_, var)) = NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            return Some(*var);
        }
        let flag = MULTIPART_FLAGS.iter().position(|known| known.eq_ignore_ascii_case(name))?;
        u8::try_from(flag).ok().map(Var::MultipartFlag)
    }

    /// The name as it is written in logs.
    #[allow(clippy::wildcard_enum_match_arm, reason = "all other variables have one plain name")]
    pub(crate) fn name(self) -> &'static str {
        match self {
            Var::XmlText => "XML:/*",
            Var::XmlAttributes => "XML://@*",
            Var::Rule(_) => "RULE",
            Var::MultipartFlag(flag) => MULTIPART_FLAGS.get(usize::from(flag)).copied().unwrap_or("MULTIPART"),
            other => NAMES.iter().find(|(_, var)| *var == other).map_or("", |(name, _)| name),
        }
    }

    /// Whether the variable holds named members, so that a selector makes sense.
    pub(crate) fn is_collection(self) -> bool {
        matches!(
            self,
            Var::Args
                | Var::ArgsNames
                | Var::ArgsGet
                | Var::ArgsGetNames
                | Var::ArgsPost
                | Var::ArgsPostNames
                | Var::Files
                | Var::FilesNames
                | Var::FilesSizes
                | Var::MultipartPartHeaders
                | Var::MultipartFilename
                | Var::MultipartName
                | Var::RequestHeaders
                | Var::RequestHeadersNames
                | Var::RequestCookies
                | Var::RequestCookiesNames
                | Var::ResponseHeaders
                | Var::ResponseHeadersNames
                | Var::Derived
                | Var::DerivedNames
                | Var::MatchedVars
                | Var::MatchedVarsNames
                | Var::Tx
        )
    }
}
