//! Where two streams are shown in one place, a line of one must not begin in the middle of the other's: gives whole lines.
//!
//! A test's standard error comes in pieces smaller than a line, because std does not buffer it, and a pipe may be read at
//! any moment.

use std::time::Duration;

/// For how long the rest of a line is waited for where output is shown as it comes. It may be a prompt.
pub const PATIENCE: Duration = Duration::from_millis(100);

/// A line that is longer is shown in pieces.
const LONGEST: usize = 64 * 1024;

/// One stream.
#[derive(Debug, Default)]
pub struct Lines {
    begun: Vec<u8>,
}

impl Lines {
    /// Takes the next piece; gives the lines that have come to their end.
    pub fn push(&mut self, piece: &[u8]) -> Vec<u8> {
        let (ended, begun) = piece.split_at(piece.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1));
        if ended.is_empty() && self.begun.len() + begun.len() <= LONGEST {
            self.begun.extend_from_slice(begun);
            return Vec::new();
        }
        let mut lines = std::mem::replace(&mut self.begun, begun.to_vec());
        lines.extend_from_slice(ended);
        lines
    }

    /// Gives the line that has begun, because nothing more is waited for.
    pub fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.begun)
    }

    /// Whether a line has begun.
    #[must_use]
    pub fn begun(&self) -> bool {
        !self.begun.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Lines};

    #[test]
    fn a_line_waits_for_its_end() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\ntw"), b"one\n");
        assert_eq!(lines.push(b"o"), b"");
        assert!(lines.begun());
        assert_eq!(lines.push(b"\n\nthree"), b"two\n\n");
        assert_eq!(lines.rest(), b"three");
        assert!(!lines.begun());
    }

    #[test]
    fn a_line_without_end_takes_no_memory_without_end() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(&vec![b'x'; LONGEST]).len(), 0);
        assert_eq!(lines.push(b"y").len(), LONGEST);
        assert_eq!(lines.rest(), b"y");
    }
}
