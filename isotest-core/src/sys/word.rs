//! The word: memory that init and the test process share, in which the test's wrapper says how the body ended, and until then what is
//! to be told if it never comes to its end.
//!
//! Memory rather than a pipe, because a test must find no descriptor but 0, 1 and 2. Only a test that is executed
//! afresh gets it as a file, the *letter*, which its door maps and closes before `main`.

use std::num::NonZeroUsize;
use std::os::fd::OwnedFd;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use nix::Result;
use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};
use nix::sys::mman::{MapFlags, ProtFlags, mmap, mmap_anonymous};

use crate::outcome::Word;

/// How much of a panic message is kept: as JSON it can grow sixfold, and must still fit into one packet.
const MESSAGE: usize = 24 * 1024;

/// The state in which nothing was said of the body, and something was left.
const LEFT: u32 = 5;
/// Stands between texts that were left.
const BETWEEN: &str = "\0";

#[repr(C)]
struct Page {
    state: AtomicU32,
    length: AtomicU32,
    message: [std::sync::atomic::AtomicU8; MESSAGE],
}

/// One shared page, zeroed at first; lives as long as the process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedWord(&'static Page);

impl std::fmt::Debug for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.state.fmt(f)
    }
}

impl SharedWord {
    /// Maps a fresh page that copies of this process will share.
    pub(crate) fn new() -> Result<Self> {
        let length = NonZeroUsize::new(size_of::<Page>()).unwrap_or(NonZeroUsize::MIN);
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new anonymous mapping overlaps nothing.
        let page: NonNull<libc::c_void> = unsafe { mmap_anonymous(None, length, protection, MapFlags::MAP_SHARED)? };
        // SAFETY: the mapping is zeroed, page-aligned, large enough, never unmapped, and all fields are atomics,
        // so another process writing to it is no data race.
        Ok(SharedWord(unsafe { page.cast::<Page>().as_ref() }))
    }

    /// A word that an executed program can find: what it is told stands in the file's beginning.
    pub(crate) fn as_letter(told: &[u8]) -> Result<(Self, OwnedFd)> {
        if told.len() > MESSAGE {
            return Err(Errno::E2BIG);
        }
        let file = memfd_create(c"isotest-word", MFdFlags::MFD_CLOEXEC)?;
        nix::unistd::ftruncate(&file, size_of::<Page>() as i64)?;
        let word = SharedWord::in_file(&file)?;
        word.write(0, told);
        Ok((word, file))
    }

    /// Opens a letter; says what was told in it.
    pub(crate) fn open_letter(file: &OwnedFd) -> Result<(Self, Vec<u8>)> {
        if nix::sys::stat::fstat(file)?.st_size != size_of::<Page>() as i64 {
            return Err(Errno::EINVAL);
        }
        let word = SharedWord::in_file(file)?;
        let (_, told) = word.read();
        Ok((word, told))
    }

    fn in_file(file: &OwnedFd) -> Result<Self> {
        let length = NonZeroUsize::new(size_of::<Page>()).unwrap_or(NonZeroUsize::MIN);
        let protection = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice overlaps nothing.
        let page = unsafe { mmap(None, length, protection, MapFlags::MAP_SHARED, file, 0)? };
        // SAFETY: the file has the size of a page (both callers see to it), and otherwise as for an anonymous mapping.
        Ok(SharedWord(unsafe { page.cast::<Page>().as_ref() }))
    }

    /// Writes a state and a message (cut to what fits); the state is written last.
    fn write(self, state: u32, message: &[u8]) {
        let message = &message[..message.len().min(MESSAGE)];
        for (slot, byte) in self.0.message.iter().zip(message) {
            slot.store(*byte, Ordering::Relaxed);
        }
        self.0.length.store(message.len() as u32, Ordering::Relaxed);
        self.0.state.store(state, Ordering::Release);
    }

    /// Reads the state and the message.
    fn read(self) -> (u32, Vec<u8>) {
        let state = self.0.state.load(Ordering::Acquire);
        let length = (self.0.length.load(Ordering::Relaxed) as usize).min(MESSAGE);
        (state, self.0.message[..length].iter().map(|byte| byte.load(Ordering::Relaxed)).collect())
    }
}

impl SharedWord {
    /// Says how the body ended.
    pub(crate) fn say(self, word: &Word) {
        match word {
            Word::None => self.write(0, b""),
            Word::Passed => self.write(1, b""),
            Word::Failed => self.write(2, b""),
            Word::Panicked(None) => self.write(3, b""),
            Word::Panicked(Some(message)) => self.write(4, message.as_bytes()),
        }
    }

    /// Leaves texts to be told if the body never comes to its end: what is said of that takes their place. The test process can't tell
    /// them itself, it may be killed.
    #[cfg(feature = "lab")]
    pub(crate) fn leave(self, texts: &[String]) {
        self.write(LEFT, texts.join(BETWEEN).as_bytes());
    }

    /// What was left, if the body has not come to its end.
    pub(crate) fn left(self) -> Vec<String> {
        let (state, texts) = self.read();
        if state != LEFT || texts.is_empty() {
            return Vec::new();
        }
        String::from_utf8_lossy(&texts).split(BETWEEN).map(str::to_owned).collect()
    }

    /// What was said.
    pub(crate) fn said(self) -> Word {
        match self.read() {
            (1, _) => Word::Passed,
            (2, _) => Word::Failed,
            (3, _) => Word::Panicked(None),
            (4, message) => Word::Panicked(Some(String::from_utf8_lossy(&message).into_owned())),
            _ => Word::None,
        }
    }
}
