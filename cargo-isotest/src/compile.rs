//! Builds the tests through cargo and says which binaries came out.

mod cargo;
mod cargo_config;
mod configured_variables;
mod environment;
mod manifest;
mod runner;
mod rustc;
mod toolchain;

use std::cell::RefCell;
use std::io;
use std::path::PathBuf;
use std::process::Command;

use cargo_metadata::{Artifact, Package};
use target_spec::Platform;

use crate::Problem;
use crate::cli::Cargo;
use crate::exit_code::Code;
use crate::filterset::BinaryFacts;
use crate::interrupt::Interrupt;
pub(crate) use cargo::Products;
use cargo_config::CargoConfig;
use environment::Environment;
pub(crate) use runner::{Runner, on_the_path};
use toolchain::Questions;
pub(crate) use toolchain::{Workspace, with_dependencies};

/// What was built, and where.
#[derive(Debug)]
pub(crate) struct Built {
    /// The test binaries, by their ids.
    pub(crate) binaries: Vec<Binary>,
    /// The root of the workspace.
    pub(crate) workspace: PathBuf,
    /// Where cargo puts what it builds.
    pub(crate) target_directory: PathBuf,
    /// Where it puts what it needs meanwhile, and test binaries.
    pub(crate) build_directory: PathBuf,
    /// Where this program remembers, and where reports go whose place is relative.
    pub(crate) reports: PathBuf,
    /// The triple that the tests were built for.
    pub(crate) host_or_target: String,
    /// Packages whose library is tested: name and root.
    pub(crate) libraries: Vec<(String, PathBuf)>,
    /// Where the shared standard library lies.
    pub(crate) standard_libraries: PathBuf,
    /// Shared libraries that cargo has built.
    pub(crate) dynamic_libraries: Vec<PathBuf>,
    /// The directory that all this lies in, if it is to vanish with it.
    #[expect(dead_code, reason = "it is only there to be dropped")]
    pub(crate) temporary: Option<tempfile::TempDir>,
    /// Who has built it here.
    pub(crate) cargo: LastWords,
}

/// A cargo that has built all, and may have to say so still.
#[derive(Debug, Default)]
pub(crate) struct LastWords(RefCell<Option<cargo::Running>>);

impl LastWords {
    /// Waits for them: what this program says comes after.
    pub(crate) fn wait(&self, interrupt: &Interrupt) -> Result<(), Problem> {
        self.0.take().map_or(Ok(()), |mut cargo| cargo.end(interrupt).map(drop))
    }
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
    /// The same, as expressions ask for it.
    pub(crate) facts: BinaryFacts,
    /// Whether it has a `main` of its own instead of libtest's, if that is known; its Cargo.toml says so otherwise.
    pub(crate) has_harness_of_its_own: Option<bool>,
    /// What was built.
    pub(crate) executable: PathBuf,
    /// What cargo is configured to run it by.
    pub(crate) runner: Option<Runner>,
    /// Where its tests run: the package's root.
    pub(crate) directory: PathBuf,
    /// What cargo sets for tests of this package.
    pub(crate) environment: Vec<(String, String)>,
    /// The arguments that select it in `cargo test`.
    pub(crate) selection: String,
}

impl Binary {
    /// Whether its package says that it has a `main` of its own instead of libtest's.
    pub(crate) fn has_harness_of_its_own(&self) -> bool {
        let written = || manifest::has_harness_of_its_own(&self.directory.join("Cargo.toml"), &self.kind, &self.name);
        self.has_harness_of_its_own.unwrap_or_else(written)
    }

    /// The program, and its arguments, that run the binary with `arguments`.
    pub(crate) fn command_line(&self, arguments: &[&str]) -> (PathBuf, Vec<String>) {
        let arguments = arguments.iter().map(|&argument| argument.to_owned());
        match &self.runner {
            None => (self.executable.clone(), arguments.collect()),
            Some(runner) => runner.command_line(&self.executable, arguments.collect()),
        }
    }
}

/// A build that has begun.
pub(crate) struct Building {
    cargo: cargo::Running,
    questions: Questions,
    overrides: Vec<String>,
}

impl Building {
    /// Has cargo build, and asks meanwhile what else must be known.
    pub(crate) fn begin(options: &Cargo) -> Result<Building, Problem> {
        // It takes longest. Where neither can be started, it is the workspace that could not be read.
        let cargo = cargo::Running::start(options);
        let questions = Questions::ask(options)?;
        Ok(Building { cargo: cargo?, questions, overrides: options.config.clone() })
    }

    /// The workspace, which is known long before the build has ended.
    pub(crate) fn workspace(&mut self, interrupt: &Interrupt) -> Result<&Workspace, Problem> {
        if let Err(problem) = self.questions.workspace(interrupt) {
            return Err(self.known_to_the_reader(problem, interrupt)?);
        }
        self.questions.workspace(interrupt) // It is there now.
    }

    /// Without what the build has told as well: it reads the same workspace, and ends as early.
    fn known_to_the_reader(&mut self, problem: Problem, interrupt: &Interrupt) -> Result<Problem, Problem> {
        if problem.code != Code::MetadataFailed || !self.cargo.has_complained(interrupt)? {
            return Ok(problem);
        }
        let message = "the workspace could not be read, see cargo's messages above".to_owned();
        Ok(Problem { message, code: problem.code })
    }

    /// Waits until all is built.
    pub(crate) fn finish(mut self, interrupt: &Interrupt) -> Result<Built, Problem> {
        let products = self.cargo.finish(interrupt)?;
        let toolchain = self.questions.answers(interrupt)?;
        // Cargo has read it by now, and would have refused what has mistakes in it.
        let config = CargoConfig::read(&self.overrides);
        let environment = Environment::new(&products, &toolchain, &config);
        // Tests of procedural macros run where the compiler does.
        let host = Platform::build_target().map(|host| host.triple_str().to_owned()).unwrap_or_default();
        let runners = config.runners(&toolchain.triple, &host);
        let packages = &toolchain.workspace.packages;
        let package_of = |artifact: &Artifact| packages.iter().find(|package| package.id == artifact.package_id);
        let tests = products.artifacts.iter().filter(|artifact| artifact.profile.test && artifact.executable.is_some());
        let mut binaries: Vec<_> =
            tests.filter_map(|artifact| Some(binary(artifact, package_of(artifact)?, &environment))).collect();
        for binary in &mut binaries {
            binary.runner = runners[usize::from(binary.facts.is_for_host())].clone();
        }
        // Cargo tells of each when it is built, and that is another order each time.
        binaries.sort_by(|one, other| one.id.cmp(&other.id));
        let libraries = packages.iter().filter(|package| has_doctests(package, &binaries));
        let libraries = libraries.map(|package| (package.name.to_string(), root_of(package)));
        Ok(Built {
            libraries: libraries.collect(),
            binaries,
            dynamic_libraries: products.dynamic_libraries(),
            standard_libraries: toolchain.libraries,
            host_or_target: toolchain.triple,
            workspace: toolchain.workspace.root,
            reports: toolchain.workspace.target_directory.join("isotest"),
            build_directory: toolchain.workspace.build_directory,
            temporary: None,
            cargo: LastWords(RefCell::new(Some(self.cargo))),
            target_directory: toolchain.workspace.target_directory,
        })
    }
}

/// The workspace and the triple that it is built for, where nothing is to be built.
pub(crate) fn workspace(options: &Cargo, interrupt: &Interrupt) -> Result<(Workspace, String), Problem> {
    let toolchain = Questions::ask(options)?.answers(interrupt)?;
    Ok((toolchain.workspace, toolchain.triple))
}

/// What runs the binaries that come from elsewhere and were built for these triples.
pub(crate) fn runners(target: &str, host: &str) -> [Option<Runner>; 2] {
    CargoConfig::read(&[]).runners(target, host)
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

/// The program that cargo says it is, where it runs us; else the one that is found.
fn cargo() -> String {
    std::env::var("CARGO").ok().filter(|program| !program.is_empty()).unwrap_or_else(|| "cargo".to_owned())
}

/// A part of the toolchain does not start.
fn cannot_run(command: &Command, error: &io::Error) -> String {
    let program = command.get_program().display();
    format!("cannot run {program}: {error}; is it installed, and in PATH? The variables CARGO and RUSTC name others")
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
    let facts = BinaryFacts::new(&package.id.repr, &id, &kind, name);
    // Tests of procedural macros run where the compiler does.
    let facts = if kind == "proc-macro" { facts.built_for_host() } else { facts };
    Binary {
        id,
        facts,
        name: name.clone(),
        kind,
        package: package.name.to_string(),
        package_id: package.id.repr.clone(),
        environment: environment.of(package, &directory, artifact),
        executable,
        has_harness_of_its_own: None,
        runner: None,
        directory,
        selection: format!("-p {} {selection}", package.name),
    }
}
