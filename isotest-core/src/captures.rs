//! Where do captured packets lie, and of which runs are they kept?
//!
//! While the test runs they go into a file without a name, so that nothing is left of a run that is killed. What is kept gets its
//! name at the end, the same for each run of a test: `target/isotest/captures/PACKAGE.BINARY.TEST.pcapng`. When a test is tried again, each further
//! attempt has a file of its own, `BINARY.TEST.attempt-2.pcapng` and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::outcome::{Failure, Stage};
use crate::protocol::Isolation;
use crate::recorder::LARGEST;
use crate::report::Captured;
use crate::{Pcap, Spec};

/// The file for what goes over one test's network.
#[derive(Debug)]
pub struct Capture {
    file: File,
    name: PathBuf,
    pcap: Pcap,
}

impl AsFd for Capture {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// What is captured of which.
#[derive(Clone, Copy, Debug)]
pub struct Captive<'a> {
    /// The package whose test it is, where that is known.
    pub package: Option<&'a str>,
    /// Its binary.
    pub executable: &'a Path,
    /// Its name there.
    pub test: &'a str,
    /// Which copy of it runs, from 0 on, where there are several.
    pub copy: Option<usize>,
    /// Which attempt at it this is, from 1 on.
    pub attempt: u32,
}

impl Capture {
    /// For an attempt at a test, where its spec asks for it. With the first, what was kept of an earlier run is taken away.
    ///
    /// # Errors
    ///
    /// When no file can be made in the target directory.
    pub fn prepare(of: Captive<'_>, spec: &Spec, isolation: Isolation) -> Result<Option<Capture>, Failure> {
        if spec.pcap == Pcap::Never || isolation == Isolation::None {
            return Ok(None);
        }
        let directory = directory(of.executable);
        let of_attempt = |attempt: u32| directory.join(format!("{}.pcapng", file_name(Captive { attempt, ..of })));
        let name = of_attempt(of.attempt);
        if of.attempt == 1 {
            fs::remove_file(&name).ok(); // There may be none.
            (2..).map(of_attempt).take_while(|old| fs::remove_file(old).is_ok()).for_each(drop);
        }
        let file = fs::create_dir_all(&directory).and_then(|()| nameless(&name));
        let file = file.map_err(|error| Failure {
            step: format!("making a file for captured packets in {}", directory.display()),
            stage: Stage::Captures,
            errno: error.raw_os_error().unwrap_or(0),
        })?;
        Ok(Some(Capture { file, name, pcap: spec.pcap }))
    }

    /// Keeps the file or not, as the test's spec says. Tells where it is.
    pub fn finish(self, passed: bool, captured: Option<Captured>) -> Option<String> {
        if self.pcap == Pcap::Failed && passed {
            return None;
        }
        let Some(captured) = captured else {
            return self
                .keep()
                .map_or_else(Some, |path| Some(format!("the packets on its network until then: {path}")));
        };
        Some(match self.keep() {
            Ok(path) => format!("the packets on its network: {path} ({})", described(captured)),
            Err(problem) => problem,
        })
    }

    fn keep(mut self) -> Result<String, String> {
        let unfinished = self.name.with_extension(format!("pcapng.{}", std::process::id()));
        let mut copy = || {
            self.file.rewind()?;
            io::copy(&mut self.file, &mut File::create(&unfinished)?)?;
            fs::rename(&unfinished, &self.name)
        };
        match copy() {
            Ok(()) => Ok(self.name.display().to_string()),
            Err(error) => {
                fs::remove_file(&unfinished).ok(); // It may not have come to be.
                Err(format!("keeping the packets on its network as {}: {error}", self.name.display()))
            }
        }
    }
}

fn described(captured: Captured) -> String {
    let Captured { packets, missed, cut } = captured;
    let mut text = format!("{packets} {}", if packets == 1 { "packet" } else { "packets" });
    if missed > 0 {
        text.push_str(&format!(", {missed} more came too fast or too late to be in it"));
    }
    if cut {
        text.push_str(&format!("; it is full: at most {} MiB are kept", LARGEST >> 20));
    }
    text
}

/// In the target directory that the binary lies in, or beside the binary.
fn directory(executable: &Path) -> PathBuf {
    let target = executable.ancestors().skip(1).find(|ancestor| ancestor.join("CACHEDIR.TAG").exists());
    let base = target.or_else(|| executable.parent()).unwrap_or(Path::new("."));
    base.join("isotest/captures")
}

/// The binary's name without what cargo has added to it, and the test's, in characters that every file system and every archive
/// of a CI server takes.
fn file_name(of: Captive<'_>) -> String {
    let stem = of.executable.file_stem().unwrap_or_default().to_string_lossy();
    let is_added = |end: &str| end.len() == 16 && end.chars().all(|c| c.is_ascii_hexdigit());
    let binary = stem.rsplit_once('-').filter(|(_, end)| is_added(end)).map_or(&*stem, |(name, _)| name);
    // A library's is called as its package.
    let package = of.package.filter(|package| package.replace('-', "_") != binary.replace('-', "_"));
    let package = package.map(|package| format!("{package}.")).unwrap_or_default();
    let name = format!("{package}{binary}.{}", of.test.replace("::", "."));
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    // 255 bytes are the most that a name has on Linux.
    let name: String = name.chars().map(plain).take(200).collect();
    let copy = of.copy.map(|copy| format!(".copy-{}", copy + 1)).unwrap_or_default();
    let attempt = if of.attempt > 1 { format!(".attempt-{}", of.attempt) } else { String::new() };
    format!("{name}{copy}{attempt}")
}

/// An empty file that lies where `name` will be.
fn nameless(name: &Path) -> io::Result<File> {
    let directory = name.parent().unwrap_or(Path::new("."));
    let flags = libc::O_TMPFILE | libc::O_CLOEXEC;
    match OpenOptions::new().read(true).write(true).custom_flags(flags).open(directory) {
        // Not every file system can do that.
        Err(error) if matches!(error.raw_os_error(), Some(libc::EOPNOTSUPP | libc::EISDIR | libc::ENOENT)) => {
            let for_a_moment = name.with_extension(format!("pcapng.{}", std::process::id()));
            let file = OpenOptions::new().read(true).write(true).create_new(true).open(&for_a_moment)?;
            fs::remove_file(&for_a_moment)?;
            Ok(file)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_tells_binary_and_test() {
        let of = |executable, test| Captive {
            package: Some("my-crate"),
            executable: Path::new(executable),
            test,
            copy: None,
            attempt: 1,
        };
        let name = |executable, test| file_name(Captive { package: None, ..of(executable, test) });
        assert_eq!(name("/t/debug/deps/it-0123456789abcdef", "a::b"), "it.a.b");
        assert_eq!(name("/t/debug/deps/my-program", "a b/c"), "my-program.a_b_c");
        assert_eq!(file_name(of("/t/debug/deps/it-0123456789abcdef", "a")), "my-crate.it.a");
        assert_eq!(file_name(of("/t/debug/deps/my_crate-0123456789abcdef", "a")), "my_crate.a");
        let long = "y".repeat(300);
        assert_eq!(name("x", &long).len(), 200);
        let further = Captive { copy: Some(0), attempt: 12, package: None, ..of("x", &long) };
        assert_eq!(file_name(further), format!("{}.copy-1.attempt-12", name("x", &long)));
    }

    #[test]
    fn where_no_file_can_be_made_the_place_is_told() {
        let executable = Path::new("/dev/null/it-0123456789abcdef");
        let of = Captive { package: None, executable, test: "a", copy: None, attempt: 1 };
        let spec = Spec { pcap: Pcap::Always, ..Spec::default() };
        let failure = Capture::prepare(of, &spec, Isolation::Required).expect_err("there is no such directory");
        assert_eq!((failure.stage, failure.is_refusal()), (Stage::Captures, false));
        let told = crate::diagnose::explain("a", &failure);
        for words in [
            "cannot isolate `a`: there is no place for the packets that it is to capture",
            "making a file for captured packets in /dev/null/isotest/captures",
            "let this user write there",
        ] {
            assert!(told.contains(words), "{told}");
        }
    }

    #[test]
    fn what_is_missing_is_told() {
        let captured = Captured { packets: 1, missed: 0, cut: false };
        assert_eq!(described(captured), "1 packet");
        let captured = Captured { packets: 2, missed: 3, cut: true };
        let expected = "2 packets, 3 more came too fast or too late to be in it; it is full: at most 256 MiB are kept";
        assert_eq!(described(captured), expected);
    }
}
