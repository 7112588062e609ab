//! Templates with a segment that holds text beside a parameter, or several parameters: `/files/{name}.{format}`,
//! `/orders/{id}:cancel`. Few hosts have some, and the others pay nothing for them.
//!
//! A look-up goes back where what it tried first leads nowhere; it visits no part of the tree twice, so that it costs at most
//! what the templates are long together.

use portcullis_types::segment::{Openness, Segment};
use std::cmp::Reverse;
use std::collections::HashMap;

/// A tree over segments.
#[derive(Debug, Default)]
pub(super) struct Mixed {
    root: Node,
}

#[derive(Debug, Default)]
struct Node {
    texts: HashMap<Box<str>, Node>,
    /// The more exact ones first.
    mixed: Vec<(Segment, Node)>,
    any: Option<Box<Node>>,
    /// The entry of a template that takes all that follows.
    rest: Option<usize>,
    /// The entry of the template that ends here.
    entry: Option<usize>,
}

/// Whether a template belongs here.
pub(super) fn is_mixed(template: &str) -> bool {
    template.split('/').any(|segment| openness(segment) == Some(Openness::Mixed))
}

/// `None` for a wildcard.
pub(super) fn openness(segment: &str) -> Option<Openness> {
    if segment.starts_with("{*") {
        return None;
    }
    Segment::parse(segment).map_or(Some(Openness::Text), |segment| Some(segment.openness()))
}

// === impl Mixed ===

impl Mixed {
    /// # Errors
    /// What is wrong with the template.
    pub(super) fn insert(&mut self, template: &str, entry: usize) -> Result<(), &'static str> {
        let mut node = &mut self.root;
        for text in template.split('/').skip(1) {
            if openness(text).is_none() {
                node.rest = Some(entry);
                return Ok(());
            }
            node = node.below(Segment::parse(text)?, text);
        }
        node.entry = Some(entry);
        Ok(())
    }

    /// The entry of the most specific template that fits, segment by segment.
    pub(super) fn find(&self, path: &str) -> Option<usize> {
        self.root.find(path.strip_prefix('/'))
    }
}

// === impl Node ===

impl Node {
    /// The node of a segment, which is made where there is none.
    fn below(&mut self, segment: Segment, text: &str) -> &mut Self {
        match segment.openness() {
            Openness::Text => self.texts.entry(text.into()).or_default(),
            Openness::Any => self.any.get_or_insert_default(),
            Openness::Mixed => {
                let rank = |segment: &Segment| (Reverse(segment.literal_bytes()), segment.shape());
                let place = self.mixed.binary_search_by_key(&rank(&segment), |(have, _)| rank(have));
                let place = place.unwrap_or_else(|place| {
                    self.mixed.insert(place, (segment, Self::default()));
                    place
                });
                // It stands there: it was found or has been put there. Else the last one is as good as none.
                match self.mixed.get_mut(place) {
                    Some((_, node)) => node,
                    None => self.any.get_or_insert_default(),
                }
            }
        }
    }

    /// `path` is what is left of it; `None` behind its end. As deep as the longest template.
    fn find(&self, path: Option<&str>) -> Option<usize> {
        let Some(path) = path else { return self.entry };
        let (segment, behind) = match path.split_once('/') {
            Some((segment, behind)) => (segment, Some(behind)),
            None => (path, None),
        };
        let exact = self.texts.get(segment).and_then(|node| node.find(behind));
        let mixed = || self.mixed.iter().filter(|(have, _)| have.fits(segment)).find_map(|(_, node)| node.find(behind));
        let any = || self.any.as_ref().filter(|_| !segment.is_empty()).and_then(|node| node.find(behind));
        exact.or_else(mixed).or_else(any).or_else(|| self.rest.filter(|_| !path.is_empty()))
    }
}
