//! Every rule of HTTP/1 that a message can break, by name.

use std::fmt;

macro_rules! rules {
    ($(#[$outer:meta])* $type:ident { $($name:ident = $text:literal,)+ }) => {
        $(#[$outer])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $type {
            $(#[doc = $text] $name,)+
        }

        impl $type {
            /// Every rule.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The rule in a few words. Fixed, so that it can go onto the wire.
            #[must_use]
            pub const fn rule(self) -> &'static str {
                match self { $(Self::$name => $text,)+ }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(self.rule())
            }
        }

        impl std::error::Error for $type {}
    };
}

rules! {
    /// Why bytes are not a message head.
    HeadError {
        BareLineFeed = "a line ends with a bare line feed",
        BareCarriageReturn = "a carriage return does not end a line",
        Control = "a control character stands in the head",
        RequestLine = "the request line is malformed",
        Method = "the method is not a token",
        Target = "the target holds a byte that must not stand there",
        Version = "the version of HTTP is malformed",
        VersionUnsupported = "the version of HTTP is not supported",
        StatusLine = "the status line is malformed",
        FoldedLine = "a header line is folded",
        BlankBeforeColon = "a blank stands before the colon of a header line",
        EmptyName = "a header line has no name",
        Name = "the name of a header line is not a token",
        NoColon = "a header line has no colon",
        TooManyFields = "there are too many header lines",
        HeadTooLarge = "the head is too large",
        TargetTooLong = "the target is too long",
        HostMissing = "the host field is missing",
        HostRepeated = "the host field stands twice",
        HostMalformed = "the host field is malformed",
        HostUnlikeTarget = "the host field is unlike the target",
        LengthRepeated = "content-length stands twice",
        LengthMalformed = "content-length is not a plain decimal number",
        LengthWithCoding = "content-length stands beside transfer-encoding",
        CodingRepeated = "transfer-encoding stands twice",
        CodingUnknown = "transfer-encoding is not exactly chunked",
        CodingInOldVersion = "transfer-encoding stands in a message of HTTP/1.0",
        Expectation = "the expectation is unknown",
        TargetForm = "the form of the target does not fit the method",
        PaddedValue = "a header value begins or ends with a blank, which HTTP/2 does not allow",
        ConnectionField = "a header speaks about the connection, which HTTP/2 has frames for",
        FramingLookalike = "a header name imitates one that frames the message",
    }
}

rules! {
    /// Why bytes are not a message body.
    BodyError {
        ChunkSize = "a chunk size is not a plain hexadecimal number",
        ChunkSizeOverflow = "a chunk size is too large",
        ChunkLineEnd = "a chunk line does not end with a carriage return and a line feed",
        ChunkExtension = "a chunk extension is malformed",
        ChunkExtensionTooLong = "the chunk extensions are too long",
        ChunkEnd = "the data of a chunk does not end where its size says",
        TrailerTooLarge = "the trailer section is too large",
        TrailerMalformed = "a trailer line is malformed",
        TrailerForbidden = "a trailer names a field that must not stand there",
        TooSmallChunks = "the body comes in too many tiny chunks",
        Truncated = "the body breaks off",
        TooLarge = "the body is too large",
    }
}
