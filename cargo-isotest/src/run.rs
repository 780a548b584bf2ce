//! `cargo isotest run`: in which order does it all happen?

use std::num::NonZeroUsize;

use isotest::runner::Unavailable;

use crate::cli::{Copies, Reporting, Run, about_tests, about_the_run};
use crate::compile::Built;
use crate::config::{MaxFail, Profile, Terminate};
use crate::configure::{Configured, Typed};
use crate::doctests::packages_with_any;
use crate::execute::{Manner, OfTheRun};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::{Listed, Test};
use crate::order::{Known, start_order};
use crate::record::Record;
use crate::report::{Destination, Opening, Recorder, Reports, Timings};
use crate::schedule::{Rounds, Tolerance};
use crate::select::Request;
use crate::source::Source;
use crate::{Problem, execute, no_tests, record, report, select, setup_scripts};

/// Builds, chooses, runs, reports.
pub(crate) fn run(options: &Run) -> Result<Code, Problem> {
    let failed = |message: String| Problem { message, code: Code::ListFailed };
    let unavailable = Unavailable::chosen().map_err(failed)?;
    let Run { choose, running, reporting, configuration, reuse, cargo } = options;
    let names = choose.names().map_err(|message| Problem { message, code: Code::WrongOptions })?;
    check_version(reporting).map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let interrupt = Interrupt::watch().map_err(|error| failed(format!("cannot watch for signals: {error}")))?;

    let mut source = Source::begin(cargo, reuse, &interrupt)?;
    let configured = Configured::read(&Typed { configuration, choose, cargo }, &mut source, &interrupt)?;
    let built = source.finish(&interrupt)?;
    let typed = (about_the_run(running, reporting), about_tests(running, reporting));
    let profile = configured.profile(&built.host_or_target, typed)?;
    if running.no_run {
        return Ok(Code::Passed);
    }
    let record = select::record(&built.reports);
    let timings = select::timings(choose)?;
    let request = Request {
        options: choose,
        names: &names,
        configured: &configured,
        profile: &profile,
        record: &record,
        timings: timings.as_ref(),
    };
    let mut listed = select::tests(&built, &request, &interrupt)?;
    setup_scripts::run(&mut listed, &profile, &built, &interrupt)?;

    let seed = running.shuffle.map(|seed| seed.unwrap_or_else(|| fastrand::u64(..)));
    let copies = match (running.stress_count, running.stress_duration) {
        (Some(Copies::Count(count)), _) => Some(count.get()),
        (Some(Copies::Infinite), _) | (None, Some(_)) => None,
        (None, None) => Some(1),
    };
    let junit = junit(reporting, &profile, &built);
    if junit.is_some() {
        select::settle_skipped(&mut listed, &profile);
    }
    let (run, workspace) = (&profile.run, built.workspace.as_path());
    let opening = Opening { listed: &listed, options: reporting, run, unavailable, seed, copies, junit, workspace };
    let mut reports = Reports::new(&opening);
    let variables = OfTheRun::new(&profile.name, copies);
    let mut manner = manner(&profile, order(&listed, (&record, timings.as_ref()), seed), variables);
    (manner.rounds, manner.rounds_for) = (copies.map_or(Rounds::Endless, Rounds::Count), running.stress_duration);
    (manner.unavailable, manner.tick) = (unavailable, reports.tick());
    if running.no_capture || names.no_capture {
        (manner.live, manner.threads) = (true, 1);
    }
    reports.add(Box::new(Recorder::new(&record::path(&built.reports), record, &listed)));
    if let Some(path) = &reporting.write_timing_file {
        reports.add(Box::new(Timings::new(path)));
    }
    execute::all(&listed, &manner, &interrupt, &mut |event| reports.tell(event))
        .map_err(|error| failed(format!("cannot wait for the tests: {error}")))?;
    drop(listed); // Ends the servers, and with them whatever still runs, before the summary says that all is over.
    let code = reports.finish();
    mention_doctests(&built);
    Ok(if code == Code::NoTests { no_tests::end(running.no_tests.unwrap_or_default(), &names) } else { code })
}

fn manner(profile: &Profile<'_>, order: Vec<usize>, variables: OfTheRun) -> Manner {
    let cpus = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Manner {
        cpus,
        threads: profile.run.test_threads.value.on(cpus).get(),
        live: false,
        unavailable: Unavailable::Fail,
        tolerance: tolerance(profile.run.fail_fast.value),
        rounds: Rounds::Count(1),
        rounds_for: None,
        global_timeout: profile.run.global_timeout.value,
        groups: profile.groups.iter().map(|(name, most)| (name.clone(), most.on(cpus).get())).collect(),
        order,
        variables,
        tick: None,
    }
}

fn tolerance(max_fail: MaxFail) -> Tolerance {
    match max_fail {
        MaxFail::All => Tolerance { failures: None, ends_running: false },
        MaxFail::Count(count, terminate) => {
            Tolerance { failures: Some(count), ends_running: terminate == Terminate::Immediate }
        }
    }
}

fn order(listed: &Listed<'_>, (record, timings): (&Record, Option<&Record>), seed: Option<u64>) -> Vec<usize> {
    let known = |test: &Test| {
        let binary = &listed.binaries[test.binary].binary.id;
        let last = record.last(binary, &test.name);
        let timed = || timings?.last(binary, &test.name);
        Known {
            priority: test.settings.priority.value,
            failed: last.is_some_and(|last| !last.passed),
            took: last.or_else(timed).and_then(|last| last.took()),
        }
    };
    start_order(&listed.tests.iter().map(known).collect::<Vec<_>>(), seed)
}

/// Programs that know one version must not be given another.
fn check_version(typed: &Reporting) -> Result<(), String> {
    let Some(wanted) = &typed.message_format_version else { return Ok(()) };
    let asked = format!("--message-format-version {wanted}");
    match report::version(typed.message_format) {
        Some(version) if version == wanted => Ok(()),
        Some(version) => Err(format!("{asked}: this program writes version {version} of that format")),
        None => Err(format!("{asked}: people's report has no version; --message-format names one that has")),
    }
}

/// What was typed, else what the profile says.
fn junit(typed: &Reporting, profile: &Profile<'_>, built: &Built) -> Option<Destination> {
    let of_profile = || {
        let directory = built.reports.join(&profile.name);
        Some(directory.join(profile.run.junit_path.value.as_ref()?))
    };
    let path = typed.junit.clone().or_else(of_profile)?;
    Some(Destination { path, name: profile.run.junit_report_name.value.clone() })
}

/// They are no binaries, so they can't be isolated.
fn mention_doctests(built: &Built) {
    let packages: String = packages_with_any(&built.libraries).iter().map(|package| format!(" -p {package}")).collect();
    if !packages.is_empty() {
        let command = format!("cargo test --doc{packages}");
        report::terminal::note(&format!("documentation tests are not run here; this runs them: {command}"));
    }
}
