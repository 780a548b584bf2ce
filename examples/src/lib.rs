//! Examples of `#[isotest]`, in this package's `tests` folder, where `cargo test -p isotest-examples` runs them.
//!
//! | file | what a test can rely on |
//! |---|---|
//! | `twenty_servers_on_port_80.rs` | every fixed port is free, however many tests want it at once |
//! | `redis_on_its_usual_port.rs` | a whole server per test, with nothing in it and nobody to stop it |
//! | `nothing_leaks.rs` | what a test leaves lying about is gone when it ends |
//! | `tutorial/` | each namespace by itself, in the order in which a tutorial introduces them |
