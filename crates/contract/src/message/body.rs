//! Bodies by their media types: JSON, forms, parts, texts. What cannot be judged and has a schema is refused.

use super::fields::joined;
use super::multipart::{self, Section};
use super::{Body, Collector, PAIRS_MAX, Part, Request};
use crate::document::{Body as Declared, Content, Encoding, Operation};
use crate::json::{Builder, Json, Kind, Unsafe, append_name};
use crate::media::{self, MediaType, Reading};
use crate::parameter::{Plan, Wrong, decode, pairs_of, percent_decoded};
use crate::xml;

/// The status for a body of a request that does not fit its schema.
const UNFIT: u16 = 422;

/// Media types whose bodies go on, so that declaring one says that nobody reads them.
const STREAMS: &[(&str, &str)] = &[
    ("application", "grpc"),
    ("application", "json-seq"),
    ("application", "jsonl"),
    ("application", "ndjson"),
    ("application", "x-ndjson"),
    ("multipart", "x-mixed-replace"),
    ("text", "event-stream"),
];

/// The declaration that speaks of a body of this media type, the most exact one first, and how it is read.
pub(super) fn fitting<'d>(declared: &'d [Content], sent: &MediaType) -> Option<(&'d Content, Reading)> {
    let fitting = declared.iter().filter_map(|one| Some((one.media_type.fit(sent)?, one)));
    let (_, content) = fitting.max_by_key(|(fit, _)| *fit)?;
    let reading = if content.media_type.is_range() { sent.reading() } else { content.media_type.reading() };
    Some((content, reading))
}

/// Whether a schema has something to say about what is in such a body.
fn is_judged(content: &Content, reading: Reading) -> bool {
    let is_stream = STREAMS.iter().any(|(kind, subtype)| content.media_type.is(kind, subtype));
    match reading {
        _ if is_stream || content.schema.is_none() => false,
        Reading::Bytes => content.length.is_some() || !is_opaque(content),
        Reading::Json | Reading::Form | Reading::Multipart | Reading::Text | Reading::Xml => true,
    }
}

/// Whether bytes may be what a schema describes: they have no structure.
fn is_opaque(content: &Content) -> bool {
    content.plan.text || !(content.plan.object || content.plan.array)
}

/// Of a body of which only the length is judged, the most bytes that it may have.
fn bounded(content: &Content, reading: Reading) -> Option<u64> {
    let length = content.length.filter(|_| reading == Reading::Bytes && is_opaque(content))?;
    (length.least == 0).then_some(length.most)
}

/// The declaration for a body with this `Content-Type`.
fn declared<'d>(declared: &'d [Content], content_type: Option<&str>) -> Option<(&'d Content, Reading)> {
    content_type.and_then(MediaType::parse).and_then(|sent| fitting(declared, &sent))
}

/// Whether a body with this `Content-Type` has to be read to be judged.
pub(super) fn reads(all: &[Content], content_type: Option<&str>) -> bool {
    declared(all, content_type).is_some_and(|(content, reading)| is_judged(content, reading))
}

// === impl Body ===

impl Body<'_> {
    /// An empty body is none.
    pub(super) fn present(self) -> Option<Self> {
        match self {
            Self::Absent | Self::Whole([]) => None,
            Self::Unread | Self::Whole(_) | Self::Json(_) => Some(self),
        }
    }
}

// === impl Operation ===

impl Operation {
    /// Whether a request's body with this `Content-Type` has to be read to be judged.
    #[must_use]
    pub fn reads(&self, content_type: Option<&str>) -> bool {
        let is_read = |body: &Declared| reads(&body.content, content_type);
        self.body.as_ref().is_some_and(is_read) && self.body_bytes(content_type).is_none()
    }

    /// The most bytes that a request's body with this `Content-Type` may have, where that is all that is asked of them. It need not
    /// be read then, but whoever passes it on unread has to hold it to that.
    #[must_use]
    pub fn body_bytes(&self, content_type: Option<&str>) -> Option<u64> {
        let (content, reading) = declared(&self.body.as_ref()?.content, content_type)?;
        bounded(content, reading).filter(|_| is_judged(content, reading))
    }
}

// === impl Collector ===

impl Collector<'_> {
    pub(super) fn request_body<'b>(&mut self, operation: &Operation, request: &Request<'b>) -> Option<Json<'b>> {
        let body = request.body.present();
        let (declared, body) = match (&operation.body, body) {
            (None, None) => return None,
            (None, Some(_)) => {
                if !self.contract.options.undeclared_bodies {
                    self.object(400, Part::Body, "", "requestBody", "the contract declares no body here");
                }
                return None;
            }
            (Some(declared), None) => {
                if declared.required {
                    self.object(400, Part::Body, "", "required", "a body must be there");
                }
                return None;
            }
            (Some(declared), Some(body)) => (declared, body),
        };
        let content_type = joined(request.headers, "content-type", ",");
        let Some(content_type) = content_type else {
            self.object(415, Part::Body, "", "mediaType", "the body has no Content-Type");
            return None;
        };
        self.content(&declared.content, &content_type, body, UNFIT)
    }

    /// A body of a request or of an answer, with the status for one that does not fit its schema.
    pub(super) fn content<'b>(
        &mut self,
        declared: &[Content],
        content_type: &str,
        body: Body<'b>,
        status: u16,
    ) -> Option<Json<'b>> {
        let Some(sent) = MediaType::parse(content_type).filter(|sent| !sent.is_range()) else {
            self.object(415, Part::Body, "", "mediaType", "its Content-Type is no media type");
            return None;
        };
        let Some((content, reading)) = fitting(declared, &sent) else {
            if !self.contract.options.undeclared_media_types {
                self.object(415, Part::Body, "", "mediaType", "the contract does not declare this media type");
            }
            return None;
        };
        let schema = content.schema?;
        if !is_judged(content, reading) {
            return None;
        }
        if reading != Reading::Bytes && media::is_foreign_charset(content_type) {
            self.object(415, Part::Body, "", "charset", "it must be UTF-8");
            return None;
        }
        if reading == Reading::Bytes && is_opaque(content) {
            self.bytes((content, reading), body, status);
            return None;
        }
        let json = match body {
            Body::Absent => return None,
            Body::Unread => return self.unreadable("a body of this type cannot be read here"),
            Body::Json(Ok(json)) if reading == Reading::Json => {
                let verdict = self.contract.schemas.judge(schema, json.root(), json.size(), &self.bounds.effort);
                self.take(status, Part::Body, "", verdict);
                return None;
            }
            Body::Json(Ok(json)) => self.value((content, content_type), reading, json.source().as_bytes())?,
            // What is no JSON is nothing else either.
            Body::Json(Err(error)) => return self.no_json(error),
            Body::Whole(bytes) => self.value((content, content_type), reading, bytes)?,
        };
        let verdict = self.contract.schemas.judge(schema, json.root(), json.size(), &self.bounds.effort);
        self.take(status, Part::Body, "", verdict);
        (reading == Reading::Json).then_some(json)
    }

    /// A body as a schema judges it.
    fn value<'b>(
        &mut self,
        (content, content_type): (&Content, &str),
        reading: Reading,
        bytes: &'b [u8],
    ) -> Option<Json<'b>> {
        match reading {
            Reading::Json => match Json::parse(bytes, &self.bounds.json) {
                Ok(json) => Some(json),
                Err(error) => self.no_json(error),
            },
            Reading::Form => self.form(content, bytes),
            Reading::Multipart => self.multipart(content, content_type, bytes),
            Reading::Text => {
                let Ok(text) = std::str::from_utf8(bytes) else {
                    self.object(400, Part::Body, "", "not_utf8", "it is not UTF-8");
                    return None;
                };
                let mut builder = Builder::default();
                content.plan.put(text, &mut builder);
                Some(builder.finish())
            }
            Reading::Xml => self.xml(content, bytes),
            // Bytes have no structure; a schema that wants one is not met by them.
            Reading::Bytes => self.unreadable("a body of this type cannot be what the schema describes"),
        }
    }

    /// Of bytes only the length is known. Those of a request that nobody read are held to it by whoever carries them.
    fn bytes(&mut self, (content, reading): (&Content, Reading), body: Body<'_>, status: u16) {
        let Some(length) = content.length else { return };
        let count = match body {
            Body::Absent => 0,
            Body::Whole(bytes) => bytes.len(),
            Body::Json(Ok(json)) => json.source().len(),
            Body::Unread if status == UNFIT && bounded(content, reading).is_some() => return,
            Body::Unread | Body::Json(Err(_)) => {
                self.unreadable("a body of this type cannot be read here");
                return;
            }
        };
        let count = u64::try_from(count).unwrap_or(u64::MAX);
        if count < length.least {
            let detail = format!("it must have at least {} bytes", length.least);
            self.object(status, Part::Body, "", "minLength", detail);
        }
        if count > length.most {
            let detail = format!("it must have at most {} bytes", length.most);
            self.object(status, Part::Body, "", "maxLength", detail);
        }
    }

    fn unreadable(&mut self, detail: &str) -> Option<Json<'static>> {
        self.object(415, Part::Body, "", "mediaType", detail);
        None
    }

    fn xml(&mut self, content: &Content, bytes: &[u8]) -> Option<Json<'static>> {
        let Some(root) = &content.xml else { return self.unreadable("XML is not described here") };
        let text =
            std::str::from_utf8(bytes).map_err(|_| xml::Wrong { keyword: "not_utf8", detail: "it is not UTF-8" });
        match text.and_then(|text| xml::value(text, (&self.contract.shapes, root), &self.bounds.json)) {
            Ok(json) => Some(json),
            Err(xml::Wrong { keyword, detail }) => {
                self.object(400, Part::Body, "", keyword, detail);
                None
            }
        }
    }

    fn no_json(&mut self, error: Unsafe) -> Option<Json<'static>> {
        self.object(400, Part::Body, "", error.flaw.code(), format!("{} (byte {})", error.flaw, error.at));
        None
    }

    fn form(&mut self, content: &Content, bytes: &[u8]) -> Option<Json<'static>> {
        let text = std::str::from_utf8(bytes).map_err(|_| Wrong { keyword: "not_utf8", detail: "it is not UTF-8" });
        let mut pairs = match text.and_then(|text| pairs_of(text, PAIRS_MAX)) {
            Ok(pairs) => pairs,
            Err(Wrong { keyword, detail }) => {
                self.object(400, Part::Body, "", keyword, detail);
                return None;
            }
        };
        let mut builder = Builder::default();
        builder.open(Kind::Object);
        for Encoding { parameter, .. } in &content.encoding {
            match decode(parameter, &mut pairs, false) {
                Ok(Some(json)) => {
                    builder.name(&parameter.name);
                    builder.copy(json.root());
                }
                Ok(None) => {}
                Err(Wrong { keyword, detail }) => {
                    self.object(400, Part::Body, &parameter.name, keyword, detail);
                    self.unread(&parameter.name, &mut builder);
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        for pair in pairs.iter().filter(|pair| !pair.taken) {
            // Whether there may be others is for the schema to say.
            let is_new = seen.insert(&pair.name);
            match percent_decoded(pair.raw, true) {
                Ok(value) if is_new => content.plan.put_member(&pair.name, &value, &mut builder),
                Ok(_) | Err(_) => {
                    let detail = "it stands more than once, or is badly encoded";
                    self.object(400, Part::Body, &pair.name, "repeated", detail);
                    if is_new {
                        self.unread(&pair.name, &mut builder);
                    }
                }
            }
        }
        Some(builder.finish())
    }

    /// A member that cannot be read was objected to. It is there, so that the others can be judged, and nothing more is said of it.
    fn unread(&mut self, name: &str, builder: &mut Builder) {
        let mut pointer = String::new();
        append_name(&mut pointer, name);
        self.unread.push(pointer);
        builder.name(name);
        builder.word(Kind::Null);
    }

    fn multipart(&mut self, content: &Content, content_type: &str, bytes: &[u8]) -> Option<Json<'static>> {
        let boundary = media::parameter(content_type, "boundary").unwrap_or_default();
        let sections = match multipart::sections(bytes, &boundary) {
            Ok(sections) => sections,
            Err(detail) => {
                self.object(400, Part::Body, "", "multipart", detail);
                return None;
            }
        };
        let mut names: Vec<&str> = Vec::new();
        for section in &sections {
            if !names.contains(&section.name.as_str()) {
                names.push(&section.name);
            }
        }
        let mut builder = Builder::default();
        builder.open(Kind::Object);
        for name in names {
            let own: Vec<&Section<'_>> = sections.iter().filter(|section| section.name == name).collect();
            let said = content.encoding.iter().find(|one| *one.parameter.name == *name);
            let plan = said.map(|one| &one.parameter.plan).or_else(|| content.plan.member(name));
            let is_list = plan.is_some_and(|plan| plan.array);
            for section in &own {
                self.part(section, said);
            }
            if own.len() > 1 && !is_list {
                self.object(400, Part::Body, name, "repeated", "it stands more than once");
                self.unread(name, &mut builder);
                continue;
            }
            builder.name(name);
            if is_list {
                builder.open(Kind::Array);
            }
            for (place, section) in own.into_iter().enumerate() {
                let plan = if is_list { plan.and_then(|plan| plan.item(place)) } else { plan };
                let mut pointer = String::new();
                append_name(&mut pointer, name);
                if is_list {
                    append_name(&mut pointer, &place.to_string());
                }
                self.section(section, plan, pointer, &mut builder);
            }
            if is_list {
                builder.close();
            }
        }
        Some(builder.finish())
    }

    /// What is said about a part itself: its media type and its header fields.
    fn part(&mut self, section: &Section<'_>, said: Option<&Encoding>) {
        let Some(said) = said else { return };
        let sent = section.content_type.as_deref().and_then(MediaType::parse);
        let fits = |sent: &MediaType| said.types.iter().any(|one| one.fit(sent).is_some());
        if !said.types.is_empty() && !sent.as_ref().is_some_and(fits) {
            self.object(415, Part::Body, &section.name, "encoding", "the part is not of a declared media type");
        }
        for parameter in &said.headers {
            let name = format!("{}: {}", section.name, parameter.name);
            self.field_of(parameter, &section.fields, Part::Body, &name);
        }
    }

    fn section(&mut self, section: &Section<'_>, plan: Option<&Plan>, pointer: String, builder: &mut Builder) {
        let sent = section.content_type.as_deref().and_then(MediaType::parse);
        let is_json = plan.is_some_and(|plan| plan.object)
            || sent.as_ref().is_some_and(|sent| sent.reading() == Reading::Json && plan.is_none_or(|plan| !plan.text));
        if is_json {
            match Json::parse(section.bytes, &self.bounds.json) {
                Ok(json) => builder.copy(json.root()),
                Err(error) => {
                    self.object(400, Part::Body, &section.name, error.flaw.code(), error.flaw.to_string());
                    self.unread.push(pointer);
                    builder.word(Kind::Null);
                }
            }
            return;
        }
        // Bytes that are no text have no characters that a schema could count.
        let text = std::str::from_utf8(section.bytes).unwrap_or("");
        match plan {
            Some(plan) => plan.put(text, builder),
            None => builder.text(text),
        }
    }
}
