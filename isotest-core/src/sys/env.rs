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
