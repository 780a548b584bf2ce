//! The constructors that the loader would call after the door, when the door does not return.

use std::ffi::{c_char, c_int};

use super::door::{Arguments, Constructor, door};

unsafe extern "C" {
    #[link_name = "__init_array_start"]
    static START: usize;
    #[link_name = "__init_array_end"]
    static END: usize;
    static environ: *mut *mut c_char;
}

/// Calls them, in the loader's order and with its arguments. At most once, and only where the door will not return.
pub(crate) fn run_the_rest(arguments: &Arguments) {
    let start = (&raw const START).cast::<usize>();
    let count = (&raw const END as usize - start as usize) / size_of::<usize>();
    // SAFETY: the linker's symbols delimit the array, which holds one address per constructor.
    let table = unsafe { std::slice::from_raw_parts(start, count) };
    let own = table.iter().position(|address| *address == door as *const () as usize);
    // SAFETY: libc set it before any constructor ran.
    let environment = unsafe { environ };
    for address in table.iter().skip(own.map_or(count, |own| own + 1)) {
        // Old linkers delimit the array with 0 and -1.
        if *address == 0 || *address == usize::MAX {
            continue;
        }
        // SAFETY: every other entry is a constructor: the loader would call it in this way.
        let constructor = unsafe { std::mem::transmute::<usize, Constructor>(*address) };
        constructor(arguments.count() as c_int, arguments.as_ptr(), environment);
    }
}
