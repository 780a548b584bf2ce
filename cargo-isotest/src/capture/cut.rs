//! Which part of too long an output stays, and where is it stored? Pure arithmetic.

use std::ops::Range;

/// A mebibyte.
pub(crate) const MIB: u64 = 1 << 20;

/// How much stays of the beginning and of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Limits {
    /// Bytes of the beginning.
    pub(crate) first: u64,
    /// Bytes of the end.
    pub(crate) last: u64,
}

impl Limits {
    /// What stays if both hold.
    pub(super) fn and(self, other: Limits) -> Limits {
        if self.first + self.last <= other.first + other.last { self } else { other }
    }

    /// Where the byte at `at` of the stream is stored, and how many may follow it there.
    pub(super) fn place(self, at: u64) -> (u64, u64) {
        match at.checked_sub(self.first) {
            None => (at, self.first - at),
            Some(behind) => (self.first + behind % self.last, self.last - behind % self.last),
        }
    }
}

/// A stream of which the middle may be left out.
pub(super) struct Cut {
    beginning: Range<u64>,
    end: Range<u64>,
}

/// A part of it.
pub(super) enum Part {
    /// Bytes, where they are stored.
    Stored { place: u64, length: u64 },
    /// What stands for those that are left out.
    Note(String),
}

impl Cut {
    /// Of a stream of this length.
    pub(super) fn of(length: u64, limits: Limits) -> Cut {
        if length <= limits.first + limits.last {
            return Cut { beginning: 0..length, end: length..length };
        }
        Cut { beginning: 0..limits.first, end: length - limits.last..length }
    }

    /// How many bytes are left out.
    pub(super) fn left_out(&self) -> u64 {
        self.end.start - self.beginning.end
    }

    /// All parts in order, as they were stored under these limits.
    pub(super) fn parts(&self, stored: Limits) -> Vec<Part> {
        let mut parts = pieces(&self.beginning, stored);
        if self.left_out() > 0 {
            parts.push(Part::Note(note(self.left_out())));
            parts.extend(pieces(&self.end, stored));
        }
        parts
    }
}

fn pieces(range: &Range<u64>, stored: Limits) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut at = range.start;
    while at < range.end {
        let (place, room) = stored.place(at);
        let length = room.min(range.end - at);
        parts.push(Part::Stored { place, length });
        at += length;
    }
    parts
}

/// A line of its own.
fn note(bytes: u64) -> String {
    let much = match bytes {
        1 => "1 byte".to_owned(),
        bytes if bytes < 10 << 10 => format!("{bytes} bytes"),
        bytes if bytes < 10 * MIB => format!("{} KiB", bytes >> 10),
        bytes => format!("{} MiB", bytes / MIB),
    };
    format!("\n… {much} cut here …\n")
}

/// How many bytes at the end begin a character of UTF-8 and do not end it.
pub(super) fn unfinished(bytes: &[u8]) -> usize {
    let last = &bytes[bytes.len().saturating_sub(3)..];
    let chunk = last.utf8_chunks().last();
    let begun = chunk.map_or(&[][..], |chunk| chunk.invalid());
    match std::str::from_utf8(begun) {
        Err(error) if error.error_len().is_none() => begun.len(),
        _ => 0,
    }
}

/// How many bytes at the beginning end a character of UTF-8 that began before them.
pub(super) fn continued(bytes: &[u8]) -> usize {
    bytes.iter().take(3).take_while(|byte| **byte & 0b1100_0000 == 0b1000_0000).count()
}
