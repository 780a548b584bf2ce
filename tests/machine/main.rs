//! What programs read of a run is well-formed, complete and true.

mod junit;
mod ran;
