//! Every guarantee of the sandbox has a test named after it here, with its opposite beside it.
//!
//! Most look from inside: an `#[isotest]` with a plain `#[test]` that shows the same without a sandbox. Where the
//! outside must be watched at the same time, a test of the fixture `guarantees` is run, see `inside`.

mod afterwards;
mod bounded;
mod files;
mod identity;
mod inside;
mod limits;
mod names;
mod network;
mod places;
mod processes;
mod remains;
mod shared;
mod state;
