//! Bodies by their media types: JSON, forms, parts, texts. What cannot be judged and has a schema is refused.

use super::fields::joined;
use super::multipart::{self, Section};
use super::{Collector, PAIRS_MAX, Part, Request};
use crate::document::{Content, Operation};
use crate::json::{Builder, Json, Kind};
use crate::media::{self, MediaType, Reading};
use crate::parameter::{Parameter, Wrong, decode, pairs_of, percent_decoded};

impl Collector<'_> {
    pub(super) fn request_body<'b>(&mut self, operation: &Operation, request: &Request<'b>) -> Option<Json<'b>> {
        let body = request.body.filter(|bytes| !bytes.is_empty());
        let (declared, bytes) = match (&operation.body, body) {
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
            (Some(declared), Some(bytes)) => (declared, bytes),
        };
        let content_type = joined(request.headers, "content-type", ",");
        let Some(content_type) = content_type else {
            self.object(415, Part::Body, "", "mediaType", "the body has no Content-Type");
            return None;
        };
        self.content(&declared.content, &content_type, bytes, 422)
    }

    /// A body of a request or of an answer, with the status for one that does not fit its schema.
    pub(super) fn content<'b>(
        &mut self,
        declared: &[Content],
        content_type: &str,
        bytes: &'b [u8],
        status: u16,
    ) -> Option<Json<'b>> {
        let Some(sent) = MediaType::parse(content_type).filter(|sent| !sent.is_range()) else {
            self.object(415, Part::Body, "", "mediaType", "its Content-Type is no media type");
            return None;
        };
        let fitting = declared.iter().filter_map(|one| Some((one.media_type.fit(&sent)?, one)));
        let Some((_, content)) = fitting.max_by_key(|(fit, _)| *fit) else {
            if !self.contract.options.undeclared_media_types {
                self.object(415, Part::Body, "", "mediaType", "the contract does not declare this media type");
            }
            return None;
        };
        let schema = content.schema?;
        let reading = if content.media_type.is_range() { sent.reading() } else { content.media_type.reading() };
        if !matches!(reading, Reading::Bytes | Reading::Xml) && media::is_foreign_charset(content_type) {
            self.object(415, Part::Body, "", "charset", "it must be UTF-8");
            return None;
        }
        let json = match reading {
            Reading::Json => match Json::parse(bytes, &self.bounds.json) {
                Ok(json) => json,
                Err(error) => {
                    self.object(400, Part::Body, "", error.flaw.code(), format!("{} (byte {})", error.flaw, error.at));
                    return None;
                }
            },
            Reading::Form => self.form(content, bytes)?,
            Reading::Multipart => self.multipart(content, content_type, bytes)?,
            Reading::Text => {
                let Ok(text) = std::str::from_utf8(bytes) else {
                    self.object(400, Part::Body, "", "not_utf8", "it is not UTF-8");
                    return None;
                };
                let mut builder = Builder::default();
                content.plan.put(text, &mut builder);
                builder.finish()
            }
            Reading::Xml => {
                self.object(
                    415,
                    Part::Body,
                    "",
                    "mediaType",
                    "the structure of XML is not judged, so that it is refused",
                );
                return None;
            }
            // Bytes have no structure; a schema that wants one is not met by them.
            Reading::Bytes if content.plan.text || !(content.plan.object || content.plan.array) => return None,
            Reading::Bytes => {
                self.object(
                    415,
                    Part::Body,
                    "",
                    "mediaType",
                    "a body of this type cannot be what the schema describes",
                );
                return None;
            }
        };
        let verdict = self.contract.schemas.judge(schema, json.root(), json.size(), &self.bounds.effort);
        self.take(status, Part::Body, "", verdict);
        (reading == Reading::Json).then_some(json)
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
        let (mut builder, mut fits) = (Builder::default(), true);
        builder.open(Kind::Object);
        for (parameter, _) in &content.encoding {
            match decode(parameter, &mut pairs, false) {
                Ok(Some(json)) => {
                    builder.name(&parameter.name);
                    builder.copy(json.root());
                }
                Ok(None) => {}
                Err(Wrong { keyword, detail }) => {
                    self.object(400, Part::Body, &parameter.name, keyword, detail);
                    fits = false;
                }
            }
        }
        let mut seen = std::collections::HashSet::new();
        for pair in pairs.iter().filter(|pair| !pair.taken) {
            // Whether there may be others is for the schema to say.
            let value = percent_decoded(pair.raw, true);
            let (Ok(value), true) = (value, seen.insert(&pair.name)) else {
                self.object(400, Part::Body, &pair.name, "repeated", "it stands more than once, or is badly encoded");
                fits = false;
                continue;
            };
            builder.name(&pair.name);
            builder.text(&value);
        }
        fits.then(|| builder.finish())
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
        let (mut builder, mut fits) = (Builder::default(), true);
        builder.open(Kind::Object);
        for name in names {
            let own: Vec<&Section<'_>> = sections.iter().filter(|section| section.name == name).collect();
            let said = content.encoding.iter().find(|(parameter, _)| parameter.name.as_ref() == name);
            let is_list = said.is_some_and(|(parameter, _)| parameter.plan.array);
            if own.len() > 1 && !is_list {
                self.object(400, Part::Body, name, "repeated", "it stands more than once");
                fits = false;
                continue;
            }
            builder.name(name);
            if is_list {
                builder.open(Kind::Array);
            }
            for section in own {
                fits &= self.section(section, said, is_list, &mut builder);
            }
            if is_list {
                builder.close();
            }
        }
        fits.then(|| builder.finish())
    }

    fn section(
        &mut self,
        section: &Section<'_>,
        said: Option<&(Parameter, Vec<MediaType>)>,
        is_list: bool,
        builder: &mut Builder,
    ) -> bool {
        let sent = section.content_type.as_deref().and_then(MediaType::parse);
        let types = said.map_or(&[][..], |(_, types)| types);
        let fits = |sent: &MediaType| types.iter().any(|one| one.fit(sent).is_some());
        if !types.is_empty() && !sent.as_ref().is_some_and(fits) {
            self.object(415, Part::Body, &section.name, "encoding", "the part is not of a declared media type");
            builder.word(Kind::Null);
            return false;
        }
        let plan = said.map(|(parameter, _)| &parameter.plan);
        let plan = if is_list { plan.and_then(|plan| plan.items.as_deref()) } else { plan };
        let is_json = plan.is_some_and(|plan| plan.object)
            || sent.as_ref().is_some_and(|sent| sent.reading() == Reading::Json && plan.is_none_or(|plan| !plan.text));
        if is_json {
            return match Json::parse(section.bytes, &self.bounds.json) {
                Ok(json) => {
                    builder.copy(json.root());
                    true
                }
                Err(error) => {
                    self.object(400, Part::Body, &section.name, error.flaw.code(), error.flaw.to_string());
                    builder.word(Kind::Null);
                    false
                }
            };
        }
        // Bytes that are no text have no characters that a schema could count.
        let text = std::str::from_utf8(section.bytes).unwrap_or("");
        match plan {
            Some(plan) => plan.put(text, builder),
            None => builder.text(text),
        }
        true
    }
}
