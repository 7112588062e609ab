//! The data of a file in MaxMind's form: maps, lists, texts and numbers that describe themselves, and pointers among them.

use super::PlacesError;

/// Data, and how much of it may still be passed.
#[derive(Debug)]
pub(super) struct Data<'b> {
    bytes: &'b [u8],
    steps: u64,
}

/// What stands somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// To another place.
    Pointer(usize),
    /// So many bytes of text.
    Text(usize),
    /// An unsigned number in so many bytes.
    Number(usize),
    /// So many names with values.
    Map(usize),
    /// So many values.
    List(usize),
    /// Something that nobody asks for, in so many bytes.
    Other(usize),
}

// === impl Data ===

impl<'b> Data<'b> {
    pub(super) fn new(bytes: &'b [u8], steps: u64) -> Self {
        Self { bytes, steps }
    }

    /// The text that these names lead to from the map at a place; `None` where they lead nowhere.
    pub(super) fn text(&mut self, at: usize, names: &[&str]) -> Result<Option<&'b [u8]>, PlacesError> {
        let Some(mut at) = self.led(at, names)? else { return Ok(None) };
        match self.landed(&mut at)? {
            Kind::Text(size) => self.bytes(&mut at, size).map(Some),
            Kind::Pointer(_) | Kind::Number(_) | Kind::Map(_) | Kind::List(_) | Kind::Other(_) => {
                Err(PlacesError::Malformed)
            }
        }
    }

    /// The number that these names lead to from the map at a place; `None` where they lead nowhere.
    pub(super) fn number(&mut self, at: usize, names: &[&str]) -> Result<Option<u64>, PlacesError> {
        let Some(mut at) = self.led(at, names)? else { return Ok(None) };
        match self.landed(&mut at)? {
            Kind::Number(size) => {
                Ok(Some(self.bytes(&mut at, size)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))))
            }
            Kind::Pointer(_) | Kind::Text(_) | Kind::Map(_) | Kind::List(_) | Kind::Other(_) => {
                Err(PlacesError::Malformed)
            }
        }
    }

    /// Where the value of the last of these names stands.
    fn led(&mut self, from: usize, names: &[&str]) -> Result<Option<usize>, PlacesError> {
        let mut at = from;
        'names: for name in names {
            let Kind::Map(count) = self.landed(&mut at)? else { return Err(PlacesError::Malformed) };
            for _ in 0..count {
                if self.name(&mut at)? == name.as_bytes() {
                    continue 'names;
                }
                self.pass(&mut at)?;
            }
            return Ok(None);
        }
        Ok(Some(at))
    }

    /// The name of a member, which may stand elsewhere.
    fn name(&mut self, at: &mut usize) -> Result<&'b [u8], PlacesError> {
        let (mut there, is_elsewhere) = match self.head(at)? {
            Kind::Pointer(there) => (there, true),
            Kind::Text(size) => return self.bytes(at, size),
            Kind::Number(_) | Kind::Map(_) | Kind::List(_) | Kind::Other(_) => (0, false),
        };
        match self.head(&mut there) {
            Ok(Kind::Text(size)) if is_elsewhere => self.bytes(&mut there, size),
            Ok(_) | Err(_) => Err(PlacesError::Malformed),
        }
    }

    /// What stands here, or where the pointer leads that does: pointers to pointers do not exist.
    fn landed(&mut self, at: &mut usize) -> Result<Kind, PlacesError> {
        let kind = self.head(at)?;
        let Kind::Pointer(there) = kind else { return Ok(kind) };
        *at = there;
        let kind = self.head(at)?;
        if matches!(kind, Kind::Pointer(_)) { Err(PlacesError::Malformed) } else { Ok(kind) }
    }

    /// Passes a whole value. Pointers are not followed, so that each step is another byte.
    fn pass(&mut self, at: &mut usize) -> Result<(), PlacesError> {
        let mut left: usize = 1;
        while left > 0 {
            left -= 1;
            match self.head(at)? {
                Kind::Pointer(_) => {}
                Kind::Text(size) | Kind::Number(size) | Kind::Other(size) => drop(self.bytes(at, size)?),
                Kind::Map(count) => left = left.saturating_add(count.saturating_mul(2)),
                Kind::List(count) => left = left.saturating_add(count),
            }
        }
        Ok(())
    }

    /// The head of a value: what it is, and how much of it.
    fn head(&mut self, at: &mut usize) -> Result<Kind, PlacesError> {
        self.steps = self.steps.checked_sub(1).ok_or(PlacesError::TooLarge)?;
        let control = self.unsigned(at, 1)?;
        let (kind, low) = (control >> 5, control & 31);
        if kind == 1 {
            let size = (low >> 3) + 1;
            let further = self.unsigned(at, size)?;
            let high = if size == 4 { 0 } else { (low & 7) << (8 * size) };
            let base = [0, 2_048, 526_336, 0].get(size - 1).copied().unwrap_or_default();
            return Ok(Kind::Pointer(high + further + base));
        }
        let kind = if kind == 0 { self.unsigned(at, 1)? + 7 } else { kind };
        let size = match low {
            29 => 29 + self.unsigned(at, 1)?,
            30 => 285 + self.unsigned(at, 2)?,
            31 => 65_821 + self.unsigned(at, 3)?,
            small => small,
        };
        match (kind, size) {
            (2, size) => Ok(Kind::Text(size)),
            (5, 0..=2) | (6, 0..=4) | (9, 0..=8) => Ok(Kind::Number(size)),
            (7, count) => Ok(Kind::Map(count)),
            (11, count) => Ok(Kind::List(count)),
            // A number with a point, bytes, a signed number, a long one.
            (3, 8) | (8, 0..=4) | (10, 0..=16) | (15, 4) => Ok(Kind::Other(size)),
            (4, size) => Ok(Kind::Other(size)),
            // What is true or false says so by its size.
            (14, 0 | 1) => Ok(Kind::Other(0)),
            _ => Err(PlacesError::Malformed),
        }
    }

    /// A number in at most four bytes.
    fn unsigned(&self, at: &mut usize, size: usize) -> Result<usize, PlacesError> {
        Ok(self.bytes(at, size)?.iter().fold(0, |number, byte| number << 8 | usize::from(*byte)))
    }

    fn bytes(&self, at: &mut usize, size: usize) -> Result<&'b [u8], PlacesError> {
        let end = at.checked_add(size).ok_or(PlacesError::Malformed)?;
        let found = self.bytes.get(*at..end).ok_or(PlacesError::Malformed)?;
        *at = end;
        Ok(found)
    }
}
