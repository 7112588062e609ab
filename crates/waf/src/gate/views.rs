//! The tree of transformation prefixes: which views of a value rules look at, and which of those are the value itself.

use super::Bits;
use crate::classes::{self, Classes};
use crate::transform::{Effect, Transform};

/// LIMIT: nodes of the tree, a bit of a word each; rules whose chain doesn't fit run without a gate.
const NODES: usize = 128;

/// A set of nodes.
pub(super) type NodeSet = u128;

#[derive(Debug, Clone)]
struct Node {
    transform: Option<Transform>,
    children: Vec<usize>,
    rules: Bits,
    /// The rules here and below.
    below: Bits,
    /// Whether every transformation below gives the same, case ignored, for a value in lower case.
    commutes: bool,
}

/// The tree.
#[derive(Debug, Clone)]
pub(super) struct Views {
    nodes: Vec<Node>,
}

/// What happens at a view.
#[derive(Debug, Clone, Default)]
pub(super) struct Step {
    /// The rules that look at it.
    pub(super) rules: Bits,
    /// The views made from it: by which transformation, at which nodes, for which rules.
    pub(super) next: Vec<(Transform, NodeSet, Bits)>,
}

// === impl Views ===

impl Default for Views {
    fn default() -> Self {
        let root = Node { transform: None, children: Vec::new(), rules: Bits::NONE, below: Bits::NONE, commutes: true };
        Self { nodes: vec![root] }
    }
}

impl Views {
    pub(super) const ROOT: NodeSet = 1;

    /// Adds a rule's chain; false if the tree is full. With `every`, the rule looks at each view on the way.
    pub(super) fn add(&mut self, rule: usize, chain: &[Transform], every: bool) -> bool {
        let mut at = 0;
        let mut path = vec![0];
        for transform in chain {
            let children = self.nodes.get(at).map(|n| n.children.clone()).unwrap_or_default();
            let known =
                children.into_iter().find(|c| self.nodes.get(*c).is_some_and(|n| n.transform == Some(*transform)));
            at = match known {
                Some(child) => child,
                None => {
                    let child = self.nodes.len();
                    if child >= NODES {
                        return false;
                    }
                    self.nodes.push(Node {
                        transform: Some(*transform),
                        children: Vec::new(),
                        rules: Bits::NONE,
                        below: Bits::NONE,
                        commutes: true,
                    });
                    if let Some(node) = self.nodes.get_mut(at) {
                        node.children.push(child);
                    }
                    child
                }
            };
            path.push(at);
        }
        for (depth, node) in path.iter().enumerate() {
            let commutes = chain.iter().skip(depth).all(|t| commutes_with_case(*t));
            if let Some(node) = self.nodes.get_mut(*node) {
                node.below.insert(rule);
                node.commutes &= commutes;
                if every || depth == chain.len() {
                    node.rules.insert(rule);
                }
            }
        }
        true
    }

    /// What happens at a value with these classes that stands at these nodes.
    pub(super) fn step(&self, from: NodeSet, changes: u32) -> Step {
        let mut step = Step::default();
        let mut here = from;
        let mut made: Vec<(Transform, NodeSet, Bits)> = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            if here >> at & 1 == 0 {
                continue;
            }
            step.rules.or(&node.rules);
            for child in &node.children {
                let Some((transform, below, commutes)) =
                    self.nodes.get(*child).and_then(|c| c.transform.map(|t| (t, c.below, c.commutes)))
                else {
                    continue;
                };
                let bit = 1 << *child;
                match effect_in(changes, transform) {
                    Effect::Identity => here |= bit,
                    Effect::Fold if commutes => here |= bit,
                    Effect::Fold | Effect::Changes => match made.iter_mut().find(|(t, _, _)| *t == transform) {
                        Some((_, nodes, rules)) => {
                            *nodes |= bit;
                            rules.or(&below);
                        }
                        None => made.push((transform, bit, below)),
                    },
                }
            }
        }
        step.next = made;
        step
    }
}

/// Two bits per transformation: whether it changes a value with these classes, and whether in case only.
pub(super) fn changes(mask: Classes) -> Signature {
    let mut signature = 0;
    for (at, transform) in TRACKED.iter().enumerate() {
        signature |= match transform.effect(mask) {
            Effect::Identity => 0,
            Effect::Fold => 1 << (2 * at),
            Effect::Changes => 2 << (2 * at),
        };
    }
    signature
}

/// What `changes` packs.
pub(super) type Signature = u32;

/// The transformations whose effect depends on the value, one for each kind of trigger.
const TRACKED: [Transform; 14] = [
    Transform::Lowercase,
    Transform::CmdLine,
    Transform::CompressWhitespace,
    Transform::Trim,
    Transform::JsDecode,
    Transform::HtmlEntityDecode,
    Transform::NormalizePath,
    Transform::NormalizePathWin,
    Transform::RemoveCommentsChar,
    Transform::ReplaceComments,
    Transform::RemoveNulls,
    Transform::UrlDecodeUni,
    Transform::Utf8ToUnicode,
    Transform::Uppercase,
];

#[allow(clippy::wildcard_enum_match_arm, reason = "only those that share a trigger are named")]
fn effect_in(signature: Signature, transform: Transform) -> Effect {
    let tracked = match transform {
        Transform::CssDecode | Transform::EscapeSeqDecode => Transform::JsDecode,
        Transform::RemoveWhitespace => Transform::CompressWhitespace,
        Transform::TrimLeft | Transform::TrimRight => Transform::Trim,
        Transform::ReplaceNulls => Transform::RemoveNulls,
        Transform::UrlDecode => Transform::UrlDecodeUni,
        other => other,
    };
    match TRACKED.iter().position(|t| *t == tracked) {
        None => Effect::Changes,
        Some(at) => match signature >> (2 * at) & 3 {
            0 => Effect::Identity,
            1 => Effect::Fold,
            _ => Effect::Changes,
        },
    }
}

/// Whether the transformation of a value in lower case is the transformed value in lower case.
fn commutes_with_case(transform: Transform) -> bool {
    match transform {
        Transform::CmdLine
        | Transform::CompressWhitespace
        | Transform::CssDecode
        | Transform::HtmlEntityDecode
        | Transform::Length
        | Transform::Lowercase
        | Transform::NormalizePath
        | Transform::NormalizePathWin
        | Transform::RemoveCommentsChar
        | Transform::RemoveNulls
        | Transform::RemoveWhitespace
        | Transform::ReplaceComments
        | Transform::ReplaceNulls
        | Transform::Trim
        | Transform::TrimLeft
        | Transform::TrimRight
        | Transform::Uppercase
        | Transform::UrlDecode
        | Transform::UrlDecodeUni
        | Transform::Utf8ToUnicode => true,
        Transform::Base64Decode
        | Transform::Base64DecodeExt
        | Transform::EscapeSeqDecode
        | Transform::HexDecode
        | Transform::HexEncode
        | Transform::JsDecode
        | Transform::Sha1 => false,
    }
}

/// The classes one of which a value must have for the transformed value to have one of `wanted`; none if that says
/// nothing, because anything can come of anything.
pub(crate) fn sources(transform: Transform, wanted: Classes) -> Option<Classes> {
    // Where a space may come from; everything else that comes in comes out of an escape.
    let spaces = |origins: Classes| if wanted & classes::SPACE != 0 { origins } else { 0 };
    Some(match transform {
        Transform::UrlDecode | Transform::UrlDecodeUni => wanted | classes::of(b"%") | spaces(classes::of(b"+")),
        Transform::CmdLine => wanted | spaces(classes::of(b",;") | classes::BLANK),
        Transform::CompressWhitespace => wanted | spaces(classes::BLANK | classes::HIGH),
        Transform::ReplaceComments => wanted | spaces(classes::of(b"*")),
        Transform::ReplaceNulls => wanted | spaces(classes::CONTROL),
        Transform::NormalizePathWin if wanted & classes::of(b"/") != 0 => wanted | classes::of(b"\\"),
        Transform::CssDecode | Transform::EscapeSeqDecode | Transform::JsDecode => wanted | classes::of(b"\\"),
        Transform::HtmlEntityDecode => wanted | classes::of(b"&"),
        Transform::Utf8ToUnicode => wanted | classes::HIGH,
        Transform::Lowercase
        | Transform::NormalizePath
        | Transform::NormalizePathWin
        | Transform::RemoveCommentsChar
        | Transform::RemoveNulls
        | Transform::RemoveWhitespace
        | Transform::Trim
        | Transform::TrimLeft
        | Transform::TrimRight
        | Transform::Uppercase => wanted,
        Transform::Base64Decode
        | Transform::Base64DecodeExt
        | Transform::HexDecode
        | Transform::HexEncode
        | Transform::Length
        | Transform::Sha1 => return None,
    })
}

/// The classes that the transformation takes out, so that what stood on both sides of them becomes one word.
pub(super) fn joins(transform: Transform) -> Classes {
    match transform {
        Transform::RemoveNulls => classes::CONTROL,
        Transform::RemoveWhitespace => classes::SPACE | classes::BLANK | classes::HIGH,
        Transform::CmdLine => classes::of(b"\"'\\^"),
        Transform::RemoveCommentsChar => classes::of(b"/*-#<"),
        Transform::NormalizePath => classes::of(b"/."),
        Transform::NormalizePathWin => classes::of(b"/\\."),
        // Comments become a space, and what decodes has its escapes.
        Transform::Base64Decode
        | Transform::Base64DecodeExt
        | Transform::CompressWhitespace
        | Transform::CssDecode
        | Transform::EscapeSeqDecode
        | Transform::HexDecode
        | Transform::HexEncode
        | Transform::HtmlEntityDecode
        | Transform::JsDecode
        | Transform::Length
        | Transform::Lowercase
        | Transform::ReplaceComments
        | Transform::ReplaceNulls
        | Transform::Sha1
        | Transform::Trim
        | Transform::TrimLeft
        | Transform::TrimRight
        | Transform::Uppercase
        | Transform::UrlDecode
        | Transform::UrlDecodeUni
        | Transform::Utf8ToUnicode => 0,
    }
}

/// Whether letters keep their case, whatever the value.
pub(super) fn keeps_case(transform: Transform) -> bool {
    transform != Transform::Uppercase && sources(transform, 0) == Some(0)
}

/// Whether the transformation can make a value longer.
pub(super) fn grows(transform: Transform) -> bool {
    matches!(transform, Transform::HexEncode | Transform::Length | Transform::Sha1 | Transform::Utf8ToUnicode)
}
