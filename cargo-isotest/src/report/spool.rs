//! What is to be written at the end of a run, however much that is: it waits in one file that has no name, not in memory.

use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// This much of it all waits in memory; the file beyond it vanishes with this program, however it ends.
const IN_MEMORY: usize = 1 << 20;

/// How much is written at once.
const BUFFER: usize = 64 << 10;

/// The file.
#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<SpooledTempFile>,
    length: u64,
}

/// What was written into it at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    at: u64,
    length: u64,
}

impl Piece {
    /// Both in one, if the other was written right behind this one.
    pub(crate) fn followed_by(self, other: Piece) -> Option<Piece> {
        let adjacent = self.at + self.length == other.at;
        adjacent.then_some(Piece { at: self.at, length: self.length + other.length })
    }
}

impl Spool {
    /// With nothing in it.
    pub(crate) fn new() -> Spool {
        Spool { file: BufWriter::with_capacity(BUFFER, SpooledTempFile::new(IN_MEMORY)), length: 0 }
    }

    /// Adds what `write` writes.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<Piece> {
        let at = self.length;
        write(self)?;
        Ok(Piece { at, length: self.length - at })
    }

    /// Writes a piece.
    pub(crate) fn copy(&mut self, piece: Piece, to: &mut dyn Write) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(piece.at))?; // Writes what its buffer holds first.
        let copied = io::copy(&mut self.file.get_mut().take(piece.length), to);
        self.file.seek(SeekFrom::End(0))?;
        match copied? {
            length if length == piece.length => Ok(()),
            _ => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl Write for Spool {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let length = self.file.write(text)?;
        self.length += length as u64;
        Ok(length)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::Spool;

    #[test]
    fn pieces_come_out_in_any_order_and_between_others() {
        let mut spool = Spool::new();
        let mut add = |text: &str| spool.add(|to| to.write_all(text.as_bytes())).expect("there is room");
        let (one, empty, two) = (add("one"), add(""), add(&"two".repeat(1 << 20)));
        let mut out = Vec::new();
        spool.copy(two, &mut out).expect("it can be read");
        let three = spool.add(|to| to.write_all(b"three")).expect("there is room");
        for piece in [empty, one, three, one] {
            spool.copy(piece, &mut out).expect("it can be read");
        }
        assert_eq!(out.len(), (3 << 20) + 11);
        assert!(out.starts_with(b"twotwo") && out.ends_with(b"twoonethreeone"));
        let both = one.followed_by(empty).and_then(|both| both.followed_by(two)).expect("they are neighbours");
        assert_eq!(both.length, 3 + (3 << 20));
        assert_eq!(one.followed_by(three), None);
    }
}
