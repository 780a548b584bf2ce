//! Builds the tests through cargo and says which binaries came out.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use cargo_metadata::{Artifact, Message, MetadataCommand, Package};

use crate::cli::Run;
use crate::interrupt::Interrupt;
use crate::{Problem, exit_code::Code};

/// One test binary.
#[derive(Debug)]
pub(crate) struct Binary {
    /// `package`, `package::test`, `package::bin/name`: nextest's binary id.
    pub(crate) id: String,
    /// What was built.
    pub(crate) executable: PathBuf,
    /// Where its tests run: the package's root.
    pub(crate) directory: PathBuf,
    /// What cargo sets for tests of this package.
    pub(crate) environment: Vec<(String, String)>,
    /// The arguments that select it in `cargo test`.
    pub(crate) selection: String,
}

/// Builds, and lists the binaries in cargo's order.
pub(crate) fn binaries(options: &Run, interrupt: &Interrupt) -> Result<Vec<Binary>, Problem> {
    let artifacts = build(options, interrupt)?;
    let mut metadata = MetadataCommand::new();
    metadata.no_deps().other_options(options.cargo.resolution_arguments());
    if let Some(path) = &options.cargo.manifest_path {
        metadata.manifest_path(path);
    }
    let failed = |error: cargo_metadata::Error| Problem {
        message: format!("cannot read the workspace: {error}"),
        code: Code::MetadataFailed,
    };
    let packages = metadata.exec().map_err(failed)?.packages;
    let package_of = |artifact: &Artifact| packages.iter().find(|package| package.id == artifact.package_id);
    Ok(artifacts.iter().filter_map(|artifact| Some(binary(artifact, package_of(artifact)?))).collect())
}

/// Runs cargo, whose messages go where ours go, and keeps what it says of test binaries.
fn build(options: &Run, interrupt: &Interrupt) -> Result<Vec<Artifact>, Problem> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let failed = |message: String| Problem { message, code: Code::BuildFailed };
    let mut command = Command::new(&cargo);
    command.args(["test", "--no-run", "--message-format", "json-render-diagnostics"]);
    command.args(options.cargo.arguments()).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut build = command.spawn().map_err(|error| failed(format!("cannot run {cargo}: {error}")))?;
    let output = build.stdout.take().ok_or_else(|| failed("cargo has no output".to_owned()))?;
    let mut messages = Vec::new();
    let read = interrupt.read_all(output, "building the tests", |piece| {
        messages.extend_from_slice(piece);
        Ok(())
    });
    if read.is_err() {
        // Its compilers notice by themselves that it is gone.
        build.kill().map_err(|error| failed(format!("cannot stop cargo: {error}")))?;
    }
    let ended = build.wait().map_err(|error| failed(format!("cannot wait for cargo: {error}")))?;
    read?;
    if !ended.success() {
        return Err(failed("the tests could not be built, see cargo's messages above".to_owned()));
    }
    let mut artifacts = Vec::new();
    for message in Message::parse_stream(&messages[..]) {
        match message.map_err(|error| failed(format!("cannot read cargo's messages: {error}")))? {
            Message::CompilerArtifact(artifact) if artifact.profile.test && artifact.executable.is_some() => {
                artifacts.push(artifact);
            }
            _ => {}
        }
    }
    Ok(artifacts)
}

fn binary(artifact: &Artifact, package: &Package) -> Binary {
    let kind = artifact.target.kind.first().map(ToString::to_string).unwrap_or_default();
    let name = &artifact.target.name;
    let (id, selection) = match kind.as_str() {
        "test" => (format!("{}::{name}", package.name), format!("--test {name}")),
        "bin" | "example" | "bench" => (format!("{}::{kind}/{name}", package.name), format!("--{kind} {name}")),
        _ => (package.name.to_string(), "--lib".to_owned()),
    };
    let directory = PathBuf::from(package.manifest_path.parent().map_or_else(|| "/".into(), ToOwned::to_owned));
    Binary {
        id,
        executable: artifact.executable.clone().map(PathBuf::from).unwrap_or_default(),
        environment: environment(package, &directory),
        directory,
        selection: format!("-p {} {selection}", package.name),
    }
}

/// What cargo documents under "Environment variables Cargo sets for crates", as far as it holds at run time.
fn environment(package: &Package, directory: &std::path::Path) -> Vec<(String, String)> {
    let version = &package.version;
    let text = |value: &Option<String>| value.clone().unwrap_or_default();
    let pairs = [
        ("CARGO_MANIFEST_DIR", directory.display().to_string()),
        ("CARGO_MANIFEST_PATH", package.manifest_path.to_string()),
        ("CARGO_PKG_NAME", package.name.to_string()),
        ("CARGO_PKG_VERSION", version.to_string()),
        ("CARGO_PKG_VERSION_MAJOR", version.major.to_string()),
        ("CARGO_PKG_VERSION_MINOR", version.minor.to_string()),
        ("CARGO_PKG_VERSION_PATCH", version.patch.to_string()),
        ("CARGO_PKG_VERSION_PRE", version.pre.to_string()),
        ("CARGO_PKG_AUTHORS", package.authors.join(":")),
        ("CARGO_PKG_DESCRIPTION", text(&package.description)),
        ("CARGO_PKG_HOMEPAGE", text(&package.homepage)),
        ("CARGO_PKG_REPOSITORY", text(&package.repository)),
        ("CARGO_PKG_LICENSE", text(&package.license)),
        ("CARGO_PKG_LICENSE_FILE", package.license_file.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("CARGO_PKG_README", package.readme.as_ref().map(ToString::to_string).unwrap_or_default()),
        ("CARGO_PKG_RUST_VERSION", package.rust_version.as_ref().map(ToString::to_string).unwrap_or_default()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
