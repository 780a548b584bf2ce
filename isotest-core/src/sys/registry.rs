//! The registry: a table, made by the linker, of every `#[isotest]` function in this binary.
//!
//! Each test's monomorphised [`register`] adds one pointer to a section of its own. Inline assembly does it because
//! a `static` can't depend on a type parameter, and because generated code must stay free of `link_section`, which
//! crates with `#![forbid(unsafe_code)]` refuse.

use std::process::ExitCode;

use crate::Spec;
use crate::isolated::IsolatedTest;

/// One test of this binary.
#[derive(Debug)]
pub(crate) struct Registered {
    /// The function's path, the crate's name first.
    pub(crate) path: &'static str,
    /// Where it is to panic: what the message must contain.
    pub(crate) should_panic: Option<&'static str>,
    /// Which arguments the attribute has.
    pub(crate) written: &'static [&'static str],
    /// What it asks for.
    pub(crate) spec: fn() -> Spec,
    /// Calls the function.
    pub(crate) body: fn() -> ExitCode,
}

impl Registered {
    /// Its name in the harness: the path without the crate.
    pub(crate) fn name(&self) -> &'static str {
        self.path.split_once("::").map_or(self.path, |(_crate, name)| name)
    }
}

/// What the table points at.
type Describe = fn() -> &'static Registered;

// The section must exist even in a binary without tests, or its start and stop would be undefined.
std::arch::global_asm!(".pushsection isotest_tests,\"awR\",@progbits", ".popsection");

unsafe extern "C" {
    #[link_name = "__start_isotest_tests"]
    static START: usize;
    #[link_name = "__stop_isotest_tests"]
    static STOP: usize;
}

/// Adds `T` to the table, at link time; calling it does nothing.
#[inline(never)]
pub(crate) fn register<T: IsolatedTest>() {
    // SAFETY: the directives emit data into another section and leave this function empty. A pointer to a `fn` has
    // the width of `.quad` on every 64-bit target, which is all this module is compiled for.
    unsafe {
        std::arch::asm!(
            ".pushsection isotest_tests,\"awR\",@progbits",
            ".balign 8",
            ".quad {describe}",
            ".popsection",
            describe = sym describe::<T>,
            options(nomem, nostack, preserves_flags)
        );
    }
}

/// Describes `T`.
pub(crate) fn describe<T: IsolatedTest>() -> &'static Registered {
    const { &Registered { path: T::PATH, should_panic: T::SHOULD_PANIC, written: T::WRITTEN, spec: T::spec, body: T::body } }
}

/// Every test of this binary, by name. Inlining may have entered a test twice.
pub(crate) fn all() -> Vec<(&'static str, &'static Registered)> {
    let start = (&raw const START).cast::<Describe>();
    let stop = (&raw const STOP).cast::<Describe>();
    let count = (stop as usize - start as usize) / size_of::<Describe>();
    // SAFETY: the linker's symbols delimit the section, which holds nothing but `Describe` pointers.
    let table = unsafe { std::slice::from_raw_parts(start, count) };
    let mut tests: Vec<_> = table.iter().map(|describe| describe()).map(|test| (test.name(), test)).collect();
    tests.sort_unstable_by_key(|(name, _)| *name);
    tests.dedup_by_key(|(name, _)| *name);
    tests
}
