//! Which tests?

use crate::partition::Partition;

/// Which of the tests that were built are meant.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Choosing tests")]
pub(crate) struct Choose {
    /// Only tests whose name contains one of these
    #[arg(value_name = "FILTER")]
    filters: Vec<String>,
    /// Match names exactly instead of by substring
    #[arg(long)]
    exact: bool,
    /// Leave out tests whose name contains this
    #[arg(long, value_name = "NAME")]
    skip: Vec<String>,
    /// Whether to run tests that are marked `#[ignore]`
    #[arg(long, value_name = "WHICH")]
    run_ignored: Option<RunIgnored>,
    /// Only tests that match this expression of nextest's filterset language; with several, any of them
    #[arg(long = "filterset", short = 'E', alias = "filter-expr", value_name = "EXPRESSION")]
    pub(crate) filtersets: Vec<String>,
    /// Run also what the profile's default-filter leaves out
    #[arg(long)]
    pub(crate) ignore_default_filter: bool,
    /// Only share M of N, where N machines share the tests: hash:M/N, count:M/N, slice:M/N or time:M/N
    #[arg(long, value_name = "SHARE")]
    pub(crate) partition: Option<Partition>,
    /// How long the tests took, for time:M/N and for the order in which they start: a file of --write-timing-file or
    /// `cargo isotest merge` [default: what is remembered here]
    #[arg(long, value_name = "PATH")]
    pub(crate) timing_file: Option<std::path::PathBuf>,
    /// Only `#[isotest]` functions
    #[arg(long)]
    pub(crate) isolated_only: bool,
    /// Only tests that did not pass when they ran last
    #[arg(long)]
    pub(crate) rerun_failed: bool,
    /// What `cargo test` takes after `--`: names, --exact, --skip NAME, --ignored, --include-ignored
    #[arg(last = true, value_name = "ARGUMENTS")]
    after_dashes: Vec<String>,
}

/// What happens to tests that are marked `#[ignore]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RunIgnored {
    /// Leave them out
    #[default]
    Default,
    /// Run only them
    #[value(alias = "ignored-only")]
    Only,
    /// Run them with the others
    All,
}

/// The part of the choice that looks at names alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Substrings, one of which must match.
    pub(crate) wanted: Vec<String>,
    /// Names, one of which must match where there are any beside `wanted`.
    pub(crate) wanted_exactly: Vec<String>,
    /// Substrings, none of which may match.
    pub(crate) unwanted: Vec<String>,
    /// Names, none of which may match.
    pub(crate) unwanted_exactly: Vec<String>,
    /// Which ignored tests.
    pub(crate) ignored: RunIgnored,
    /// Whether output is shown as it comes.
    pub(crate) no_capture: bool,
}

impl Choose {
    /// What stands before and after `--`, together.
    ///
    /// # Errors
    ///
    /// Names an argument after `--` that means nothing here, and two ways to choose ignored tests.
    pub(crate) fn names(&self) -> Result<Names, String> {
        let mut names = Names { ignored: self.run_ignored.unwrap_or_default(), ..Names::default() };
        let (mut wanted, mut unwanted, mut exact) = (self.filters.clone(), self.skip.clone(), self.exact);
        let mut ignored = None;
        let mut rest = self.after_dashes.iter();
        while let Some(argument) = rest.next() {
            match argument.as_str() {
                "--exact" => exact = true,
                "--ignored" => ignored = Some(RunIgnored::Only),
                "--include-ignored" => ignored = Some(RunIgnored::All),
                "--nocapture" | "--no-capture" => names.no_capture = true,
                "--skip" => unwanted.extend(Some(rest.next().ok_or("--skip wants a name after it")?.clone())),
                argument => match argument.strip_prefix("--skip=") {
                    Some(name) => unwanted.push(name.to_owned()),
                    None if argument.starts_with('-') => {
                        return Err(format!(
                            "{argument} after `--` is unknown here; known are names, --exact, --skip NAME, --ignored, \
                             --include-ignored, --nocapture"
                        ));
                    }
                    None => wanted.push(argument.to_owned()),
                },
            }
        }
        if let Some(ignored) = ignored {
            if self.run_ignored.is_some_and(|before| before != ignored) {
                return Err("--run-ignored and what stands after `--` want different tests".to_owned());
            }
            names.ignored = ignored;
        }
        if exact {
            (names.wanted_exactly, names.unwanted_exactly) = (wanted, unwanted);
        } else {
            (names.wanted, names.unwanted) = (wanted, unwanted);
        }
        Ok(names)
    }
}

impl Names {
    /// Whether a test of this name is meant.
    pub(crate) fn takes_name(&self, name: &str) -> bool {
        let any = self.wanted.is_empty() && self.wanted_exactly.is_empty();
        let contains = |patterns: &[String]| patterns.iter().any(|pattern| name.contains(pattern.as_str()));
        let equals = |names: &[String]| names.iter().any(|exactly| name == exactly);
        let chosen = any || contains(&self.wanted) || equals(&self.wanted_exactly);
        chosen && !contains(&self.unwanted) && !equals(&self.unwanted_exactly)
    }

    /// Whether a test is meant that is marked `#[ignore]`, or is not.
    pub(crate) fn takes_ignored(&self, is_ignored: bool) -> bool {
        match self.ignored {
            RunIgnored::Default => !is_ignored,
            RunIgnored::Only => is_ignored,
            RunIgnored::All => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Choose, RunIgnored};

    fn after_dashes(arguments: &[&str]) -> Choose {
        Choose { after_dashes: arguments.iter().map(|&argument| argument.to_owned()).collect(), ..Choose::default() }
    }

    #[test]
    fn what_cargo_test_takes_after_dashes_means_the_same() {
        let names = after_dashes(&["a", "--skip", "ab", "--include-ignored"]).names().expect("known arguments");
        assert!(names.takes_name("xa") && !names.takes_name("xab") && !names.takes_name("b"));
        assert!(names.takes_ignored(true) && names.takes_ignored(false));
        let names = after_dashes(&["--exact", "a::b"]).names().expect("known arguments");
        assert!(names.takes_name("a::b") && !names.takes_name("a::bc"));
        assert!(names.takes_ignored(false) && !names.takes_ignored(true));
    }

    #[test]
    fn an_unknown_argument_after_dashes_is_an_error_that_names_the_known_ones() {
        let problem = after_dashes(&["--report-time"]).names().expect_err("unknown");
        assert!(problem.contains("--report-time") && problem.contains("--include-ignored"), "{problem}");
    }

    #[test]
    fn two_ways_to_choose_ignored_tests_must_agree() {
        let mut choose = after_dashes(&["--ignored"]);
        choose.run_ignored = Some(RunIgnored::Only);
        assert!(choose.names().is_ok());
        choose.run_ignored = Some(RunIgnored::All);
        assert!(choose.names().is_err());
    }
}
