//! Output of one test, kept in bounded memory and on a bounded part of the disk: what is long goes to a file that has no name,
//! and of what is longer than anybody reads the middle is cut out, with a note of how much that was.

mod cut;

use std::io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use tempfile::SpooledTempFile;

use cut::{Cut, Part};
pub(crate) use cut::{Limits, MIB};

/// A megabyte is kept in memory; the file beyond it vanishes with this program, however it ends.
const IN_MEMORY: usize = 1 << 20;

/// How much is written at once.
const BUFFER: usize = 64 << 10;

/// What is kept of each stream of each test. A hundred megabytes come out whole.
const KEPT: Limits = Limits { first: 128 * MIB, last: 128 * MIB };

/// What a test wrote to one of its streams.
#[derive(Debug)]
pub(crate) struct Capture {
    /// The beginning, and behind it the end, which is written over itself, round and round.
    bytes: SpooledTempFile,
    limits: Limits,
    /// How much came.
    length: u64,
}

/// A part of what a test wrote.
pub(crate) struct Excerpt {
    /// The beginning, a note of what was cut, the end.
    pub(crate) bytes: Vec<u8>,
    /// How many bytes were cut.
    pub(crate) cut: u64,
}

impl Capture {
    /// Nothing yet.
    pub(crate) fn new() -> Capture {
        Capture::within(KEPT)
    }

    /// Nothing yet, and never more than this.
    fn within(limits: Limits) -> Capture {
        Capture { bytes: SpooledTempFile::new(IN_MEMORY), limits, length: 0 }
    }

    /// Takes what comes next.
    pub(crate) fn push(&mut self, mut piece: &[u8]) -> io::Result<()> {
        while !piece.is_empty() {
            let (place, room) = self.limits.place(self.length);
            let (now, later) = piece.split_at(room.min(piece.len() as u64) as usize);
            self.bytes.seek(SeekFrom::Start(place))?;
            self.bytes.write_all(now)?;
            self.length += now.len() as u64;
            piece = later;
        }
        Ok(())
    }

    /// Whether nothing came.
    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// How many bytes came, kept or not.
    pub(crate) fn length(&self) -> u64 {
        self.length
    }

    /// As much of it as `limits` allow, cut between characters.
    pub(crate) fn excerpt(&mut self, limits: Limits) -> io::Result<Excerpt> {
        let cut = Cut::of(self.length, self.limits.and(limits));
        let (mut bytes, mut behind_note) = (Vec::new(), None);
        for part in cut.parts(self.limits) {
            match part {
                Part::Stored { place, length } => {
                    self.bytes.seek(SeekFrom::Start(place))?;
                    (&mut self.bytes).take(length).read_to_end(&mut bytes)?;
                }
                Part::Note(note) => {
                    bytes.truncate(bytes.len() - cut::unfinished(&bytes));
                    bytes.extend_from_slice(note.as_bytes());
                    behind_note = Some(bytes.len());
                }
            }
        }
        if let Some(at) = behind_note {
            bytes.drain(at..at + cut::continued(&bytes[at..]));
        }
        Ok(Excerpt { bytes, cut: cut.left_out() })
    }

    /// Writes all that was kept, every line behind `margin`, the last one ended.
    pub(crate) fn write_indented(&mut self, margin: &str, to: &mut dyn Write) -> io::Result<()> {
        // Nothing else is written meanwhile, and standard error alone would make a system call of every line.
        let mut to = BufWriter::with_capacity(BUFFER, to);
        let mut at_the_beginning = true;
        for part in Cut::of(self.length, self.limits).parts(self.limits) {
            match part {
                Part::Stored { place, length } => {
                    self.bytes.seek(SeekFrom::Start(place))?;
                    let stored = BufReader::with_capacity(BUFFER, (&mut self.bytes).take(length));
                    indent(stored, margin, &mut at_the_beginning, &mut to)?;
                }
                Part::Note(note) => indent(note.as_bytes(), margin, &mut at_the_beginning, &mut to)?,
            }
        }
        if !at_the_beginning {
            to.write_all(b"\n")?;
        }
        to.flush()
    }
}

fn indent(mut text: impl BufRead, margin: &str, at_the_beginning: &mut bool, to: &mut dyn Write) -> io::Result<()> {
    loop {
        let piece = text.fill_buf()?;
        if piece.is_empty() {
            return Ok(());
        }
        if *at_the_beginning {
            to.write_all(margin.as_bytes())?;
        }
        let line = piece.split_inclusive(|byte| *byte == b'\n').next().unwrap_or(piece);
        to.write_all(line)?;
        *at_the_beginning = line.ends_with(b"\n");
        let length = line.len();
        text.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::{Capture, IN_MEMORY, Limits};

    /// Far more than the tests write.
    const AMPLE: Limits = Limits { first: 1 << 40, last: 1 << 40 };

    fn captured(limits: Limits, pieces: &[&[u8]]) -> Capture {
        let mut capture = Capture::within(limits);
        for piece in pieces {
            capture.push(piece).expect("there is room");
        }
        capture
    }

    fn indented(mut capture: Capture) -> Vec<u8> {
        let mut text = Vec::new();
        capture.write_indented("  ", &mut text).expect("memory takes it");
        text
    }

    fn excerpt(mut capture: Capture, limits: Limits) -> (String, u64) {
        let excerpt = capture.excerpt(limits).expect("it can be read");
        (String::from_utf8(excerpt.bytes).expect("text"), excerpt.cut)
    }

    #[test]
    fn every_line_gets_a_margin_and_the_last_an_end() {
        assert_eq!(indented(captured(AMPLE, &[b"one\ntw", b"o\n\nthree"])), b"  one\n  two\n  \n  three\n");
        assert_eq!(indented(captured(AMPLE, &[b"\xff\n"])), b"  \xff\n");
        assert_eq!(indented(captured(AMPLE, &[])), b"");
    }

    #[test]
    fn a_line_longer_than_memory_is_kept_whole() {
        let line = vec![b'x'; IN_MEMORY + 100];
        let text = indented(captured(AMPLE, &[&line[..10], &line[10..]]));
        assert_eq!(text.len(), line.len() + 3);
    }

    #[test]
    fn the_middle_of_too_much_is_cut_out_however_it_comes_in_pieces() {
        let limits = Limits { first: 4, last: 5 };
        let text: Vec<u8> = (b'a'..=b'z').collect();
        for size in 1..=text.len() {
            let pieces: Vec<&[u8]> = text.chunks(size).collect();
            let shown = indented(captured(limits, &pieces));
            let shown = String::from_utf8(shown).expect("text");
            assert_eq!(shown, "  abcd\n  … 17 bytes cut here …\n  vwxyz\n", "in pieces of {size}");
        }
    }

    #[test]
    fn what_just_fits_is_kept_whole() {
        let limits = Limits { first: 4, last: 5 };
        assert_eq!(indented(captured(limits, &[b"abcdefghi"])), b"  abcdefghi\n");
        let cut = indented(captured(limits, &[b"abcdefghi", b"j"]));
        assert_eq!(String::from_utf8_lossy(&cut), "  abcd\n  … 1 byte cut here …\n  fghij\n");
    }

    #[test]
    fn an_excerpt_is_shorter_than_what_is_kept_and_tells_what_was_ever_there() {
        let (small, large) = (Limits { first: 2, last: 3 }, Limits { first: 4, last: 5 });
        let of = |limits, text: &[u8]| excerpt(captured(large, &[text]), limits);
        assert_eq!(of(small, b"abcdefgh"), ("ab\n… 3 bytes cut here …\nfgh".to_owned(), 3));
        assert_eq!(of(small, b"abcdefghijklm"), ("ab\n… 8 bytes cut here …\nklm".to_owned(), 8));
        assert_eq!(of(AMPLE, b"abcdefghijklm"), ("abcd\n… 4 bytes cut here …\nijklm".to_owned(), 4));
        assert_eq!(of(small, b"abcde"), ("abcde".to_owned(), 0));
    }

    #[test]
    fn an_excerpt_is_cut_between_characters() {
        let limits = Limits { first: 3, last: 3 };
        let (text, _) = excerpt(captured(AMPLE, &["aéé€€é".as_bytes()]), limits);
        assert!(text.starts_with("aé\n… ") && text.ends_with(" …\né"), "{text:?}");
        let (text, _) = excerpt(captured(AMPLE, &["a€€€éz".as_bytes()]), limits);
        assert!(text.starts_with("a\n… ") && text.ends_with(" …\néz"), "{text:?}");
    }

    #[test]
    fn what_is_read_can_be_written_on() {
        let mut capture = captured(AMPLE, &[b"one "]);
        assert_eq!(capture.excerpt(AMPLE).expect("it can be read").bytes, b"one ");
        capture.push(b"two").expect("there is room");
        assert_eq!(excerpt(capture, AMPLE).0, "one two");
    }
}
