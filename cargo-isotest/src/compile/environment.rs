//! Which environment does `cargo test` give a test binary? The same is given here.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, Package, TargetKind};

use super::Products;
use super::cargo_config::CargoConfig;
use super::configured_variables::Variable;
use super::toolchain::Toolchain;

/// Where the variables come from.
pub(super) struct Environment<'p> {
    products: &'p Products,
    toolchain: &'p Toolchain,
    configured: Vec<Variable>,
}

impl<'p> Environment<'p> {
    /// From what cargo has built, and how it is configured.
    pub(super) fn new(products: &'p Products, toolchain: &'p Toolchain, config: &CargoConfig) -> Environment<'p> {
        Environment { products, toolchain, configured: config.variables() }
    }

    /// For one test binary.
    pub(super) fn of(&self, package: &Package, directory: &Path, artifact: &Artifact) -> Vec<(String, String)> {
        let mut variables = of_the_package(package, directory);
        let minimum = self.toolchain.workspace.rust_version(&package.id.repr).unwrap_or_default();
        variables.push(("CARGO_PKG_RUST_VERSION".to_owned(), minimum));
        variables.push(("CARGO".to_owned(), super::cargo()));
        variables.push(("LD_LIBRARY_PATH".to_owned(), self.library_path(artifact)));
        // Unit tests are programs of their own, and cargo does not build the others for them.
        if artifact.target.kind.iter().any(|kind| matches!(kind, TargetKind::Test | TargetKind::Bench)) {
            variables.extend(self.programs(package));
        }
        variables.extend(self.build_script_s(package));
        // What cargo itself sets is stronger than what it is configured to set.
        let more = self.configured.iter().filter(|variable| variable.holds(&variables)).cloned();
        let more: Vec<_> = more.map(|variable| (variable.name, variable.value)).collect();
        variables.extend(more);
        variables
    }

    /// Where shared libraries are found: what build scripts link to, what cargo builds, what rustc comes with.
    fn library_path(&self, artifact: &Artifact) -> String {
        let executable = artifact.executable.as_deref().map_or(Path::new(""), AsRef::as_ref);
        // `BUILT/deps/NAME-HASH` or `BUILT/examples/NAME-HASH`; shared libraries are put where programs are.
        let built = executable.ancestors().nth(2).unwrap_or(executable);
        let workspace = &self.toolchain.workspace;
        let root = built.strip_prefix(&workspace.build_directory);
        let root = root.map_or(built.to_owned(), |place| workspace.target_directory.join(place));
        let linked: BTreeSet<&Path> =
            self.products.scripts.iter().flat_map(|script| &script.linked_paths).map(AsRef::as_ref).collect();
        let mut paths: Vec<PathBuf> =
            linked.into_iter().map(without_kind).filter(|path| path.starts_with(&root)).collect();
        paths.extend([root, built.join("deps"), self.toolchain.libraries.clone()]);
        let inherited: Vec<PathBuf> = env::var_os("LD_LIBRARY_PATH").iter().flat_map(env::split_paths).collect();
        if inherited.starts_with(&paths) {
            paths = inherited;
        } else {
            paths.extend(inherited);
        }
        env::join_paths(paths).unwrap_or_else(|_| OsString::new()).to_string_lossy().into_owned()
    }

    /// The package's own programs, which its integration tests may run.
    fn programs(&self, package: &Package) -> impl Iterator<Item = (String, String)> {
        let own = self.products.artifacts.iter().filter(|artifact| artifact.package_id == package.id);
        let is_program =
            |artifact: &&Artifact| !artifact.profile.test && artifact.target.kind.contains(&TargetKind::Bin);
        own.filter(is_program).filter_map(|artifact| {
            Some((format!("CARGO_BIN_EXE_{}", artifact.target.name), artifact.executable.clone()?.into_string()))
        })
    }

    fn build_script_s(&self, package: &Package) -> Vec<(String, String)> {
        let Some(script) = self.products.scripts.iter().find(|script| script.package_id == package.id) else {
            return Vec::new();
        };
        let directory = ("OUT_DIR".to_owned(), script.out_dir.to_string());
        script.env.iter().cloned().chain([directory]).collect()
    }
}

/// A path may say what kind of library is in it: `native=/some/where`.
fn without_kind(path: &Path) -> PathBuf {
    let text = path.to_string_lossy();
    match text.split_once('=') {
        Some(("native" | "crate" | "dependency" | "framework" | "all", path)) => path.into(),
        _ => path.to_owned(),
    }
}

/// What cargo documents under "Environment variables Cargo sets for crates", as far as it holds at run time.
fn of_the_package(package: &Package, directory: &Path) -> Vec<(String, String)> {
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
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
