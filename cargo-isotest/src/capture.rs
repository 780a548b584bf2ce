//! Output of one test, kept whole in bounded memory: what is long goes to a file that has no name.

use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

/// A megabyte is kept in memory; the file beyond it vanishes with this program, however it ends.
const IN_MEMORY: usize = 1 << 20;

/// How much is written at once.
const BUFFER: usize = 64 << 10;

/// What a test wrote to one of its streams.
#[derive(Debug)]
pub(crate) struct Capture {
    bytes: SpooledTempFile,
    empty: bool,
}

impl Capture {
    /// Nothing yet.
    pub(crate) fn new() -> Capture {
        Capture { bytes: SpooledTempFile::new(IN_MEMORY), empty: true }
    }

    /// Takes what comes next.
    pub(crate) fn push(&mut self, piece: &[u8]) -> io::Result<()> {
        self.empty &= piece.is_empty();
        self.bytes.write_all(piece)
    }

    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        self.empty
    }

    /// Writes all of it as it is.
    pub(crate) fn write_to(&mut self, to: &mut dyn Write) -> io::Result<()> {
        self.bytes.seek(SeekFrom::Start(0))?;
        io::copy(&mut self.bytes, to).map(drop)
    }

    /// Writes all of it, every line behind `margin`, the last one ended.
    pub(crate) fn write_indented(&mut self, margin: &str, to: &mut dyn Write) -> io::Result<()> {
        self.bytes.seek(SeekFrom::Start(0))?;
        let mut lines = BufReader::with_capacity(BUFFER, &mut self.bytes);
        // Nothing else is written meanwhile, and standard error alone would make a system call of every line.
        let mut to = BufWriter::with_capacity(BUFFER, to);
        let mut at_the_beginning = true;
        loop {
            let piece = lines.fill_buf()?;
            if piece.is_empty() {
                if !at_the_beginning {
                    to.write_all(b"\n")?;
                }
                return to.flush();
            }
            if at_the_beginning {
                to.write_all(margin.as_bytes())?;
            }
            let line = piece.split_inclusive(|byte| *byte == b'\n').next().unwrap_or(piece);
            to.write_all(line)?;
            at_the_beginning = line.ends_with(b"\n");
            let length = line.len();
            lines.consume(length);
        }
    }
}

impl Write for Capture {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.push(piece)?;
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Capture, IN_MEMORY};

    fn indented(pieces: &[&[u8]]) -> Vec<u8> {
        let mut capture = Capture::new();
        for piece in pieces {
            capture.push(piece).expect("there is room");
        }
        let mut text = Vec::new();
        capture.write_indented("  ", &mut text).expect("memory takes it");
        text
    }

    #[test]
    fn every_line_gets_a_margin_and_the_last_an_end() {
        assert_eq!(indented(&[b"one\ntw", b"o\n\nthree"]), b"  one\n  two\n  \n  three\n");
        assert_eq!(indented(&[b"\xff\n"]), b"  \xff\n");
        assert_eq!(indented(&[]), b"");
    }

    #[test]
    fn a_line_longer_than_memory_is_kept_whole() {
        let line = vec![b'x'; IN_MEMORY + 100];
        let text = indented(&[&line[..10], &line[10..]]);
        assert_eq!(text.len(), line.len() + 3);
    }
}
