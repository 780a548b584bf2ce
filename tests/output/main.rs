//! What a test writes appears where libtest would show it: whole, in order, and in bounded memory. What libtest and std
//! say of a failure is said of an isolated one.

#[path = "../guarantees/bounded.rs"]
mod bounded;
mod failures;
mod flood;
mod interleaved;
mod live;
mod memory;
mod runner;
mod shown;
