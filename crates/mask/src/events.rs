//! Server-sent events (WHATWG HTML, section 9.2) whose data are documents. An event is held until it is whole; comments are
//! emptied, since nobody says what is in them.

use crate::rewrite::{MaskError, Rewriter};
use crate::rules::{Active, Ruleset, Start};
use std::sync::Arc;

// LIMIT: bytes of one event.
const EVENT_BYTES_MAX: usize = 1 << 20;

/// What services send as the last event in place of a document.
const DONE: &[u8] = b"[DONE]";

/// Masks a stream of events.
#[derive(Debug)]
pub(crate) struct Events {
    rules: Arc<Ruleset>,
    active: Active,
    start: Start,
    /// The lines of the event that have come, with their ends.
    event: Vec<u8>,
    /// Where the line begins that is not over.
    line: usize,
    /// A line may end with CR, LF or both: whether a LF that comes now belongs to the CR before it.
    after_return: bool,
    pub(crate) counts: Vec<u64>,
    pub(crate) withheld: u64,
}

// === impl Events ===

impl Events {
    pub(crate) fn new(rules: Arc<Ruleset>, active: Active, start: Start) -> Self {
        let counts = vec![0; rules.len()];
        Self { rules, active, start, event: Vec::new(), line: 0, after_return: false, counts, withheld: 0 }
    }

    pub(crate) fn feed(&mut self, input: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        for byte in input {
            match byte {
                b'\n' if std::mem::take(&mut self.after_return) => {}
                b'\n' | b'\r' => {
                    self.after_return = *byte == b'\r';
                    if self.event.len() == self.line {
                        self.dispatch(out)?;
                        out.push(b'\n');
                    } else {
                        self.event.push(b'\n');
                        self.line = self.event.len();
                    }
                }
                byte => {
                    self.after_return = false;
                    self.event.push(*byte);
                }
            }
            if self.event.len() > EVENT_BYTES_MAX {
                return Err(MaskError::TooLong);
            }
        }
        Ok(())
    }

    /// An event that is not over is none.
    pub(crate) fn finish(&self) -> Result<(), MaskError> {
        if self.event.is_empty() { Ok(()) } else { Err(MaskError::Truncated) }
    }

    fn dispatch(&mut self, out: &mut Vec<u8>) -> Result<(), MaskError> {
        let event = std::mem::take(&mut self.event);
        self.line = 0;
        let event = event.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&event);
        let mut data: Option<Vec<u8>> = None;
        for line in event.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            let (name, value) = match memchr::memchr(b':', line) {
                Some(at) => (line.get(..at).unwrap_or_default(), line.get(at + 1..).unwrap_or_default()),
                None => (line, &[][..]),
            };
            let value = value.strip_prefix(b" ").unwrap_or(value);
            match name {
                b"data" => {
                    match &mut data {
                        Some(whole) => whole.push(b'\n'),
                        None => data = Some(Vec::new()),
                    }
                    data.iter_mut().for_each(|whole| whole.extend_from_slice(value));
                }
                b"" => out.extend_from_slice(b":\n"),
                b"event" | b"id" | b"retry" if std::str::from_utf8(line).is_ok() => {
                    out.extend_from_slice(line);
                    out.push(b'\n');
                }
                // Readers drop fields that they do not know.
                _ => {}
            }
        }
        data.map_or(Ok(()), |data| self.data(&data, out))
    }

    fn data(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), MaskError> {
        let mut made = Vec::new();
        if data == DONE || data.is_empty() {
            made.extend_from_slice(data);
        } else {
            let mut rewriter = Rewriter::from(Arc::clone(&self.rules), self.active, self.start);
            rewriter.feed(data, &mut made)?;
            rewriter.finish(&mut made)?;
            self.withheld += rewriter.withheld();
            self.counts.iter_mut().zip(rewriter.counts()).for_each(|(sum, count)| *sum += count);
        }
        for line in made.split(|byte| matches!(byte, b'\n' | b'\r')) {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(line);
            out.push(b'\n');
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Events;
    use crate::path::Path;
    use crate::rewrite::MaskError;
    use crate::rules::{Action, Active, Rule, Ruleset, Select, Start};
    use std::sync::Arc;

    fn events(input: &str, size: usize) -> Result<String, MaskError> {
        let rule = Rule { select: Select::Paths(vec![Path::parse("$.a").unwrap()]), action: Action::Null };
        let rules = Arc::new(Ruleset::compile(&[rule], None).unwrap());
        let (mut events, mut out) = (Events::new(rules, Active(1), Start::default()), Vec::new());
        input.as_bytes().chunks(size).try_for_each(|piece| events.feed(piece, &mut out))?;
        events.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    #[test]
    fn data_of_events_are_masked() {
        for size in 1..40 {
            for (input, expected) in [
                ("data: {\"a\":1}\n\n", "data: {\"a\":null}\n\n"),
                (
                    "event: x\nid: 7\ndata:{\"a\":1}\n\ndata: 2\n\n",
                    "event: x\nid: 7\ndata: {\"a\":null}\n\ndata: 2\n\n",
                ),
                ("data: {\"a\":\ndata: [1],\"b\":2}\r\n\r\n", "data: {\"a\":\ndata: null,\"b\":2}\n\n"),
                (": ada@example.com\n\n", ":\n\n"),
                ("data: [DONE]\n\n", "data: [DONE]\n\n"),
                ("data\n\n", "data: \n\n"),
                ("secret: 1\ndata: 1\r\r", "data: 1\n\n"),
                ("\u{feff}data: {\"a\":1}\n\n", "data: {\"a\":null}\n\n"),
                ("\n\n", "\n\n"),
                ("", ""),
            ] {
                assert_eq!(events(input, size).unwrap(), expected, "{input:?} in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_is_no_document_is_refused() {
        assert!(events("data: hello\n\n", 9).is_err());
        assert_eq!(events("data: {\"a\":1}\n", 9), Err(MaskError::Truncated));
        let long = format!("data: \"{}\"\n\n", "x".repeat(2 << 20));
        assert_eq!(events(&long, 1 << 16), Err(MaskError::TooLong));
    }
}
