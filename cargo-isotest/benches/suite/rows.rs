//! What exactly is run for each row of the table, and what must it say for itself?

use std::path::Path;
use std::process::Command;

use crate::crates::Suite;
use crate::measure::Proof;
use crate::options::Options;
use crate::programs::{Programs, cargo};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    Floor,
    CargoAlone,
    CargoIsotest,
    CargoTest,
    Nextest,
    NextestUnshare,
    NextestBwrap,
}

/// All rows, in the order of the table.
pub(crate) const ROWS: [Row; 7] = [
    Row::Floor,
    Row::CargoAlone,
    Row::CargoIsotest,
    Row::CargoTest,
    Row::Nextest,
    Row::NextestUnshare,
    Row::NextestBwrap,
];

impl Row {
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Floor => "kernel floor",
            Self::CargoAlone => "cargo finds nothing to build",
            Self::CargoIsotest => "cargo isotest",
            Self::CargoTest => "cargo test, #[isotest]",
            Self::Nextest => "nextest, no isolation",
            Self::NextestUnshare => "nextest through unshare",
            Self::NextestBwrap => "nextest through bwrap",
        }
    }

    /// The command and the proof that it did the work; an error says which program is missing.
    pub(crate) fn command(
        self,
        suite: &Suite,
        options: &Options,
        programs: &Programs,
    ) -> Result<(Command, Proof), String> {
        let jobs = options.jobs().to_string();
        let (mut command, proof) = match self {
            Self::Floor => {
                let mut floor = programs.floor();
                floor.args([&suite.tests.to_string(), &jobs]);
                (floor, Proof::OwnSeconds)
            }
            Self::CargoAlone => {
                let mut cargo = cargo();
                cargo.args(["test", "--no-run", "--manifest-path"]).arg(&suite.isotest);
                (cargo, Proof::ExitStatus)
            }
            Self::CargoIsotest => {
                let mut isotest = programs.cargo_isotest();
                run(&mut isotest, &suite.isotest, &jobs);
                (isotest, Proof::Summary(suite.tests))
            }
            Self::CargoTest => {
                let mut cargo = cargo();
                cargo.args(["test", "--manifest-path"]).arg(&suite.isotest).args(["--", "--test-threads", &jobs]);
                (cargo, Proof::Libtest(suite.tests))
            }
            Self::Nextest => {
                let mut nextest = programs.nextest()?;
                run(&mut nextest, &suite.plain, &jobs);
                (nextest, Proof::Summary(suite.tests))
            }
            Self::NextestUnshare => {
                programs.has_unshare()?;
                let mut nextest = programs.nextest_through("unshare -Urnmpuif --mount-proc")?;
                run(&mut nextest, &suite.plain, &jobs);
                (nextest, Proof::Summary(suite.tests))
            }
            Self::NextestBwrap => {
                programs.has_bwrap()?;
                let mut nextest = programs.nextest_through(&bwrap(&suite.home))?;
                run(&mut nextest, &suite.plain, &jobs);
                (nextest, Proof::Summary(suite.tests))
            }
        };
        command.env("CARGO_TARGET_DIR", &suite.target);
        Ok((command, proof))
    }
}

/// `cargo isotest` and nextest take the same arguments.
fn run(runner: &mut Command, manifest: &Path, jobs: &str) {
    runner.args(["run", "--manifest-path"]).arg(manifest).args(["-j", jobs]);
}

/// What bubblewrap can do of a default sandbox: all namespaces, private tmpfs, fresh proc. The suite is bound last, in
/// case it lies below one of the private directories.
fn bwrap(suite: &Path) -> String {
    let suite = suite.display();
    format!(
        "bwrap --unshare-all --die-with-parent --dev-bind / / --proc /proc \
         --tmpfs /tmp --tmpfs /var/tmp --tmpfs /dev/shm --tmpfs /run --bind {suite} {suite}"
    )
}
