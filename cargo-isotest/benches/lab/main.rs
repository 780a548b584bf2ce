//! How much does a lab cost, next to the kernel's own price for the same namespaces and next to patchbay?
//!
//! `cargo bench -p cargo-isotest --bench lab`. docs/benchmarks.md says how to read what it prints. Only ratios within one run mean
//! anything; nothing here compares with a stored number.

mod contenders;
mod table;

use std::env;
use std::process::ExitCode;

use contenders::Times;

fn main() -> ExitCode {
    // `cargo test --all-targets` starts this program too, without the argument that `cargo bench` adds.
    if !env::args().any(|argument| argument == "--bench") {
        println!("lab: not a test; run it with `cargo bench -p cargo-isotest --bench lab`");
        return ExitCode::SUCCESS;
    }
    let ours = match contenders::ours() {
        Ok(ours) => ours,
        Err(problem) => {
            eprintln!("lab: {problem}");
            return ExitCode::from(2);
        }
    };
    let peer = contenders::patchbay();
    let times: Vec<Times> = ours.into_iter().chain(peer.as_ref().ok().into_iter().flatten().cloned()).collect();
    println!("\n{}", table::render(&times));
    if let Err(why) = peer {
        println!("patchbay could not be measured: {why}");
    }
    ExitCode::SUCCESS
}
