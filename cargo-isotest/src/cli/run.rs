//! How are the tests run?

use std::num::NonZeroUsize;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::BoolishValueParser;

use super::typed_duration as duration;
use crate::config::{MaxFail, Terminate, Threads, Verdict, words};

/// How to run the tests.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Running")]
pub(crate) struct Running {
    /// Build the tests, but don't run them
    #[arg(long, conflicts_with = "archive_file")]
    pub(crate) no_run: bool,
    /// Run this many tests at once [default: the number of CPUs]
    #[arg(long = "test-threads", short = 'j', value_name = "N", visible_alias = "jobs", env = "ISOTEST_TEST_THREADS", value_parser = threads)]
    pub(crate) threads: Option<Threads>,
    /// Kill a test that runs longer, as in `5s`, `500ms` or `2m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// End the whole run after this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) global_timeout: Option<Duration>,
    /// Run a failing test up to this many times more
    #[arg(long, value_name = "N", env = "ISOTEST_RETRIES", value_parser = number::<u32>)]
    pub(crate) retries: Option<u32>,
    /// How a test counts that failed first and passed when it was run again [default: pass]
    #[arg(long, value_name = "RESULT", env = "ISOTEST_FLAKY_RESULT")]
    pub(crate) flaky_result: Option<Verdict>,
    /// Show the tests' output as it comes, one test at a time
    #[arg(long, alias = "nocapture")]
    pub(crate) no_capture: bool,
    /// Leave keys alone that are typed while tests run: t and Enter show what runs
    #[arg(long, env = "ISOTEST_NO_INPUT_HANDLER", value_parser = BoolishValueParser::new())]
    pub(crate) no_input_handler: bool,
    /// Start no further test after the first failure [the default]
    #[arg(long, visible_alias = "ff", overrides_with_all = ["no_fail_fast", "max_fail"])]
    pub(crate) fail_fast: bool,
    /// Run all tests whatever fails
    #[arg(long, visible_alias = "nff", overrides_with_all = ["fail_fast", "max_fail"])]
    pub(crate) no_fail_fast: bool,
    /// Start no further test after N failures; `N:immediate` also ends those that run; `all` never stops
    #[arg(long, value_name = "N[:MODE]", value_parser = max_fail, overrides_with_all = ["fail_fast", "no_fail_fast"])]
    pub(crate) max_fail: Option<MaxFail>,
    /// Run one test in its sandbox under this debugger, which gets the terminal, as in `--debugger "rust-gdb --args"`: no
    /// timeouts, no retries, no capture
    #[arg(
        long, value_name = "COMMAND", value_parser = command_line,
        conflicts_with_all = ["tracer", "stress_count", "stress_duration", "no_run"]
    )]
    pub(crate) debugger: Option<CommandLine>,
    /// Run one test in its sandbox under this tracer, as in `--tracer "strace -f"`: no timeouts, no retries, no capture
    #[arg(
        long, value_name = "COMMAND", value_parser = command_line,
        conflicts_with_all = ["stress_count", "stress_duration", "no_run"]
    )]
    pub(crate) tracer: Option<CommandLine>,
    /// What to do if there is no test to run [default: fail]
    #[arg(long, value_name = "ACTION", env = "ISOTEST_NO_TESTS")]
    pub(crate) no_tests: Option<NoTests>,
    /// Run the tests in a random order; the seed is printed and can be given
    #[arg(long, value_name = "SEED", num_args = 0..=1, require_equals = true, value_parser = number::<u64>)]
    pub(crate) shuffle: Option<Option<u64>>,
    /// Run this many copies of each test, or `infinite`, at once as far as there is room, and report how many failed
    #[arg(long, value_name = "N", value_parser = copies, conflicts_with = "stress_duration")]
    pub(crate) stress_count: Option<Copies>,
    /// Run copies of each test for this long
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) stress_duration: Option<Duration>,
}

/// A program, and its first arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CommandLine(pub(crate) Vec<String>);

fn command_line(text: &str) -> Result<CommandLine, String> {
    match words(text) {
        Some(words) if !words.is_empty() => Ok(CommandLine(words)),
        Some(_) => Err("it names no program".to_owned()),
        None => Err("a quote is not closed".to_owned()),
    }
}

impl Running {
    /// Whether somebody is to look at one test.
    pub(crate) fn is_watched(&self) -> bool {
        self.debugger.is_some() || self.tracer.is_some()
    }
}

/// How many copies of each test are run under stress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Copies {
    Count(NonZeroUsize),
    Infinite,
}

fn copies(text: &str) -> Result<Copies, String> {
    match text {
        "infinite" => Ok(Copies::Infinite),
        number => number.parse().map(Copies::Count).map_err(|_| "it is a number above 0, or infinite".to_owned()),
    }
}

/// Told in words that mean something to who has typed it.
fn number<N: FromStr>(text: &str) -> Result<N, String> {
    text.parse().map_err(|_| "it is no whole number, or too large a one".to_owned())
}

/// A number, a negative one for so many less than there are CPUs, or `num-cpus`.
fn threads(text: &str) -> Result<Threads, String> {
    match (text, text.strip_prefix('-')) {
        ("num-cpus", _) => Ok(Threads::NumCpus),
        (_, Some(less)) => less.parse().map(Threads::LessThanCpus).map_err(|_| format!("{text:?} is no number")),
        (number, None) => match number.parse() {
            Ok(count) => Ok(Threads::Count(count)),
            Err(_) => {
                Err("a number of threads is above 0, or below for so many less than CPUs, or num-cpus".to_owned())
            }
        },
    }
}

/// After how many failures to stop, and how.
fn max_fail(text: &str) -> Result<MaxFail, String> {
    let (count, mode) = text.split_once(':').map_or((text, None), |(count, mode)| (count, Some(mode)));
    let terminate = match mode {
        None | Some("wait") => Terminate::Wait,
        Some("immediate") => Terminate::Immediate,
        Some(other) => return Err(format!("{other:?} is no way to stop; known are wait and immediate")),
    };
    match count {
        "all" if mode.is_none() => Ok(MaxFail::All),
        "all" => Err("`all` never stops, so no mode can follow it".to_owned()),
        number => match number.parse() {
            Ok(count) => Ok(MaxFail::Count(count, terminate)),
            Err(_) => Err(format!("{number:?} is neither a number above 0 nor `all`")),
        },
    }
}

/// What happens if there is nothing to run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum NoTests {
    /// Succeed
    Pass,
    /// Warn, and succeed
    Warn,
    /// Fail, with exit code 4
    #[default]
    #[value(alias = "auto")]
    Fail,
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use super::{Copies, MaxFail, Terminate, copies, max_fail};

    #[test]
    fn copies_are_counted_or_without_end() {
        assert_eq!(copies("1"), Ok(Copies::Count(NonZeroUsize::MIN)));
        assert_eq!(copies("infinite"), Ok(Copies::Infinite));
        for wrong in ["0", "", "-1", "many"] {
            assert!(copies(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_number_of_failures_may_have_a_mode() {
        let three = NonZeroUsize::MIN.saturating_add(2);
        assert_eq!(max_fail("3"), Ok(MaxFail::Count(three, Terminate::Wait)));
        assert_eq!(max_fail("3:wait"), Ok(MaxFail::Count(three, Terminate::Wait)));
        assert_eq!(max_fail("1:immediate"), Ok(MaxFail::Count(NonZeroUsize::MIN, Terminate::Immediate)));
        assert_eq!(max_fail("all"), Ok(MaxFail::All));
        for wrong in ["0", "", "x", "1:", "1:later", "all:immediate"] {
            assert!(max_fail(wrong).is_err(), "{wrong:?}");
        }
    }
}
