//! The code of docs/lab.md: one topology, grown step by step.
#![expect(
    clippy::unwrap_in_result,
    reason = "the lab's errors are returned, a test's own assumptions panic where they stand"
)]

mod captured;
mod crashes;
mod cuts;
mod egress;
mod faults;
mod first_steps;
mod gateways;
mod internet;
mod networks;
mod seeing;
