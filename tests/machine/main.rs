//! What programs read of a run is well-formed, complete and true.

mod annotations;
mod events;
mod junit;
mod libtest_events;
mod ran;
