//! Networks inside a test: each claim of the lab's, on real sockets.
#![expect(
    clippy::unwrap_in_result,
    reason = "the lab's errors are returned, a test's own assumptions panic where they stand"
)]

mod asynchronous;
mod captured;
mod counted;
mod crashes;
mod crossing;
mod cuts;
mod departures;
mod drawing;
mod egress;
mod entered;
mod failing;
mod faults;
mod firewalls;
mod first_packet;
mod frozen;
mod handlers;
mod internet;
mod mistakes;
mod names;
mod nat;
mod partitions;
mod pcapng;
mod punching;
mod reach;
mod shortages;
mod sockets;
mod talk;
mod tls;
mod uplinks;
mod views;
