//! Re-prints a test's output in this process as it comes: through `print!` and `eprint!`, so that libtest captures it.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use crate::client::Pending;
use crate::harness::{Filter, Printable};
use crate::lines::{Lines, PATIENCE};
use crate::patient;

/// Until both streams have ended, or the report is there and nothing more is waiting: what is still written afterwards
/// comes from processes that outlive the test, which only the absence of isolation can cause.
pub(crate) fn reprint(out: OwnedFd, err: OwnedFd, filter: Option<Filter>, pending: &Pending) -> io::Result<()> {
    let raw = capture_is_off() || crate::hold::is_asked();
    let mut streams = [Stream::new(out, print_out, raw, filter), Stream::new(err, print_err, raw, None)];
    let mut buffer = vec![0; 64 * 1024];
    while streams.iter().any(|stream| stream.file.is_some()) {
        let open = streams.iter().filter_map(|stream| stream.file.as_ref()).map(AsFd::as_fd);
        // The kernel looks at them in this order: when it finds the report, all that the test wrote is there to be found.
        let mut events: Vec<_> =
            [pending.as_fd()].into_iter().chain(open).map(|source| PollFd::new(source, PollFlags::POLLIN)).collect();
        let in_the_middle = raw && streams.iter().any(|stream| stream.lines.begun());
        let patience = if in_the_middle {
            PollTimeout::try_from(PATIENCE).unwrap_or(PollTimeout::ZERO)
        } else {
            PollTimeout::NONE
        };
        match poll(&mut events, patience) {
            Err(Errno::EINTR) => continue,
            Ok(0) => {
                streams.iter_mut().try_for_each(Stream::show_the_rest)?;
                continue;
            }
            other => other?,
        };
        let ready: Vec<bool> = events[1..].iter().map(|event| event.any().unwrap_or(true)).collect();
        let mut something_came = false;
        for (stream, ready) in streams.iter_mut().filter(|stream| stream.file.is_some()).zip(ready) {
            if ready {
                stream.take(&mut buffer)?;
                something_came = true;
            }
        }
        if !something_came {
            break;
        }
    }
    streams.iter_mut().try_for_each(Stream::finish)
}

/// One of the test's two outputs.
struct Stream {
    file: Option<File>,
    filter: Option<Filter>,
    lines: Lines,
    /// Where libtest captures, it takes only text.
    text: Option<Printable>,
    show: fn(Piece<'_>) -> io::Result<()>,
}

enum Piece<'p> {
    Text(&'p str),
    Raw(&'p [u8]),
}

impl Stream {
    fn new(source: OwnedFd, show: fn(Piece<'_>) -> io::Result<()>, raw: bool, filter: Option<Filter>) -> Stream {
        Stream {
            file: Some(source.into()),
            filter,
            lines: Lines::default(),
            text: (!raw).then(Printable::default),
            show,
        }
    }

    fn take(&mut self, buffer: &mut [u8]) -> io::Result<()> {
        let length = self.file.as_mut().map_or(Ok(0), |file| file.read(buffer))?;
        if length == 0 {
            self.file = None;
        }
        let filtered = self.filter.as_mut().map(|filter| filter.push(&buffer[..length]));
        let lines = self.lines.push(filtered.as_deref().unwrap_or(&buffer[..length]));
        self.show(&lines)
    }

    fn show_the_rest(&mut self) -> io::Result<()> {
        let rest = self.lines.rest();
        self.show(&rest)
    }

    fn finish(&mut self) -> io::Result<()> {
        let filtered = self.filter.as_mut().map(Filter::finish).unwrap_or_default();
        let lines = self.lines.push(&filtered);
        self.show(&lines)?;
        self.show_the_rest()?;
        let rest = self.text.as_mut().map(Printable::finish).unwrap_or_default();
        (self.show)(Piece::Text(&rest))
    }

    fn show(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.text {
            Some(text) => (self.show)(Piece::Text(&text.push(bytes))),
            None => (self.show)(Piece::Raw(bytes)),
        }
    }
}

fn print_out(piece: Piece<'_>) -> io::Result<()> {
    match piece {
        Piece::Text(text) => print!("{text}"),
        Piece::Raw(bytes) => patient::write_all(&mut io::stdout().lock(), bytes)?,
    }
    Ok(())
}

fn print_err(piece: Piece<'_>) -> io::Result<()> {
    match piece {
        Piece::Text(text) => eprint!("{text}"),
        Piece::Raw(bytes) => patient::write_all(&mut io::stderr().lock(), bytes)?,
    }
    Ok(())
}

/// Whether libtest shows output as it comes. A wrong guess changes only how bytes that are no text look.
fn capture_is_off() -> bool {
    let asked = |argument: std::ffi::OsString| argument == "--nocapture" || argument == "--no-capture";
    std::env::args_os().any(asked) || std::env::var_os("RUST_TEST_NOCAPTURE").is_some_and(|value| value != "0")
}
