//! What would a build have given? The same from an archive, with this machine's paths.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::contents::{Contents, Packed};
use super::places::{Places, runs, this_machine};
use super::unpack::{Opened, Place, wrong};
use crate::Problem;
use crate::cli::Reuse;
use crate::compile::{Binary, Built, LastWords, Runner, Workspace, runners};
use crate::exit_code::Code;
use crate::filterset::BinaryFacts;
use crate::interrupt::Interrupt;
use crate::report::{quoted, terminal};

/// What is known of it.
pub(crate) struct Reused {
    pub(crate) workspace: Workspace,
    pub(crate) built: Built,
}

/// Checks the archive, extracts it, and finds the workspace.
pub(crate) fn reuse(file: &Path, options: &Reuse, interrupt: &Interrupt) -> Result<Reused, Problem> {
    options.archive_format.of(file).map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let archive = Opened::open(file)?;
    let contents = &archive.contents;
    let runners = runners(&contents.target, &contents.host);
    must_run_here(contents, &runners).map_err(|why| wrong(file, &why))?;
    let sources = sources(contents, options.workspace_remap.as_deref()).map_err(|why| wrong(file, &why))?;
    let place = place(&archive, file, options, interrupt)?;
    let root = match &sources {
        Some(root) => root.clone(),
        None => stand_in(contents, &place.target).map_err(|why| wrong(file, &why))?,
    };
    let places = Places::new(contents, &place.target, &root);
    let again = again(file, options);
    let binaries = contents.binaries.iter().map(|packed| binary(packed, &places, (&runners, &again)));
    let binaries: Vec<Binary> = binaries.collect();
    if let Some(missing) = binaries.iter().find(|binary| !binary.executable.is_file()) {
        let why = format!("its {} is not at {}", missing.id, missing.executable.display());
        return Err(wrong(file, &format!("{why}: extract it anew, without --target-dir-remap")));
    }
    // What is remembered and reported outlives what was extracted.
    let reports = sources.or_else(|| env::current_dir().ok()).unwrap_or_default().join("target/isotest");
    let workspace = Workspace {
        root: root.clone(),
        target_directory: place.target.clone(),
        build_directory: place.target.clone(),
        packages: Vec::new(),
        json: contents.metadata.clone(),
        has_dependencies: true,
    };
    let built = Built {
        binaries,
        workspace: root,
        build_directory: place.target.clone(),
        target_directory: place.target,
        reports,
        cargo: LastWords::default(),
        host_or_target: contents.target.clone(),
        // Whether they are documentation tests only sources say, and only cargo runs them.
        libraries: Vec::new(),
        standard_libraries: places.here(&contents.standard_libraries),
        dynamic_libraries: Vec::new(),
        temporary: place.temporary,
    };
    Ok(Reused { workspace, built })
}

/// Nothing but another program runs what was built for another kind of machine.
fn must_run_here(contents: &Contents, runners: &[Option<Runner>; 2]) -> Result<(), String> {
    let here = this_machine();
    let for_host = |host: bool| contents.binaries.iter().any(|binary| binary.for_host == host);
    for (host, triple) in [(false, &contents.target), (true, &contents.host)] {
        if for_host(host) && runners[usize::from(host)].is_none() && !runs(&here, triple) {
            return Err(format!(
                "its tests were built for {triple}, and this is {here}: make one with --target {here}, or configure \
                 target.{triple}.runner in .cargo/config.toml here"
            ));
        }
    }
    Ok(())
}

/// The root of the workspace, if it is here.
fn sources(contents: &Contents, remapped: Option<&Path>) -> Result<Option<PathBuf>, String> {
    const REMEDY: &str = "--workspace-remap DIR says where a checkout of the same revision lies";
    let there = &contents.workspace;
    let root = match remapped {
        Some(root) => {
            let said = |error| format!("its workspace is not at {}: {error}; {REMEDY}", root.display());
            root.canonicalize().map_err(said)?
        }
        None if there.join("Cargo.toml").is_file() => there.clone(),
        None => return Ok(None),
    };
    for binary in &contents.binaries {
        let directory = binary.directory.strip_prefix(there).map_or(binary.directory.clone(), |below| root.join(below));
        if !directory.is_dir() {
            let package = &binary.package;
            return Err(format!("its package {package} is not at {}; {REMEDY}", directory.display()));
        }
    }
    Ok(Some(root))
}

/// Empty directories in place of those that the tests were to run in. Gives their root.
fn stand_in(contents: &Contents, target: &Path) -> Result<PathBuf, String> {
    let root = target.join("isotest/archive/workspace");
    let places = Places::new(contents, target, &root);
    for binary in &contents.binaries {
        let directory = places.here(&binary.directory);
        fs::create_dir_all(&directory).map_err(|error| format!("making {}: {error}", directory.display()))?;
    }
    terminal::note(&format!(
        "the sources are not at {}: tests run in empty directories, and nothing is configured; --workspace-remap DIR says \
         where a checkout lies",
        contents.workspace.display()
    ));
    Ok(root)
}

/// Extracts it to where the options say, unless it was before.
fn place(archive: &Opened<'_>, file: &Path, options: &Reuse, interrupt: &Interrupt) -> Result<Place, Problem> {
    let said = |what: &Path, error: &dyn std::fmt::Display| wrong(file, &format!("{}: {error}", what.display()));
    if let Some(target) = &options.target_dir_remap {
        let target = target.canonicalize().map_err(|error| {
            said(
                target,
                &format!("{error}: --target-dir-remap wants the directory `target` in what was extracted before"),
            )
        })?;
        return Ok(Place { target, temporary: None });
    }
    if let Some(to) = &options.extract_to {
        fs::create_dir_all(to).map_err(|error| said(to, &error))?;
        let to = to.canonicalize().map_err(|error| said(to, &error))?;
        let target = to.join("target");
        if target.is_symlink() {
            return Err(said(
                &target,
                &"it is a symbolic link, and what is extracted must stay in --extract-to: remove it",
            ));
        }
        if target.exists() && !options.extract_overwrite {
            let why =
                "it is there already: --extract-overwrite replaces files in it, --target-dir-remap uses it as it is";
            return Err(said(&target, &why));
        }
        archive.extract(&to, options.extract_overwrite, interrupt)?;
        return Ok(Place { target, temporary: None });
    }
    let made = tempfile::Builder::new().prefix("isotest-archive-").tempdir();
    let made = made.map_err(|error| said(&env::temp_dir(), &error))?;
    let to = made.path().canonicalize().map_err(|error| said(made.path(), &error))?;
    archive.extract(&to, false, interrupt)?;
    let temporary = if options.persist_extract_tempdir {
        terminal::note(&format!("the archive was extracted to {}", made.keep().display()));
        None
    } else {
        Some(made)
    };
    Ok(Place { target: to.join("target"), temporary })
}

/// What is typed to run a test of the archive again.
fn again(file: &Path, options: &Reuse) -> String {
    let paths = [
        ("--archive-file", Some(file)),
        ("--workspace-remap", options.workspace_remap.as_deref()),
        ("--target-dir-remap", options.target_dir_remap.as_deref()),
    ];
    let paths =
        paths.into_iter().filter_map(|(option, path)| Some(format!("{option} {}", quoted(&path?.to_string_lossy()))));
    paths.collect::<Vec<_>>().join(" ")
}

fn binary(packed: &Packed, places: &Places, (runners, again): (&[Option<Runner>; 2], &str)) -> Binary {
    let facts = BinaryFacts::new(&packed.package_id, &packed.id, &packed.kind, &packed.name);
    Binary {
        id: packed.id.clone(),
        name: packed.name.clone(),
        kind: packed.kind.clone(),
        package: packed.package.clone(),
        package_id: packed.package_id.clone(),
        facts: if packed.for_host { facts.built_for_host() } else { facts },
        has_harness_of_its_own: Some(packed.has_harness_of_its_own),
        executable: places.here(&packed.executable),
        runner: runners[usize::from(packed.for_host)].clone(),
        directory: places.here(&packed.directory),
        environment: places.environment(&packed.environment),
        selection: format!("{again} -E {}", quoted(&format!("binary_id(={})", packed.id))),
    }
}
