//! What does an archive say about the build? All that cargo and rustc would have been asked.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compile::Built;

/// Raised when a program that knows another version would misread an archive.
pub(super) const VERSION: u32 = 1;

/// The first file in an archive.
pub(super) const NAME: &str = "isotest-archive.json";

/// Who makes archives.
pub(super) const US: &str = concat!("cargo-isotest ", env!("CARGO_PKG_VERSION"));

/// That file. Paths are those of the machine that built.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Contents {
    version: u32,
    made_by: String,
    /// The triple that the tests were built for.
    pub(super) target: String,
    /// That of the machine that built them, for which tests of procedural macros are.
    pub(super) host: String,
    /// The root of the workspace.
    pub(super) workspace: PathBuf,
    /// Where cargo puts what it builds.
    pub(super) target_directory: PathBuf,
    /// Where it puts what it needs meanwhile, which may be the same.
    pub(super) build_directory: PathBuf,
    /// Where the shared standard library lies.
    pub(super) standard_libraries: PathBuf,
    /// What `cargo metadata` says, with dependencies.
    pub(super) metadata: String,
    pub(super) binaries: Vec<Packed>,
}

/// One test binary.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Packed {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) kind: String,
    pub(super) package: String,
    pub(super) package_id: String,
    pub(super) for_host: bool,
    pub(super) has_harness_of_its_own: bool,
    pub(super) executable: PathBuf,
    pub(super) directory: PathBuf,
    pub(super) environment: Vec<(String, String)>,
}

/// What every version has.
#[derive(Deserialize)]
struct Header {
    version: u32,
    made_by: String,
}

impl Contents {
    /// Of a build.
    pub(super) fn of(built: &Built, metadata: String) -> Contents {
        let binary = |binary: &crate::compile::Binary| Packed {
            id: binary.id.clone(),
            name: binary.name.clone(),
            kind: binary.kind.clone(),
            package: binary.package.clone(),
            package_id: binary.package_id.clone(),
            for_host: binary.facts.is_for_host(),
            has_harness_of_its_own: binary.has_harness_of_its_own(),
            executable: binary.executable.clone(),
            directory: binary.directory.clone(),
            environment: binary.environment.clone(),
        };
        Contents {
            version: VERSION,
            made_by: US.to_owned(),
            target: built.host_or_target.clone(),
            host: super::places::this_machine(),
            workspace: built.workspace.clone(),
            target_directory: built.target_directory.clone(),
            build_directory: built.build_directory.clone(),
            standard_libraries: built.standard_libraries.clone(),
            metadata,
            binaries: built.binaries.iter().map(binary).collect(),
        }
    }

    /// Reads the file.
    ///
    /// # Errors
    ///
    /// When another version wrote it, or it is none; says what to do.
    pub(super) fn parse(text: &[u8]) -> Result<Contents, String> {
        let damaged = |error| format!("its {NAME} can't be read: {error}; make the archive anew");
        let Header { version, made_by } = serde_json::from_slice(text).map_err(damaged)?;
        if version != VERSION {
            return Err(format!(
                "it has version {version}, made by {made_by}, and this is {US}, which reads version {VERSION}: use the \
                 same cargo-isotest on both machines"
            ));
        }
        serde_json::from_slice(text).map_err(damaged)
    }

    /// What a path of the machine that built is called in the archive, if what lies there can be in it.
    pub(super) fn name_of(&self, path: &Path) -> Option<PathBuf> {
        self.roots().iter().find_map(|(root, name)| {
            let below = path.strip_prefix(root).ok()?;
            Some(if below.as_os_str().is_empty() { PathBuf::from(name) } else { Path::new(name).join(below) })
        })
    }

    /// The directories that files are packed from, and their names in the archive; of nested ones the inner first.
    pub(super) fn roots(&self) -> Vec<(&Path, &'static str)> {
        let build = Some(self.build_directory.as_path()).filter(|build| *build != self.target_directory);
        let build = build.map(|build| (build, "target/isotest/archive/build"));
        let mut roots: Vec<_> = [
            (self.target_directory.as_path(), "target"),
            (self.standard_libraries.as_path(), "target/isotest/archive/libraries"),
        ]
        .into_iter()
        .chain(build)
        .collect();
        roots.sort_by_key(|(root, _)| std::cmp::Reverse(root.components().count()));
        roots
    }
}
