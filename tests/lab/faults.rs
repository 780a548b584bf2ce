//! What do links with faults do to packets?

mod datagrams;
mod numbers;
mod repeated;
mod sound;
