//! What do links with faults do to packets?

mod datagrams;
mod frames;
mod kernel;
mod numbers;
mod repeated;
mod sound;
