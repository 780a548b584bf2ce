//! What do links with faults do to packets?

mod bursts;
mod datagrams;
mod floods;
mod frames;
mod kernel;
mod netem;
mod numbers;
mod repeated;
mod sound;
