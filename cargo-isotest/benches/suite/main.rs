//! How much does a test in a machine of its own cost, next to the kernel's own price and next to the peers?
//!
//! `cargo bench -p cargo-isotest --bench suite`, with `-- --short` for a quick look. docs/benchmarks.md says how to
//! read what it prints. Only ratios within one run mean anything; nothing here compares with a stored number.

mod builds;
mod crates;
mod measure;
mod memory;
mod options;
mod programs;
mod rows;
mod situations;
mod table;
mod targets;

use std::path::Path;
use std::process::ExitCode;
use std::{env, fs};

use crates::Suite;
use measure::Measurement;
use options::{Options, Section};
use programs::Programs;

fn main() -> ExitCode {
    // `cargo test --all-targets` starts this program too, without the argument that `cargo bench` adds.
    if !env::args().any(|argument| argument == "--bench") {
        println!("suite: not a test; run it with `cargo bench -p cargo-isotest --bench suite`");
        return ExitCode::SUCCESS;
    }
    match Options::parse(env::args().skip(1)).and_then(|options| run(&options)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("suite: not everything could be measured; the table says `failed` and why");
            ExitCode::FAILURE
        }
        Err(problem) => {
            eprintln!("suite: {problem}");
            ExitCode::from(2)
        }
    }
}

/// Runs the sections asked for; false when something in them failed.
fn run(options: &Options) -> Result<bool, String> {
    let work = Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite");
    let programs = Programs::find(&work)?;
    let mut text = programs.describe(options) + "\n";
    let mut complete = true;

    if options.wants(Section::Speed) || options.wants(Section::Memory) {
        let small = Suite::prepare(&work, &programs, options.small())?;
        let big = Suite::prepare(&work, &programs, options.big())?;
        if options.wants(Section::Speed) {
            let mut measured = measure::all_rows(&small, options.rounds(), options, &programs);
            measured.extend(measure::all_rows(&big, options.big_rounds(), options, &programs));
            complete &= !measured.iter().any(Measurement::failed);
            text += &table::speed(&measured);
        }
        if options.wants(Section::Memory) {
            let peaks = memory::peaks(&big, options, &programs);
            complete &= peaks.is_ok();
            text += &table::memory(&peaks, &small, &big);
        }
    }
    if options.wants(Section::Situations) {
        let situations = situations::measure(&work, &programs, options.rounds())?;
        complete &= situations.iter().all(|one| one.ours.seconds.is_ok());
        text += &table::situations(&situations);
    }
    if options.wants(Section::Builds) {
        let builds = builds::clean_builds(&work, &programs, options.build_rounds());
        complete &= builds.iter().all(|build| build.result.is_ok());
        text += &table::builds(&builds);
    }

    print!("\n{text}");
    if let Some(file) = options.markdown() {
        fs::write(file, &text).map_err(|error| format!("writing {}: {error}", file.display()))?;
    }
    Ok(complete)
}
