//! Builds the tests through cargo and says which binaries came out.

mod environment;
mod toolchain;

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, BuildScript, Message, Package};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::cli::Cargo;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code};
use environment::Environment;
use toolchain::Questions;

/// What was built, and where.
#[derive(Debug)]
pub(crate) struct Built {
    /// The test binaries, in cargo's order.
    pub(crate) binaries: Vec<Binary>,
    /// The root of the workspace.
    #[expect(dead_code, reason = "the configuration is read from there")]
    pub(crate) workspace: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
    /// Packages whose library is tested: name and root.
    pub(crate) libraries: Vec<(String, PathBuf)>,
}

/// One test binary.
#[derive(Debug)]
pub(crate) struct Binary {
    /// `package`, `package::test`, `package::bin/name`: nextest's binary id.
    pub(crate) id: String,
    /// The name of its target.
    pub(crate) name: String,
    /// `lib`, `test`, `bin`, `example`, `bench`, `proc-macro`.
    pub(crate) kind: String,
    /// The name of its package.
    pub(crate) package: String,
    /// Its package's id, as `cargo metadata` has it.
    pub(crate) package_id: String,
    /// What was built.
    pub(crate) executable: PathBuf,
    /// Where its tests run: the package's root.
    pub(crate) directory: PathBuf,
    /// What cargo sets for tests of this package.
    pub(crate) environment: Vec<(String, String)>,
    /// The arguments that select it in `cargo test`.
    pub(crate) selection: String,
}

/// Builds.
pub(crate) fn build(cargo: &Cargo, interrupt: &Interrupt) -> Result<Built, Problem> {
    let questions = Questions::ask(cargo)?; // Answered while cargo builds.
    let products = run_cargo(cargo, interrupt)?;
    let toolchain = questions.answers(interrupt)?;
    let environment = Environment::new(&products, &toolchain);
    let package_of = |artifact: &Artifact| toolchain.packages.iter().find(|package| package.id == artifact.package_id);
    let tests = products.artifacts.iter().filter(|artifact| artifact.profile.test && artifact.executable.is_some());
    let binaries: Vec<_> =
        tests.filter_map(|artifact| Some(binary(artifact, package_of(artifact)?, &environment))).collect();
    let libraries = toolchain.packages.iter().filter(|package| has_doctests(package, &binaries));
    let libraries = libraries.map(|package| (package.name.to_string(), root_of(package)));
    Ok(Built {
        libraries: libraries.collect(),
        binaries,
        workspace: toolchain.workspace,
        target_directory: toolchain.target_directory,
    })
}

/// Where a package lies.
fn root_of(package: &Package) -> PathBuf {
    package.manifest_path.parent().map_or_else(|| "/".into(), Into::into)
}

/// Whether `cargo test` would also look for documentation tests in this package.
fn has_doctests(package: &Package, binaries: &[Binary]) -> bool {
    let its_library = |binary: &Binary| binary.package_id == package.id.repr && binary.kind == "lib";
    binaries.iter().any(its_library) && package.targets.iter().any(|target| target.doctest)
}

/// What cargo says it has built.
pub(crate) struct Products {
    artifacts: Vec<Artifact>,
    scripts: Vec<BuildScript>,
}

/// The program that cargo says it is, where it runs us; else the one that is found.
fn cargo() -> String {
    std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned())
}

/// Runs cargo, whose messages go where ours go.
fn run_cargo(options: &Cargo, interrupt: &Interrupt) -> Result<Products, Problem> {
    let failed = |message: String| Problem { message, code: Code::BuildFailed };
    let mut command = Command::new(cargo());
    command.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]);
    command.args(options.arguments()).stdin(Stdio::null()).stdout(Stdio::piped());
    // In a process group of its own, so that it can be stopped with its compilers and build scripts.
    let mut build =
        command.process_group(0).spawn().map_err(|error| failed(format!("cannot run {}: {error}", cargo())))?;
    let output = build.stdout.take().ok_or_else(|| failed("cargo has no output".to_owned()))?;
    let messages = interrupt.read_to_end(output, "building the tests");
    if messages.is_err() {
        let group = Pid::from_raw(build.id().cast_signed());
        killpg(group, Signal::SIGKILL).map_err(|error| failed(format!("cannot stop cargo: {error}")))?;
    }
    let ended = build.wait().map_err(|error| failed(format!("cannot wait for cargo: {error}")))?;
    let messages = messages?;
    if !ended.success() {
        return Err(failed("the tests could not be built, see cargo's messages above".to_owned()));
    }
    let mut products = Products { artifacts: Vec::new(), scripts: Vec::new() };
    for message in Message::parse_stream(&messages[..]) {
        match message.map_err(|error| failed(format!("cannot read cargo's messages: {error}")))? {
            Message::CompilerArtifact(artifact) => products.artifacts.push(artifact),
            Message::BuildScriptExecuted(script) => products.scripts.push(script),
            _ => {}
        }
    }
    Ok(products)
}

fn binary(artifact: &Artifact, package: &Package, environment: &Environment<'_>) -> Binary {
    let kind = artifact.target.kind.first().map(ToString::to_string).unwrap_or_default();
    // A library of any crate type is one to its tests.
    let kind = if kind.ends_with("lib") { "lib".to_owned() } else { kind };
    let name = &artifact.target.name;
    let (id, selection) = match kind.as_str() {
        "test" => (format!("{}::{name}", package.name), format!("--test {name}")),
        "bin" | "example" | "bench" => (format!("{}::{kind}/{name}", package.name), format!("--{kind} {name}")),
        _ => (package.name.to_string(), "--lib".to_owned()),
    };
    let directory = root_of(package);
    let executable = artifact.executable.clone().map(PathBuf::from).unwrap_or_default();
    Binary {
        id,
        name: name.clone(),
        kind,
        package: package.name.to_string(),
        package_id: package.id.repr.clone(),
        environment: environment.of(package, &directory, &executable),
        executable,
        directory,
        selection: format!("-p {} {selection}", package.name),
    }
}
