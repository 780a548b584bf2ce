//! `cargo isotest run`: in which order does it all happen?

use std::num::NonZeroUsize;

use isotest::runner::Unavailable;

use crate::cli::{MaxFail, NoTests, Run, Running};
use crate::compile::Built;
use crate::doctests::packages_with_any;
use crate::execute::Manner;
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::{Listed, Test};
use crate::order::{Known, start_order};
use crate::record::Record;
use crate::report::{Opening, Recorder, Reports};
use crate::retries::Retries;
use crate::schedule::{Rounds, Tolerance};
use crate::select::Selected;
use crate::{Problem, compile, execute, record, report, select};

/// Builds, chooses, runs, reports.
pub(crate) fn run(options: &Run) -> Result<Code, Problem> {
    let code = Code::ListFailed;
    let failed = |message: String| Problem { message, code };
    let unavailable = Unavailable::chosen().map_err(failed)?;
    let interrupt = Interrupt::watch().map_err(|error| failed(format!("cannot watch for signals: {error}")))?;
    let built = compile::build(&options.cargo, &interrupt)?;
    if options.running.no_run {
        return Ok(Code::Passed);
    }
    let Selected { mut listed, names, record } = select::tests(&built, &options.choose, &interrupt)?;
    settle(&mut listed, &options.running);

    let running = &options.running;
    let seed = running.shuffle.map(|seed| seed.unwrap_or_else(|| fastrand::u64(..)));
    let opening =
        Opening { listed: &listed, options: &options.reporting, unavailable, seed, stress: is_stress(running) };
    let mut reports = Reports::new(&opening);
    let mut manner = manner(running, &listed, &record, seed);
    (manner.unavailable, manner.tick) = (unavailable, reports.tick());
    if running.no_capture || names.no_capture {
        (manner.live, manner.threads) = (true, 1);
    }
    reports.add(Box::new(Recorder::new(&record::path(&built.target_directory), record, &listed)));
    execute::all(&listed, &manner, &interrupt, &mut |event| reports.tell(event))
        .map_err(|error| failed(format!("cannot wait for the tests: {error}")))?;
    drop(listed); // Ends the servers, and with them whatever still runs, before the summary says that all is over.
    let code = reports.finish().code();
    mention_doctests(&built);
    Ok(if code == Code::NoTests { without_tests(options.running.no_tests.unwrap_or_default()) } else { code })
}

/// They are no binaries, so they can't be isolated.
fn mention_doctests(built: &Built) {
    let packages: String = packages_with_any(&built.libraries).iter().map(|package| format!(" -p {package}")).collect();
    if !packages.is_empty() {
        report::terminal::note(&format!(
            "documentation tests are not run here; this runs them: cargo test --doc{packages}"
        ));
    }
}

/// What the options say of every test.
fn settle(listed: &mut Listed<'_>, options: &Running) {
    for test in &mut listed.tests {
        test.spec.timeout = test.spec.timeout.or(options.timeout);
        if let Some(count) = options.retries {
            test.settings.retries = Retries::at_once(count);
        }
    }
}

fn manner(running: &Running, listed: &Listed<'_>, record: &Record, seed: Option<u64>) -> Manner {
    let known: Vec<Known> = listed.tests.iter().map(|test| known(test, listed, record)).collect();
    let cpus = || std::thread::available_parallelism().map_or(1, usize::from);
    Manner {
        threads: running.threads.map_or_else(cpus, usize::from),
        live: false,
        unavailable: Unavailable::Fail,
        tolerance: tolerance(running),
        rounds: match (running.stress_count, running.stress_duration) {
            (Some(count), _) => Rounds::Count(count.get()),
            (None, Some(_)) => Rounds::Endless,
            (None, None) => Rounds::Count(1),
        },
        rounds_for: running.stress_duration,
        global_timeout: running.global_timeout,
        groups: Vec::new(),
        order: start_order(&known, seed),
        tick: None,
    }
}

fn known(test: &Test, listed: &Listed<'_>, record: &Record) -> Known {
    let last = record.last(&listed.binaries[test.binary].binary.id, &test.name);
    Known {
        priority: test.settings.priority,
        failed: last.is_some_and(|last| !last.passed),
        took: last.and_then(|last| last.took()),
    }
}

fn is_stress(options: &Running) -> bool {
    options.stress_count.is_some() || options.stress_duration.is_some()
}

/// The first failure stops the run, unless something else was typed; under stress, where the rate is what counts, none does.
fn tolerance(options: &Running) -> Tolerance {
    let one = NonZeroUsize::MIN;
    match options.max_fail {
        Some(MaxFail { count, immediate }) => Tolerance { failures: count, ends_running: immediate },
        None if options.no_fail_fast => Tolerance { failures: None, ends_running: false },
        None if is_stress(options) && !options.fail_fast => Tolerance { failures: None, ends_running: false },
        None => Tolerance { failures: Some(one), ends_running: false },
    }
}

fn without_tests(action: NoTests) -> Code {
    match action {
        NoTests::Pass => Code::Passed,
        NoTests::Warn => {
            report::terminal::warning("no tests to run");
            Code::Passed
        }
        NoTests::Fail => {
            report::terminal::error("no tests to run (--no-tests=pass makes that a success)");
            Code::NoTests
        }
    }
}
