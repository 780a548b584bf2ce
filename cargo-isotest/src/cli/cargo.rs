//! What to build: the flags that `cargo test` takes.

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
    /// Test this benchmark
    #[arg(long, value_name = "NAME")]
    bench: Vec<String>,
    /// Test all benchmarks
    #[arg(long)]
    benches: bool,
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
    /// Build with optimization
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
    pub(crate) target_dir: Option<String>,
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
    /// Let cargo take no notice of packages' rust-version
    #[arg(long)]
    ignore_rust_version: bool,
    /// Have cargo report what later compilers will refuse
    #[arg(long)]
    future_incompat_report: bool,
    /// Have cargo say how long each crate took to build
    #[arg(long)]
    timings: bool,
    /// Override one of cargo's settings, or read them from a file
    #[arg(long = "config", value_name = "KEY=VALUE")]
    pub(crate) config: Vec<String>,
    /// Have cargo say nothing but warnings and errors; twice for nothing at all
    #[arg(long, action = clap::ArgAction::Count)]
    cargo_quiet: u8,
    /// Have cargo say more; twice for very much
    #[arg(long, action = clap::ArgAction::Count)]
    cargo_verbose: u8,
    /// Unstable flag of cargo
    #[arg(short = 'Z', value_name = "FLAG")]
    unstable: Vec<String>,
}

impl Cargo {
    /// Whether nothing is to be heard of the build, whatever becomes of it.
    pub(crate) fn is_silent(&self) -> bool {
        self.cargo_quiet > 1
    }

    /// Those that say how something is built, not what, as they are typed here.
    pub(crate) fn manner(&self) -> Vec<String> {
        let flags = [
            (self.all_features, "--all-features"),
            (self.no_default_features, "--no-default-features"),
            (self.release, "--release"),
        ];
        let flags = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
        let values = [("--features", &self.features), ("--config", &self.config), ("-Z", &self.unstable)];
        let values = values.into_iter().flat_map(|(name, values)| values.iter().map(move |value| (name, value)));
        let options = [
            ("--cargo-profile", &self.cargo_profile),
            ("--target", &self.target),
            ("--target-dir", &self.target_dir),
            ("--manifest-path", &self.manifest_path),
        ];
        let options = options.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
        flags.chain(values.chain(options).flat_map(|(name, value)| [name.to_owned(), value.clone()])).collect()
    }

    /// The same flags for cargo.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let mut arguments = Vec::new();
        let mut flag = |set: bool, name: &str| arguments.extend(set.then(|| name.to_owned()));
        flag(self.workspace, "--workspace");
        flag(self.lib, "--lib");
        flag(self.bins, "--bins");
        flag(self.tests, "--tests");
        flag(self.examples, "--examples");
        flag(self.benches, "--benches");
        flag(self.all_targets, "--all-targets");
        flag(self.all_features, "--all-features");
        flag(self.no_default_features, "--no-default-features");
        flag(self.release, "--release");
        flag(self.locked, "--locked");
        flag(self.offline, "--offline");
        flag(self.frozen, "--frozen");
        flag(self.ignore_rust_version, "--ignore-rust-version");
        flag(self.future_incompat_report, "--future-incompat-report");
        flag(self.timings, "--timings");
        flag(self.cargo_quiet > 0, "--quiet");
        for _ in 0..self.cargo_verbose {
            flag(true, "--verbose");
        }
        let lists = [
            ("--package", &self.package),
            ("--exclude", &self.exclude),
            ("--bin", &self.bin),
            ("--test", &self.test),
            ("--example", &self.example),
            ("--bench", &self.bench),
            ("--features", &self.features),
            ("--config", &self.config),
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
        let flags = flags.iter().filter(|(set, _)| *set).map(|(_, name)| (*name).to_owned());
        let lists = [("--config", &self.config), ("-Z", &self.unstable)];
        let lists =
            lists.iter().flat_map(|(name, values)| values.iter().flat_map(|value| [(*name).to_owned(), value.clone()]));
        flags.chain(lists).collect()
    }
}
