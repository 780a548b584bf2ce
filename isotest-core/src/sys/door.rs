//! The door: the one function that runs before `main`, and turns a test binary into a fork server when asked.

use std::ffi::{CString, c_char, c_int};

use super::process::SingleThreaded;
use crate::test_process::{LETTER, PORTER};

/// Asks a test binary to be a fork server; its value is the protocol's version. The socket is its standard input.
pub(crate) const SERVER: &str = "ISOTEST_SERVER";

/// Tells an executed test that it is inside a sandbox, and that its letter lies at [`LETTER`].
pub(crate) const INSIDE: &str = "ISOTEST_INSIDE";

/// As the loader calls them.
pub(super) type Constructor = extern "C" fn(c_int, *mut *mut c_char, *mut *mut c_char);

/// The loader calls what stands in `.init_array` before `main`, with main's arguments (glibc's promise).
///
/// The number puts it before the constructors of other libraries in this binary: those then run once in each
/// test process, as they would in a process of its own, and the coverage runtime reads the environment there.
#[used]
#[unsafe(link_section = ".init_array.00098")]
static DOOR: Constructor = door;

/// Makes whoever calls it pull the door into the binary: a linker leaves out object files that nothing refers to.
pub(crate) fn link() {
    std::hint::black_box(&raw const DOOR);
}

pub(super) extern "C" fn door(argc: c_int, argv: *mut *mut c_char, _environment: *mut *mut c_char) {
    if super::env::has(c"ISOTEST_SERVER") {
        crate::server::serve(Arguments { argv, slots: argc as usize });
    }
    if super::env::has(c"ISOTEST_INSIDE") {
        super::env::remove_before_main(c"ISOTEST_INSIDE");
        crate::entry::enter_by_letter(super::process::own_descriptor(LETTER), || {
            super::process::own_descriptor(PORTER)
        });
    }
}

/// The argument slots that this process was started with. std and libc have kept pointers to them.
#[derive(Debug)]
pub(crate) struct Arguments {
    argv: *mut *mut c_char,
    slots: usize,
}

impl Arguments {
    /// How many there are, the program's name included.
    pub(super) fn count(&self) -> usize {
        self.slots
    }

    /// Where they are.
    pub(super) fn as_ptr(&self) -> *mut *mut c_char {
        self.argv
    }

    /// Replaces every argument but the program's name.
    ///
    /// # Panics
    ///
    /// When their number differs from what the process was started with, less one.
    pub(crate) fn rewrite(&self, _proof: &SingleThreaded, arguments: &[&str]) {
        assert_eq!(
            arguments.len() + 1,
            self.slots,
            "the number of arguments must stay what the server was started with"
        );
        for (slot, argument) in arguments.iter().enumerate() {
            let argument = CString::new(*argument).unwrap_or_default().into_raw();
            // SAFETY: the slot is one of argc, so the address is inside the array.
            let slot = unsafe { self.argv.add(slot + 1) };
            // SAFETY: the array lives as long as the process and only this, its one thread, may write it; the
            // argument is leaked and so lives as long.
            unsafe { *slot = argument };
        }
    }
}
