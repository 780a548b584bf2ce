//! Which environment does `cargo test` give a test binary? The same is given here.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use cargo_metadata::{Artifact, Package, TargetKind};

use super::Products;
use super::toolchain::Toolchain;

/// Where the variables come from.
pub(super) struct Environment<'p> {
    products: &'p Products,
    toolchain: &'p Toolchain,
}

impl<'p> Environment<'p> {
    /// From what cargo has built.
    pub(super) fn new(products: &'p Products, toolchain: &'p Toolchain) -> Environment<'p> {
        Environment { products, toolchain }
    }

    /// For one test binary.
    pub(super) fn of(&self, package: &Package, directory: &Path, executable: &Path) -> Vec<(String, String)> {
        let mut variables = of_the_package(package, directory);
        variables.push(("CARGO".to_owned(), super::cargo()));
        variables.push(("LD_LIBRARY_PATH".to_owned(), self.library_path(executable)));
        variables.extend(self.programs(package));
        variables.extend(self.build_script_s(package));
        variables
    }

    /// Where shared libraries are found: what build scripts link to, what cargo builds, what rustc comes with.
    fn library_path(&self, executable: &Path) -> String {
        let linked = self.products.scripts.iter().flat_map(|script| &script.linked_paths);
        // A path may say what kind of library is in it: `native=/some/where`.
        let linked =
            linked.map(|path| PathBuf::from(path.as_str().split_once('=').map_or(path.as_str(), |(_, path)| path)));
        let target = executable.ancestors().nth(3).unwrap_or(executable);
        let mut paths: Vec<PathBuf> = linked.filter(|path| path.starts_with(target)).collect();
        paths.extend(executable.ancestors().skip(1).take(2).map(Path::to_owned));
        paths.push(self.toolchain.libraries.clone());
        paths.extend(env::var_os("LD_LIBRARY_PATH").iter().flat_map(env::split_paths));
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
        ("CARGO_PKG_RUST_VERSION", package.rust_version.as_ref().map(ToString::to_string).unwrap_or_default()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}
