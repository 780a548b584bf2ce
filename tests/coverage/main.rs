//! Coverage counts what only isolated tests execute: nothing is lost or overwritten although process ids repeat across
//! PID namespaces, whatever the profiles are called and wherever they lie.

mod counts;
mod names;
mod places;
mod runner;
