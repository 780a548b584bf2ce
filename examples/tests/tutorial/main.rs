//! A tutorial on Linux namespaces whose every step is a test: `namespaces(7)` one after the other, and at last a way
//! to talk across them.
//!
//! A tutorial on paper has the reader type `sudo unshare` into two terminals and compare what they show. That costs
//! root, and shows once, on one machine, what these tests show on every change.

mod entering;

mod hostname;
mod mounts;
mod network;
mod processes;
mod queues;
mod routing;
mod users;

mod channels;
