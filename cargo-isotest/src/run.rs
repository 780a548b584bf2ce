//! `cargo isotest run`: in which order does it all happen?

use std::num::NonZeroUsize;
use std::time::Duration;

use isotest::runner::{Unavailable, failed_tests_are_held};

use crate::cli::{Copies, Names, Reporting, Run, Running, about_tests, about_the_run};
use crate::compile::Built;
use crate::config::{MaxFail, Profile, Terminate};
use crate::doctests::packages_with_any;
use crate::execute::{Manner, OfTheRun};
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::{self, Test};
use crate::order::{Known, start_order};
use crate::report::{Destination, Opening, Recorder, Reports, Timings};
use crate::schedule::{Rounds, Tolerance};
use crate::suite::{Chosen, Suite, Wanted};
use crate::{Problem, execute, no_tests, record, report, select, setup_scripts, watched};

/// Builds, chooses, runs, reports.
pub(crate) fn run(options: &Run) -> Result<Code, Problem> {
    let failed = |message: String| Problem { message, code: Code::ListFailed };
    let unavailable = Unavailable::chosen().map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let Run { choose, running, reporting, configuration, reuse, cargo } = options;
    check_version(reporting).map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let mut interrupt = Interrupt::watch()?;
    let suite = Suite::build(Wanted { choose, configuration, reuse, cargo }, &interrupt)?;
    let profile = suite.profile((about_the_run(running, reporting), about_tests(running, reporting)))?;
    if running.no_run {
        suite.built.cargo.wait(&interrupt)?;
        return Ok(Code::Passed);
    }
    let mut chosen = suite.tests(&profile, &interrupt)?;
    watched::prepare(&mut chosen.listed, running, &mut interrupt)?;
    let services = setup_scripts::run(&mut chosen.listed, &profile, &suite.built, &interrupt)?;

    list::start_servers(&chosen.listed);

    let decided = Decided::of(running, &suite.names, unavailable);
    let junit = junit(reporting, &profile, &suite.built);
    if junit.is_some() {
        select::settle_skipped(&mut chosen.listed, &profile);
    }
    let opening = Opening {
        listed: &chosen.listed,
        options: reporting,
        run: &profile.run,
        unavailable,
        seed: decided.seed,
        copies: decided.copies,
        junit,
        live: decided.live,
        watched: running.is_watched(),
        workspace: &suite.built.workspace,
    };
    let mut reports = Reports::new(&opening);
    let manner = manner(running, &decided, &profile, &chosen, reports.tick());
    let Chosen { listed, record, .. } = chosen;
    reports.add(Box::new(Recorder::new(&record::path(&suite.built.reports), record, &listed)));
    if let Some(path) = &reporting.write_timing_file {
        reports.add(Box::new(Timings::new(path)));
    }
    execute::all(&listed, &manner, &interrupt, &mut |event| reports.tell(event))
        .map_err(|error| failed(format!("cannot wait for the tests: {error}")))?;
    // Ends the servers, and with them whatever still runs, before the summary says that all is over.
    drop((listed, services));
    let code = reports.finish();
    mention_doctests(&suite.built);
    let no_tests = || no_tests::end(running.no_tests.unwrap_or_default(), &suite.names);
    Ok(if code == Code::NoTests { no_tests() } else { code })
}

/// What is settled before the first test starts, and concerns reports as well.
struct Decided {
    unavailable: Unavailable,
    /// The order's, where it is random.
    seed: Option<u64>,
    /// How often each test runs, where that is known.
    copies: Option<usize>,
    /// Whether output is shown as it comes.
    live: bool,
}

impl Decided {
    fn of(running: &Running, names: &Names, unavailable: Unavailable) -> Decided {
        let copies = match (running.stress_count, running.stress_duration) {
            (Some(Copies::Count(count)), _) => Some(count.get()),
            (Some(Copies::Infinite), _) | (None, Some(_)) => None,
            (None, None) => Some(1),
        };
        let seed = running.shuffle.map(|seed| seed.unwrap_or_else(|| fastrand::u64(..)));
        let live = running.no_capture || names.no_capture || running.is_watched() || failed_tests_are_held();
        Decided { unavailable, seed, copies, live }
    }
}

fn manner(
    typed: &Running,
    decided: &Decided,
    profile: &Profile<'_>,
    chosen: &Chosen<'_>,
    tick: Option<Duration>,
) -> Manner {
    let cpus = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    Manner {
        cpus,
        threads: if decided.live { 1 } else { profile.run.test_threads.value.on(cpus).get() },
        live: decided.live,
        unavailable: decided.unavailable,
        tolerance: tolerance(profile.run.fail_fast.value),
        rounds: decided.copies.map_or(Rounds::Endless, Rounds::Count),
        rounds_for: typed.stress_duration,
        global_timeout: profile.run.global_timeout.value.filter(|_| !typed.is_watched()),
        groups: profile.groups.iter().map(|(name, most)| (name.clone(), most.on(cpus).get())).collect(),
        order: order(chosen, decided.seed),
        variables: OfTheRun::new(&profile.name, decided.copies),
        tick,
        keys: !typed.no_input_handler && !typed.is_watched(),
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

fn order(chosen: &Chosen<'_>, seed: Option<u64>) -> Vec<usize> {
    let Chosen { listed, record, timings } = chosen;
    let known = |test: &Test| {
        let binary = &listed.binaries[test.binary].binary.id;
        let last = record.last(binary, &test.name);
        let timed = || timings.as_ref()?.last(binary, &test.name);
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
