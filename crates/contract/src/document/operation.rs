//! One operation: its parameters, its bodies, its answers.

use super::length::Length;
use super::{Answer, Body, Content, Encoding, Operation, Statuses, Template};
use crate::media::{MediaType, Reading};
use crate::parameter::{Location, Parameter, Plan, Style};
use crate::schema::{Compiler, Direction, Library, SchemaId, Spot};
use crate::tree::Severity;
use crate::xml::Shapes;

/// LIMIT: references from one to the next.
const HOPS_MAX: usize = 32;
/// LIMIT: parameters of one operation.
const PARAMETERS_MAX: usize = 500;

/// Header fields that OpenAPI wants to be described elsewhere (section 4.8.12.2).
const ELSEWHERE: &[&str] = &["accept", "content-type", "authorization"];

pub(crate) struct Walker<'c> {
    pub(crate) compiler: Compiler<'c>,
    /// Of bodies in XML.
    pub(crate) shapes: Shapes,
}

/// A parameter's place, with the resource that it belongs to.
pub(crate) type Declared = (Spot, u32);

// === impl Walker ===

impl<'c> Walker<'c> {
    pub(crate) fn new(compiler: Compiler<'c>) -> Self {
        Self { compiler, shapes: Shapes::default() }
    }
}

impl Walker<'_> {
    pub(crate) fn library(&self) -> &Library {
        self.compiler.library
    }

    fn text_at(&self, spot: Spot, word: &str) -> Option<String> {
        self.library().text_at(spot, word).map(str::to_owned)
    }

    fn wrong(&mut self, spot: Spot, code: &'static str, message: &str, help: &'static str) {
        self.say(spot, Severity::Error, code, message.to_owned(), help);
    }

    /// What a reference leads to, through all references.
    pub(crate) fn target(&mut self, spot: Spot, resource: u32) -> Option<(Spot, u32)> {
        let (mut spot, mut resource) = (spot, resource);
        for _ in 0..HOPS_MAX {
            let Some(reference) = self.text_at(spot, "$ref") else { return Some((spot, resource)) };
            (spot, resource, _) = self.compiler.resolve(spot, &reference, resource)?;
        }
        self.wrong(spot, "circle", "its references go in a circle", "");
        None
    }

    /// The declarations of a list, over those that they replace (section 4.8.10).
    pub(crate) fn parameters(&mut self, spot: Spot, resource: u32, shared: &[Declared]) -> Vec<Declared> {
        let mut all = shared.to_vec();
        let listed = self.library().member(spot, "parameters").map(|at| self.library().items(at)).unwrap_or_default();
        for item in listed {
            let Some(found) = self.target(item, resource) else { continue };
            let key = |walker: &Self, spot: Spot| (walker.text_at(spot, "name"), walker.text_at(spot, "in"));
            let own = key(self, found.0);
            all.retain(|(other, _)| key(self, *other) != own);
            all.push(found);
        }
        all
    }

    pub(super) fn operation(
        &mut self,
        spot: Spot,
        resource: u32,
        method: &str,
        template: &Template,
        shared: &[Declared],
    ) -> Operation {
        let declared = self.parameters(spot, resource, shared);
        if declared.len() > PARAMETERS_MAX {
            self.wrong(spot, "size", "it has more than 500 parameters", "");
        }
        let mut parameters: Vec<Parameter> =
            declared.into_iter().take(PARAMETERS_MAX).filter_map(|(at, of)| self.parameter(at, of)).collect();
        // An object whose members stand among the other names takes what is left.
        let is_greedy = |one: &Parameter| one.plan.object && one.explode && one.style == Style::Form;
        parameters.sort_by_key(is_greedy);
        for name in template.names() {
            let is_it = |one: &Parameter| one.location == Location::Path && one.name.as_ref() == name;
            if !parameters.iter().any(is_it) {
                let message = format!("`{{{}}}` of the path is not declared", crate::text::short(name));
                self.say(spot, Severity::Error, "parameter", message, "add a parameter with `in: path`");
            }
        }
        for one in parameters.iter().filter(|one| one.location == Location::Path) {
            if !template.names().any(|name| name == one.name.as_ref()) {
                let message = format!("the path has no `{{{}}}`", crate::text::short(&one.name));
                self.say(spot, Severity::Warning, "parameter", message, "the declaration does nothing");
            }
        }
        if let Some(at) = self.library().member(spot, "callbacks") {
            self.say(at, Severity::Note, "ignored", "callbacks are not looked at".to_owned(), "");
        }
        let body = self.library().member(spot, "requestBody").and_then(|at| self.target(at, resource));
        Operation {
            method: method.to_ascii_uppercase().into(),
            template: template.clone(),
            id: self.text_at(spot, "operationId").map(Into::into),
            parameters,
            body: body.map(|(at, of)| Body {
                required: self.library().flag_at(at, "required") == Some(true),
                content: self.contents(at, of, Direction::Request),
            }),
            answers: self.answers(spot, resource),
            deprecated: self.library().flag_at(spot, "deprecated") == Some(true),
            security: None,
            cost: self.cost(spot),
        }
    }

    fn parameter(&mut self, spot: Spot, resource: u32) -> Option<Parameter> {
        let Some(name) = self.text_at(spot, "name") else {
            self.wrong(spot, "parameter", "a parameter has no name", "");
            return None;
        };
        let Some(location) = self.text_at(spot, "in").and_then(|word| Location::named(&word)) else {
            self.wrong(spot, "parameter", "`in` is none of path, query, header and cookie", "");
            return None;
        };
        let lower = name.to_ascii_lowercase();
        if location == Location::Header && ELSEWHERE.contains(&lower.as_str()) {
            let help = "use `content` and `security`";
            self.say(spot, Severity::Note, "ignored", format!("the header field `{name}` is not described here"), help);
            return None;
        }
        let name = if location == Location::Header { lower } else { name };
        let required = self.library().flag_at(spot, "required") == Some(true);
        if location == Location::Path && !required {
            let help = "add `required: true`";
            self.say(
                spot,
                Severity::Warning,
                "parameter",
                "a parameter of the path is always required".to_owned(),
                help,
            );
        }
        let mut parameter = self.described(spot, resource, name, location, Direction::Request)?;
        parameter.required = required || location == Location::Path;
        Some(parameter)
    }

    /// Style and schema, of parameters and of header fields of answers.
    fn described(
        &mut self,
        spot: Spot,
        resource: u32,
        name: String,
        location: Location,
        direction: Direction,
    ) -> Option<Parameter> {
        let style = match self.text_at(spot, "style") {
            None => location.style(),
            Some(word) => match Style::named(&word).filter(|style| location.takes(*style)) {
                Some(style) => style,
                None => {
                    self.wrong(spot, "style", "this style does not exist here", "leave `style` out");
                    return None;
                }
            },
        };
        let content = self.library().member(spot, "content").map(|at| self.library().members(at)).unwrap_or_default();
        let json = content.first().is_some_and(|(name, _)| {
            MediaType::parse(name).is_some_and(|media_type| media_type.reading() == Reading::Json)
        });
        let schema = match content.first() {
            Some((_, at)) => self.library().member(*at, "schema"),
            None => self.library().member(spot, "schema"),
        };
        let Some(schema) = schema else {
            self.wrong(spot, "parameter", "neither `schema` nor `content` says what it may be", "add `schema`");
            return None;
        };
        let id = self.compiler.whole(schema, resource, direction);
        let plan = Plan::of(self.library(), schema, resource);
        if style == Style::Deep && !plan.object {
            self.wrong(spot, "style", "`deepObject` is for objects", "leave `style` out");
            return None;
        }
        let explode = self.library().flag_at(spot, "explode").unwrap_or(style == Style::Form);
        let (allow_reserved, allow_empty) = (
            self.library().flag_at(spot, "allowReserved") == Some(true),
            self.library().flag_at(spot, "allowEmptyValue") == Some(true),
        );
        let required = self.library().flag_at(spot, "required") == Some(true);
        let name = name.into();
        Some(Parameter {
            name,
            location,
            required,
            style,
            explode,
            allow_reserved,
            allow_empty,
            json,
            plan,
            schema: id,
            marks: self.compiler.marked(spot).into(),
        })
    }

    fn contents(&mut self, spot: Spot, resource: u32, direction: Direction) -> Vec<Content> {
        let mut all = Vec::new();
        let members = self.library().member(spot, "content").map(|at| self.library().members(at)).unwrap_or_default();
        for (name, at) in members {
            let Some(media_type) = MediaType::parse(&name) else {
                let message = format!("`{}` is no media type", crate::text::short(&name));
                // No body can be of it, so that nothing is let through by it.
                self.say(at, Severity::Warning, "media_type", message, "the declaration does nothing");
                continue;
            };
            let declared = self.library().member(at, "schema");
            let schema = declared.map(|schema| self.compiler.whole(schema, resource, direction));
            let reading = media_type.reading();
            // JSON says itself what its values are.
            let planned = declared.filter(|_| reading != Reading::Json || media_type.is_range());
            let plan = planned.map(|schema| Plan::of(self.library(), schema, resource)).unwrap_or_default();
            let bytes = declared.filter(|_| reading == Reading::Bytes || media_type.is_range());
            let length = bytes.and_then(|schema| Length::of(self.library(), schema, resource));
            let is_form = matches!(reading, Reading::Form | Reading::Multipart);
            let encoding = match schema {
                Some(schema) if is_form => self.encoding((at, resource), schema, &plan, direction),
                Some(_) | None => Vec::new(),
            };
            let written = self.library().member(at, "schema").filter(|_| reading == Reading::Xml);
            let xml = written.map(|schema| Box::new(self.shapes.root(self.compiler.library, schema, resource)));
            all.push(Content { media_type, schema, plan, length, xml, encoding });
        }
        all
    }

    /// How each member of a form is written (section 4.8.15).
    fn encoding(
        &mut self,
        (at, resource): (Spot, u32),
        schema: SchemaId,
        plan: &Plan,
        direction: Direction,
    ) -> Vec<Encoding> {
        let encoding = self.library().member(at, "encoding");
        let mut all = Vec::new();
        for (name, plan) in &plan.properties {
            let said = encoding.and_then(|at| self.library().member(at, name));
            let text = |word: &str| said.and_then(|at| self.text_at(at, word));
            let style = text("style").and_then(|word| Style::named(&word)).unwrap_or(Style::Form);
            let types: Vec<MediaType> = text("contentType")
                .map(|list| list.split(',').filter_map(MediaType::parse).collect())
                .unwrap_or_default();
            let flag = |word: &str| said.and_then(|at| self.library().flag_at(at, word));
            let is_json = |one: &MediaType| one.reading() == Reading::Json;
            // Without a style an object is written as JSON.
            let json = types.iter().any(is_json) || (plan.object && text("style").is_none());
            let parameter = Parameter {
                name: name.clone(),
                location: Location::Query,
                required: false,
                style: if Location::Query.takes(style) { style } else { Style::Form },
                explode: flag("explode").unwrap_or(style == Style::Form),
                allow_reserved: true,
                allow_empty: false,
                json,
                plan: plan.clone(),
                schema,
                marks: Box::default(),
            };
            let headers = said.map(|at| self.fields(at, resource, direction)).unwrap_or_default();
            all.push(Encoding { parameter, types, headers });
        }
        all
    }

    fn answers(&mut self, spot: Spot, resource: u32) -> Vec<(Statuses, Answer)> {
        let mut all = Vec::new();
        let members = self.library().member(spot, "responses").map(|at| self.library().members(at)).unwrap_or_default();
        for (word, at) in members {
            if word.starts_with("x-") {
                continue;
            }
            let Some(statuses) = Statuses::named(&word) else {
                let message = format!("`{}` is no status", crate::text::short(&word));
                self.say(at, Severity::Error, "status", message, "write 200, 2XX or default");
                continue;
            };
            let Some((at, of)) = self.target(at, resource) else { continue };
            let content = self.contents(at, of, Direction::Answer);
            all.push((statuses, Answer { headers: self.fields(at, of, Direction::Answer), content }));
        }
        all
    }

    /// The header fields that an answer or a part has; its media type is declared elsewhere.
    fn fields(&mut self, spot: Spot, resource: u32, direction: Direction) -> Vec<Parameter> {
        let headers = self.library().member(spot, "headers").map(|at| self.library().members(at)).unwrap_or_default();
        let mut all = Vec::new();
        for (name, at) in headers {
            let Some((at, of)) = self.target(at, resource) else { continue };
            let name = name.to_ascii_lowercase();
            if name != "content-type" {
                all.extend(self.described(at, of, name, Location::Header, direction));
            }
        }
        all
    }
}
