//! What was typed, as the strongest layer of the configuration.

use super::{Reporting, Running, ShowProgress, StatusLevel};
use crate::config::{
    Change, FinalStatusLevel, Layer, MaxFail, Retries, RunLayer, Source, Sourced, SpecPatch, Terminate,
};

/// What was typed about the run as a whole.
pub(crate) fn about_the_run(running: &Running, reporting: &Reporting) -> RunLayer {
    let mut run = RunLayer::default();
    run.test_threads = running.threads.map(Sourced::typed);
    run.fail_fast = fail_fast(running).map(Sourced::typed);
    run.global_timeout = running.global_timeout.map(Sourced::typed);
    let only_progress = reporting.progress() == ShowProgress::Only;
    let status_level = reporting.status_level.or(only_progress.then_some(StatusLevel::Slow));
    let final_status_level = reporting.final_status_level.or(only_progress.then_some(FinalStatusLevel::None));
    run.status_level = status_level.map(Sourced::typed);
    run.final_status_level = final_status_level.map(Sourced::typed);
    run
}

/// What was typed about every test.
pub(crate) fn about_tests(running: &Running, reporting: &Reporting) -> Layer {
    let mut spec = SpecPatch::default();
    if let Some(timeout) = running.timeout {
        spec.set(Change::Timeout(Some(timeout)), Source::CommandLine);
    }
    Layer {
        spec,
        retries: running.retries.map(Retries::at_once).map(Sourced::typed),
        flaky_result: running.flaky_result.map(Sourced::typed),
        success_output: reporting.success_output.map(Sourced::typed),
        failure_output: reporting.failure_output.map(Sourced::typed),
        ..Layer::default()
    }
}

/// Under stress the rate is what counts, so that no failure stops the run unless that was typed, too.
fn fail_fast(running: &Running) -> Option<MaxFail> {
    let stress = running.stress_count.is_some() || running.stress_duration.is_some();
    match running.max_fail {
        Some(max_fail) => Some(max_fail),
        None if running.fail_fast => Some(MaxFail::Count(std::num::NonZeroUsize::MIN, Terminate::Wait)),
        None if running.no_fail_fast || stress => Some(MaxFail::All),
        None => None,
    }
}
