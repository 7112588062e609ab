//! Lists, sections with fixed names and sections with free names, one value at a time.

use indexmap::IndexMap;
use serde::de::{DeserializeSeed, IntoDeserializer as _, MapAccess, SeqAccess};

use super::Stop;
use super::deserializer::Place;
use crate::tree::{At, Entry};

/// The items of a list.
pub(super) struct Items<'a> {
    place: Place<'a>,
    next: usize,
    count: usize,
}

/// The entries of a section whose names are free.
pub(super) struct Names<'a> {
    place: Place<'a>,
    entries: Option<&'a IndexMap<Box<str>, Entry>>,
    next: usize,
}

/// The entries of a section whose names are settings.
pub(super) struct Fields<'a> {
    place: Place<'a>,
    /// The setting, and the name that it is written under.
    fields: Vec<(&'static str, &'a str)>,
    next: usize,
}

impl<'a> Items<'a> {
    pub(super) fn new(place: Place<'a>, count: usize) -> Self {
        Self { place, next: 0, count }
    }

    pub(super) fn none(place: Place<'a>) -> Self {
        Self::new(place, 0)
    }
}

impl<'a> Names<'a> {
    pub(super) fn new(place: Place<'a>, entries: &'a IndexMap<Box<str>, Entry>) -> Self {
        Self { place, entries: Some(entries), next: 0 }
    }

    pub(super) fn none(place: Place<'a>) -> Self {
        Self { place, entries: None, next: 0 }
    }
}

impl<'a> Fields<'a> {
    /// Settings that are written, settings that were meant, and settings that are missing and were reported.
    pub(super) fn new(
        place: Place<'a>,
        entries: &'a IndexMap<Box<str>, Entry>,
        known: &'static [&'static str],
        section: &str,
    ) -> Self {
        let mut fields: Vec<(&'static str, &'a str)> = Vec::with_capacity(entries.len());
        for written in entries.keys() {
            let name = match known.iter().find(|field| **field == &**written) {
                Some(field) => Some(*field),
                None => place.session.unknown_setting(&place.at, written, known, section),
            };
            if let Some(name) = name
                && !fields.iter().any(|(taken, _)| *taken == name)
            {
                fields.push((name, written));
            }
        }
        for name in place.at.tree().injected(place.at.id()) {
            if !fields.iter().any(|(taken, _)| taken == name) {
                fields.push((name, name));
            }
        }
        Self { place, fields, next: 0 }
    }

    /// Every setting with a made-up value.
    pub(super) fn made_up(place: Place<'a>, known: &'static [&'static str]) -> Self {
        let fields = known.iter().map(|name| (*name, *name)).collect();
        Self { place: Place { made_up: true, ..place }, fields, next: 0 }
    }
}

/// Reads a place below another; a mistake is recorded at the innermost place that knows of it.
fn read<'de, S: DeserializeSeed<'de>>(place: &Place<'_>, at: At<'_>, seed: S) -> Result<S::Value, Stop> {
    let below = Place { at: place.at, ..*place }.at(at);
    seed.deserialize(below).map_err(|stop| place.session.record(&at, stop))
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        if self.next >= self.count {
            return Ok(None);
        }
        let index = self.next;
        self.next += 1;
        read(&self.place, self.place.at.index(index), seed).map(Some)
    }
}

impl<'de> MapAccess<'de> for Names<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        match self.entries.and_then(|entries| entries.get_index(self.next)) {
            None => Ok(None),
            Some((name, _)) => seed.deserialize((&**name).into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let entry = self.entries.and_then(|entries| entries.get_index(self.next));
        self.next += 1;
        let name = entry.map_or("", |(name, _)| name);
        read(&self.place, self.place.at.key(name), seed)
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Stop> {
        match self.fields.get(self.next) {
            None => Ok(None),
            Some((name, _)) => seed.deserialize((*name).into_deserializer()).map(Some),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let written = self.fields.get(self.next).map_or("", |(_, written)| written);
        self.next += 1;
        read(&self.place, self.place.at.key(written), seed)
    }
}
