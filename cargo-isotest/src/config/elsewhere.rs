//! Which keys does nextest have that isotest has not, and what does one write instead?

const LEAK_TIMEOUT: (&str, &str) = (
    "leak-timeout",
    "no timer is needed: init sees what a test leaves behind; say what that means with spec.leaks = \"ignore\" | \"warn\" | \"fail\"",
);

const RUN_EXTRA_ARGS: (&str, &str) = (
    "run-extra-args",
    "tests are started without a command line; give them variables: spec.env = { NAME = \"value\" }",
);

const BENCH: (&str, &str) = ("bench", "benchmarks run as tests do, once, under the settings of tests");

/// Under `profile.NAME`.
pub(super) const IN_A_PROFILE: &[(&str, &str)] = &[
    LEAK_TIMEOUT,
    RUN_EXTRA_ARGS,
    BENCH,
    ("test-group", "a group is given to some tests, by an entry of `overrides`"),
    ("priority", "a priority is given to some tests, by an entry of `overrides`"),
];

/// Under `profile.NAME.overrides`.
pub(super) const IN_AN_OVERRIDE: &[(&str, &str)] = &[LEAK_TIMEOUT, RUN_EXTRA_ARGS, BENCH];

const WRAPPER: &str =
    "a test runs in a sandbox instead of a wrapper: see `spec`; what must happen before, a setup script does";

/// Under `profile.NAME.scripts`.
pub(super) const IN_A_SCRIPT_RULE: &[(&str, &str)] = &[("run-wrapper", WRAPPER), ("list-wrapper", WRAPPER)];

/// Under `scripts`.
pub(super) const IN_SCRIPTS: &[(&str, &str)] = &[("wrapper", WRAPPER)];

/// Under `scripts.setup.NAME`.
pub(super) const IN_A_SETUP_SCRIPT: &[(&str, &str)] =
    &[("leak-timeout", "a setup script may leave processes behind; they are ended with the run")];

/// At the top.
pub(super) const AT_THE_TOP: &[(&str, &str)] = &[
    ("store", "isotest keeps what it records under target/isotest"),
    ("nextest-version", "this file is read by isotest alone; which version runs is a matter of Cargo.lock or CI"),
    ("experimental", "nothing has to be switched on: setup scripts are always there"),
    ("script", "a setup script is written as [scripts.setup.NAME]"),
];
