//! Where do captured packets lie, and of which runs are they kept?
//!
//! While the test runs they go into a file without a name, so that nothing is left of a run that is killed. What is kept gets its
//! name at the end, the same for each run of a test: `target/isotest/captures/BINARY.TEST.pcapng`. When a test is tried again, each further
//! attempt has a file of its own, `BINARY.TEST.attempt-2.pcapng` and so on.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Seek};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

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

impl Capture {
    /// For an attempt, numbered from 1 on, at a test of this binary, where its spec asks for it. With the first, what was kept of further
    /// ones of an earlier run is taken away.
    ///
    /// # Errors
    ///
    /// When no file can be made in the target directory.
    pub fn prepare(
        executable: &Path,
        (test, attempt): (&str, u32),
        spec: &Spec,
        isolation: Isolation,
    ) -> Result<Option<Capture>, (String, io::Error)> {
        if spec.pcap == Pcap::Never || isolation == Isolation::None {
            return Ok(None);
        }
        let directory = directory(executable);
        let of_attempt = |attempt: u32| directory.join(format!("{}.pcapng", file_name(executable, test, attempt)));
        let name = of_attempt(attempt);
        if attempt == 1 {
            (2..).map(of_attempt).take_while(|old| fs::remove_file(old).is_ok()).for_each(drop);
        }
        let file = fs::create_dir_all(&directory).and_then(|()| nameless(&name));
        let file =
            file.map_err(|error| (format!("making a file for captured packets in {}", directory.display()), error))?;
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
fn file_name(executable: &Path, test: &str, attempt: u32) -> String {
    let stem = executable.file_stem().unwrap_or_default().to_string_lossy();
    let is_added = |end: &str| end.len() == 16 && end.chars().all(|c| c.is_ascii_hexdigit());
    let binary = stem.rsplit_once('-').filter(|(_, end)| is_added(end)).map_or(&*stem, |(name, _)| name);
    let name = format!("{binary}.{}", test.replace("::", "."));
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '_' };
    // 255 bytes are the most that a name has on Linux.
    let name: String = name.chars().map(plain).take(200).collect();
    if attempt > 1 { format!("{name}.attempt-{attempt}") } else { name }
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
        let name = |executable: &str, test: &str| file_name(Path::new(executable), test, 1);
        assert_eq!(name("/t/debug/deps/it-0123456789abcdef", "a::b"), "it.a.b");
        assert_eq!(name("/t/debug/deps/my-program", "a b/c"), "my-program.a_b_c");
        assert_eq!(name("x", &"y".repeat(300)).len(), 200);
        assert_eq!(
            file_name(Path::new("x"), &"y".repeat(300), 12).split_once(".attempt-"),
            Some((&*name("x", &"y".repeat(300)), "12"))
        );
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
