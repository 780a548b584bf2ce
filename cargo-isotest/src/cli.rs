//! What was typed.

use std::time::Duration;

/// Runs every test in a machine of its own.
#[derive(Debug, clap::Parser)]
#[command(name = "cargo isotest", bin_name = "cargo isotest", version)]
pub(crate) struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    run: Run,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Build and run tests (what `cargo isotest` alone does)
    Run(Run),
}

impl Cli {
    /// The options of the one command there is.
    pub(crate) fn options(self) -> Run {
        match self.command {
            Some(Command::Run(run)) => run,
            None => self.run,
        }
    }
}

/// What to build, which tests to run, and how.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct Run {
    /// Run only tests whose name contains one of these
    pub(crate) filters: Vec<String>,
    /// Match names exactly instead of by substring
    #[arg(long)]
    pub(crate) exact: bool,
    /// Leave out tests whose name contains this
    #[arg(long, value_name = "NAME")]
    pub(crate) skip: Vec<String>,
    /// Run this many tests at once [default: the number of CPUs]
    #[arg(long = "test-threads", short = 'j', value_name = "N", visible_alias = "jobs")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Kill a test that runs longer, as in `5s`, `500ms` or `2m`
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Show the tests' output as it comes, one test at a time
    #[arg(long, alias = "nocapture")]
    pub(crate) no_capture: bool,
    /// Start no further test after the first failure [the default]
    #[arg(long, overrides_with = "no_fail_fast")]
    pub(crate) fail_fast: bool,
    /// Run all tests whatever fails
    #[arg(long, overrides_with = "fail_fast")]
    pub(crate) no_fail_fast: bool,
    /// Which results to show, one line each
    #[arg(long, value_name = "LEVEL", default_value = "pass")]
    pub(crate) status_level: StatusLevel,
    /// Which ignored tests to run
    #[arg(long, value_name = "WHICH", default_value = "default")]
    pub(crate) run_ignored: RunIgnored,
    /// When to use colours
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Color,
    #[command(flatten)]
    pub(crate) cargo: Cargo,
}

/// When to use colours; `NO_COLOR` and `CLICOLOR_FORCE` are heeded under `auto`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Color {
    /// In a terminal that can show them
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Each level shows its own results and all those before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub(crate) enum StatusLevel {
    /// Nothing
    None,
    /// Failures
    Fail,
    /// And retries
    Retry,
    /// And slow tests
    Slow,
    /// And tests that left processes behind
    Leak,
    /// And passed tests
    #[default]
    Pass,
    /// And skipped tests
    Skip,
    /// Everything
    All,
}

/// What happens to tests that are marked `#[ignore]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RunIgnored {
    /// They are skipped
    #[default]
    Default,
    /// Only they are run
    Only,
    /// They are run with the others
    All,
}

/// Flags that go to cargo as they are.
#[derive(Debug, Default, clap::Args)]
#[command(next_help_heading = "Package and build selection")]
pub(crate) struct Cargo {
    /// Package to test
    #[arg(long, short, value_name = "SPEC")]
    package: Vec<String>,
    /// Test all packages of the workspace
    #[arg(long, alias = "all")]
    workspace: bool,
    /// Leave out this package
    #[arg(long, value_name = "SPEC")]
    exclude: Vec<String>,
    /// Test the library
    #[arg(long)]
    lib: bool,
    /// Test all binaries
    #[arg(long)]
    bins: bool,
    /// Test this binary
    #[arg(long, value_name = "NAME")]
    bin: Vec<String>,
    /// Test all test targets
    #[arg(long)]
    tests: bool,
    /// Test this test target
    #[arg(long, value_name = "NAME")]
    test: Vec<String>,
    /// Test all examples
    #[arg(long)]
    examples: bool,
    /// Test this example
    #[arg(long, value_name = "NAME")]
    example: Vec<String>,
    /// Test all targets
    #[arg(long)]
    all_targets: bool,
    /// Features to activate
    #[arg(long, short = 'F', value_name = "FEATURES")]
    features: Vec<String>,
    /// Activate all features
    #[arg(long)]
    all_features: bool,
    /// Leave out the default features
    #[arg(long)]
    no_default_features: bool,
    /// Build with optimizations
    #[arg(long, short)]
    release: bool,
    /// Build with this profile of Cargo.toml
    #[arg(long, value_name = "NAME")]
    cargo_profile: Option<String>,
    /// Build for this target triple
    #[arg(long, value_name = "TRIPLE")]
    pub(crate) target: Option<String>,
    /// Where build products go
    #[arg(long, value_name = "DIR")]
    target_dir: Option<String>,
    /// The Cargo.toml to test
    #[arg(long, value_name = "PATH")]
    pub(crate) manifest_path: Option<String>,
    /// Run this many build jobs
    #[arg(long, value_name = "N")]
    build_jobs: Option<String>,
    /// Refuse to change Cargo.lock
    #[arg(long)]
    locked: bool,
    /// Never use the network while building
    #[arg(long)]
    offline: bool,
    /// Both --locked and --offline
    #[arg(long)]
    frozen: bool,
    /// Unstable flag of cargo
    #[arg(short = 'Z', value_name = "FLAG")]
    unstable: Vec<String>,
}

impl Cargo {
    /// The same flags for cargo.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut flag = |set: bool, name: &str| arguments.extend(set.then(|| name.to_owned()));
        flag(self.workspace, "--workspace");
        flag(self.lib, "--lib");
        flag(self.bins, "--bins");
        flag(self.tests, "--tests");
        flag(self.examples, "--examples");
        flag(self.all_targets, "--all-targets");
        flag(self.all_features, "--all-features");
        flag(self.no_default_features, "--no-default-features");
        flag(self.release, "--release");
        flag(self.locked, "--locked");
        flag(self.offline, "--offline");
        flag(self.frozen, "--frozen");
        let lists = [
            ("--package", &self.package),
            ("--exclude", &self.exclude),
            ("--bin", &self.bin),
            ("--test", &self.test),
            ("--example", &self.example),
            ("--features", &self.features),
            ("-Z", &self.unstable),
        ];
        for (name, values) in lists {
            arguments.extend(values.iter().flat_map(|value| [name.to_owned(), value.clone()]));
        }
        let options = [
            ("--profile", &self.cargo_profile),
            ("--target", &self.target),
            ("--target-dir", &self.target_dir),
            ("--manifest-path", &self.manifest_path),
            ("--jobs", &self.build_jobs),
        ];
        for (name, value) in options {
            arguments.extend(value.iter().flat_map(|value| [name.to_owned(), value.clone()]));
        }
        arguments
    }
}

/// Flags that also matter to `cargo metadata`.
impl Cargo {
    pub(crate) fn resolution_arguments(&self) -> Vec<String> {
        let flags = [(self.locked, "--locked"), (self.offline, "--offline"), (self.frozen, "--frozen")];
        flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned()).collect()
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return Err("a duration is a number and a unit, one of ms, s, m, h, as in `5s`".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "a duration starts with a whole number, as in `5s`".to_owned())?;
    match number.checked_mul(milliseconds) {
        Some(0) => Err("a timeout of zero would kill every test".to_owned()),
        Some(total) => Ok(Duration::from_millis(total)),
        None => Err("that is longer than a duration can be".to_owned()),
    }
}
