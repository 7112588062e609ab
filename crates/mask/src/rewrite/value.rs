//! What is decided about a value where it begins, and done where it ends.

use super::frame::Verdict;
use super::number::Number;
use super::{At, MaskError, Mode, Piece, Rewriter, VALUE_BYTES_MAX};
use crate::act::{self, HIDDEN};
use crate::automaton::{DEAD, State};
use crate::rules::{Action, bits};
use crate::text::encode;
use std::sync::Arc;

impl Rewriter {
    pub(super) fn begin_value(&mut self, byte: u8, ends: bool, piece: &mut Piece<'_>) -> Result<(), MaskError> {
        let scalar = match byte {
            b'"' => Some(At::Text { name: false }),
            b'{' | b'[' => None,
            b'-' | b'0'..=b'9' => Some(At::Number(Number::begun(byte))),
            b't' => Some(At::Literal(b"rue")),
            b'f' => Some(At::Literal(b"alse")),
            b'n' => Some(At::Literal(b"ull")),
            b']' if ends => return self.close(piece),
            _ => return Err(MaskError::Malformed("a value was expected")),
        };
        let (state, verdict, inherited) = self.decide(scalar, byte == b'n');
        self.apply(verdict, piece);
        match scalar {
            Some(at) => self.expect(true, at, "", piece),
            None => self.open(byte == b'{', state, inherited, piece),
        }
    }

    /// What happens to the value that begins here, what paths say about it, and what those within it inherit.
    fn decide(&mut self, scalar: Option<At>, is_null: bool) -> (State, Verdict, (bool, Option<usize>)) {
        let (is_scalar, is_literal) = (scalar.is_some(), matches!(scalar, Some(At::Literal(_))));
        if matches!(self.mode, Mode::Drop { .. }) {
            return (DEAD, Verdict::Pass, (true, None));
        }
        let rules = &*self.rules;
        let (live, allowed, leaf, state) = match self.frames.last_mut() {
            None => (true, rules.grants == 0, None, self.start),
            Some(frame) => {
                if frame.live && !frame.object {
                    self.child = rules.automaton.item(frame.state, frame.items);
                    frame.items = frame.items.saturating_add(1);
                }
                (frame.live, frame.allowed, frame.leaf, self.child)
            }
        };
        let state = if live { state } else { DEAD };
        let meant = rules.automaton.accept(state) & self.active.0;
        let allowed = allowed || meant & rules.grants != 0;
        let rule = rules.strictest(bits(meant & rules.masks).chain(leaf));
        let looks_inside = rule.and_then(|rule| rules.actions.get(rule)).is_some_and(Action::looks_inside);
        let within = rules.automaton.reach(state) & self.active.0 & rules.grants != 0;
        // In a place that is declared, nothing is no secret.
        let declared = rules.automaton.declared(state) & self.active.0 != 0;
        let fits = rules.automaton.scalars(state) & self.active.0 != 0 || (is_null && declared);
        let verdict = match rule {
            _ if !allowed && !(if is_scalar { fits } else { within }) => Verdict::Withhold,
            Some(rule) if is_scalar && looks_inside => Verdict::Look(Some(rule)),
            Some(rule) if !looks_inside => Verdict::Swap(rule),
            None if is_scalar && self.looks && !is_literal => Verdict::Look(None),
            Some(_) | None => Verdict::Pass,
        };
        (state, verdict, (allowed, rule.filter(|_| looks_inside)))
    }

    fn apply(&mut self, verdict: Verdict, piece: &mut Piece<'_>) {
        match verdict {
            Verdict::Pass => self.release(piece),
            Verdict::Look(rule) => {
                self.release(piece);
                self.mode = Mode::Look(rule);
                piece.begun = piece.next;
            }
            Verdict::Withhold => {
                self.withheld += 1;
                self.drop_value(None, piece);
            }
            Verdict::Swap(rule) => {
                self.count(rule);
                let rules = Arc::clone(&self.rules);
                let mut stand_in = Vec::new();
                match rules.actions.get(rule) {
                    Some(Action::Remove) => return self.drop_value(None, piece),
                    Some(Action::Replace(text)) => encode(text, &mut stand_in),
                    _ => stand_in.extend_from_slice(b"null"),
                }
                self.drop_value(Some(&stand_in), piece);
            }
        }
    }

    /// From here on nothing leaves until the value has ended. A document cannot be left out of itself.
    fn drop_value(&mut self, stand_in: Option<&[u8]>, piece: &mut Piece<'_>) {
        let stand_in = stand_in.or_else(|| self.frames.is_empty().then_some(b"null"));
        match stand_in {
            Some(bytes) => {
                self.release(piece);
                piece.flush(piece.next);
                piece.out.extend_from_slice(bytes);
            }
            None => {
                if let Some(mark) = piece.mark.take() {
                    piece.flush(mark);
                }
                self.held.clear();
            }
        }
        self.mode = Mode::Drop { depth: self.frames.len(), kept: stand_in.is_some() };
    }

    /// Lets what is held leave.
    pub(super) fn release(&mut self, piece: &mut Piece<'_>) {
        if let Some(mark) = piece.mark.take()
            && !self.held.is_empty()
        {
            piece.flush(mark);
            piece.out.append(&mut self.held);
        }
    }

    /// A value has ended before the next byte.
    pub(super) fn end_value(&mut self, piece: &mut Piece<'_>) {
        let mut kept = true;
        match self.mode {
            Mode::Pass => {}
            Mode::Look(rule) => {
                self.looked_at(rule, piece);
                self.mode = Mode::Pass;
            }
            Mode::Drop { depth, kept: stands } if depth == self.frames.len() => {
                piece.run = piece.next;
                self.mode = Mode::Pass;
                kept = stands;
            }
            Mode::Drop { .. } => {}
        }
        self.at = At::Done;
        if let Some(frame) = self.frames.last_mut() {
            self.at = At::After;
            frame.kept |= kept;
            if frame.live {
                piece.mark = Some(piece.next);
            }
        }
    }

    /// The whole of a value is there.
    fn looked_at(&mut self, rule: Option<usize>, piece: &mut Piece<'_>) {
        let value = std::mem::take(&mut self.value);
        let joined;
        let raw = if value.is_empty() {
            piece.part(piece.begun, piece.next)
        } else {
            joined = [&value, piece.part(piece.begun, piece.next)].concat();
            &joined
        };
        let mut made = Vec::new();
        let overlong = std::mem::take(&mut self.overlong) || raw.len() > VALUE_BYTES_MAX;
        let (rules, counts) = (&*self.rules, &mut self.counts);
        let mut count = |rule: usize| counts.iter_mut().skip(rule).take(1).for_each(|count| *count += 1);
        let changed = match rule.and_then(|rule| Some((rule, rules.actions.get(rule)?))) {
            _ if overlong => {
                let rule = rule.or_else(|| rules.any_detecting(self.active));
                rule.into_iter().for_each(&mut count);
                encode(HIDDEN, &mut made);
                true
            }
            Some((rule, action)) => {
                act::scalar(rules, action, raw, &mut made);
                count(rule);
                true
            }
            None => act::searched(rules, self.active, raw, &mut made, count),
        };
        if changed {
            let begun = piece.begun;
            piece.flush(begun);
            piece.out.append(&mut made);
            piece.run = piece.next;
        } else if !value.is_empty() {
            piece.out.extend_from_slice(&value);
        }
    }

    fn count(&mut self, rule: usize) {
        self.counts.iter_mut().skip(rule).take(1).for_each(|count| *count += 1);
    }
}
