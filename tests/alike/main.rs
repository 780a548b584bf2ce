//! What a user knows of `cargo test` holds: isolated tests look there as all others do, and `cargo isotest` builds, chooses and runs
//! as it does.

mod builds;
mod environment;
mod harness;
mod places;
mod runs;
mod selection;
