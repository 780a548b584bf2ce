//! Which programs of this machine can be measured?

use std::env;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::options::Options;

#[derive(Debug)]
pub(crate) struct Programs {
    floor: PathBuf,
    host: String,
    rustc: String,
    nextest: Option<String>,
    unshare: Option<String>,
    bwrap: Option<String>,
}

impl Programs {
    /// Looks for the peers and compiles the floor into `work`.
    pub(crate) fn find(work: &Path) -> Result<Self, String> {
        fs::create_dir_all(work).map_err(|error| format!("creating {}: {error}", work.display()))?;
        let version = answer(Command::new("rustc").arg("-vV")).ok_or("`rustc -vV` does not work")?;
        let host = version.lines().find_map(|line| line.strip_prefix("host: ")).ok_or("`rustc -vV` names no host")?;
        Ok(Self {
            floor: compile_floor(work)?,
            host: host.to_owned(),
            rustc: first_line(&version),
            nextest: answer(cargo().args(["nextest", "--version"])).map(|text| first_line(&text)),
            unshare: answer(Command::new("unshare").arg("--version")).map(|text| first_line(&text)),
            bwrap: answer(Command::new("bwrap").arg("--version")).map(|text| first_line(&text)),
        })
    }

    pub(crate) fn floor(&self) -> Command {
        quiet(Command::new(&self.floor))
    }

    /// The target triple that this machine builds for.
    pub(crate) fn host(&self) -> &str {
        &self.host
    }

    /// The runner this bench was built with, as `cargo isotest` would start it.
    pub(crate) fn cargo_isotest(&self) -> Command {
        let mut command = quiet(Command::new(env!("CARGO_BIN_EXE_cargo-isotest")));
        command.arg("isotest");
        command
    }

    pub(crate) fn nextest(&self) -> Result<Command, String> {
        self.nextest.as_ref().ok_or("no cargo-nextest")?;
        let mut command = cargo();
        command.arg("nextest");
        Ok(command)
    }

    /// nextest, with every test process started through `wrapper`.
    pub(crate) fn nextest_through(&self, wrapper: &str) -> Result<Command, String> {
        let mut command = self.nextest()?;
        let variable = format!("CARGO_TARGET_{}_RUNNER", self.host.to_uppercase().replace(['-', '.'], "_"));
        command.env(variable, wrapper);
        Ok(command)
    }

    pub(crate) fn has_unshare(&self) -> Result<(), String> {
        self.unshare.as_ref().map(|_| ()).ok_or_else(|| "no unshare (util-linux)".to_owned())
    }

    pub(crate) fn has_bwrap(&self) -> Result<(), String> {
        self.bwrap.as_ref().map(|_| ()).ok_or_else(|| "no bwrap (bubblewrap)".to_owned())
    }

    /// One paragraph on what was measured with what.
    pub(crate) fn describe(&self, options: &Options) -> String {
        let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
        // The owner of /proc/self is the effective user, which std has no other word for.
        let caller = match fs::metadata("/proc/self") {
            Ok(own) if own.uid() == 0 => "root",
            _ => "an ordinary user",
        };
        let mut versions = vec![self.rustc.clone()];
        versions.extend([&self.nextest, &self.unshare, &self.bwrap].into_iter().flatten().cloned());
        format!(
            "Linux {}, {} CPUs, {} tests in flight, as {caller}; {}.",
            kernel.trim(),
            std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            options.jobs(),
            versions.join(", "),
        )
    }
}

/// The cargo that runs this bench.
pub(crate) fn cargo() -> Command {
    quiet(Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into())))
}

/// Takes away what `cargo bench` sets for its own child and a user's shell does not have.
fn quiet(mut command: Command) -> Command {
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        let of_this_package = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_TARGET_", "NEXTEST"];
        if of_this_package.iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(name.as_ref());
        }
    }
    for name in ["LD_LIBRARY_PATH", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "RUSTC_WRAPPER", "RUSTFLAGS"] {
        command.env_remove(name);
    }
    command.env("CARGO_TERM_COLOR", "never").env("NO_COLOR", "1").stdin(Stdio::null());
    command
}

fn compile_floor(work: &Path) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/floor/floor.c");
    let program = work.join("floor");
    let compiler = Command::new("cc").arg("-O2").arg("-o").arg(&program).arg(&source).output();
    let compiler = compiler.map_err(|error| format!("starting `cc` for {}: {error}", source.display()))?;
    if !compiler.status.success() {
        return Err(format!("`cc` refuses {}:\n{}", source.display(), String::from_utf8_lossy(&compiler.stderr)));
    }
    Ok(program)
}

/// What a program prints, if it is there and succeeds.
fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}
