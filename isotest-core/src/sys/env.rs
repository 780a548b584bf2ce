//! The environment of a process that has one thread.

use std::ffi::CStr;

use super::process::SingleThreaded;

/// Sets one variable.
pub(crate) fn set(_proof: &SingleThreaded, name: &str, value: &str) {
    // SAFETY: no other thread exists that could read the environment meanwhile.
    unsafe { std::env::set_var(name, value) }
}

/// Removes one variable.
pub(crate) fn remove(_proof: &SingleThreaded, name: &str) {
    // SAFETY: no other thread exists that could read the environment meanwhile.
    unsafe { std::env::remove_var(name) }
}

/// Whether the variable exists; allocates nothing, so that every ordinary process may ask before `main`.
pub(crate) fn has(name: &CStr) -> bool {
    // SAFETY: the name ends with NUL; the returned pointer is only compared.
    !unsafe { libc::getenv(name.as_ptr()) }.is_null()
}

/// Removes one variable while libraries may have started threads, but `main` has not.
pub(crate) fn remove_before_main(name: &CStr) {
    // SAFETY: the name ends with NUL. Threads that exist before `main` belong to a runtime (a sanitizer's, say) that has
    // read its settings already; libc guards its own readers and writers of the environment.
    unsafe { libc::unsetenv(name.as_ptr()) };
}
