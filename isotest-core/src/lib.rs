//! A Rust test that touches the network, the process table, the hostname or the file system gets a machine of
//! its own.

mod spec;

pub use isotest_macros::isotest;
pub use isotest_macros::isotest as test;
pub use spec::{Net, Pid1, Spec, User};

/// What generated code calls. Not part of the public interface: it changes without notice.
#[doc(hidden)]
pub mod __private {
    pub use crate::entry::{IsolatedTest, Verdict, run, run_should_panic};
}
mod entry;
