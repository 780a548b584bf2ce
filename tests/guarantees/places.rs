//! Where a project lies does not matter: a checkout, a target directory, a binary or a working directory under one of
//! the private directories still works, and what lies beside it there is hidden.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

use isotest_tests::{root, text};
use nix::unistd::{AccessFlags, access, getuid};
use tempfile::TempDir;

use crate::bounded::bounded;
use crate::inside::{FIXTURE, mark};

/// The project that is moved about, in the folder of the other fixture.
const PROJECT: &str = "moved";

const TMP: &str = "/tmp";

/// Where nothing is hidden, unless the whole build lies under a private directory.
const ELSEWHERE: &str = env!("CARGO_TARGET_TMPDIR");

#[test]
fn a_checkout_under_tmp_works() {
    let (place, elsewhere) = (somewhere_in(TMP), somewhere_in(ELSEWHERE));
    works(place.path(), Layout { checkout: place.path().join("checkout"), target: built_in(elsewhere.path()) }, None);
}

#[test]
fn a_target_directory_under_tmp_works() {
    let (place, elsewhere) = (somewhere_in(TMP), somewhere_in(ELSEWHERE));
    works(place.path(), Layout { checkout: elsewhere.path().join("checkout"), target: built_in(place.path()) }, None);
}

#[test]
fn both_under_tmp_work() {
    both_work_in(TMP);
}

#[test]
fn both_under_var_tmp_work() {
    both_work_in("/var/tmp");
}

#[test]
fn both_under_dev_shm_work() {
    both_work_in("/dev/shm");
}

#[test]
fn both_under_run_work() {
    let user = format!("/run/user/{}", getuid());
    let candidates = ["/run", &user, "/run/lock"].map(Path::new);
    let writable = candidates.into_iter().find(|path| access(*path, AccessFlags::W_OK).is_ok());
    both_work_in(writable.expect("this user may write somewhere under /run; on most systems in /run/lock"));
}

fn both_work_in(place: impl AsRef<Path>) {
    let place = somewhere_in(place);
    works(place.path(), Layout { checkout: place.path().join("checkout"), target: built_in(place.path()) }, None);
}

#[test]
fn both_under_tmpdir_work() {
    let place = somewhere_in(ELSEWHERE);
    let layout = Layout { checkout: place.path().join("checkout"), target: built_in(place.path()) };
    works(place.path(), layout, Some(place.path()));
}

#[test]
fn a_tmpdir_in_a_checkout_under_tmp_is_private_and_the_checkout_works() {
    let (place, elsewhere) = (somewhere_in(TMP), somewhere_in(ELSEWHERE));
    let checkout = place.path().join("checkout");
    let temporary = checkout.join("temporary");
    std::fs::create_dir_all(&temporary).expect("a new directory");
    works(&temporary, Layout { checkout, target: built_in(elsewhere.path()) }, Some(&temporary));
}

#[test]
fn a_working_directory_under_tmp_works() {
    let place = somewhere_in(TMP);
    let name = mark();
    run_in(place.path(), "writes_where_it_was_started", &name);
    assert!(place.path().join(&name).exists(), "what a test is started in is kept");
}

#[test]
fn tmp_itself_as_working_directory_is_private() {
    let name = mark();
    run_in(Path::new(TMP), "writes_where_it_was_started", &name);
    assert!(!Path::new(TMP).join(&name).exists(), "a relative path leads out of the sandbox");
}

#[test]
fn without_isolation_files_stay_in_tmp() {
    let name = mark();
    run_in(Path::new(TMP), "plain_writes_where_it_was_started", &name);
    std::fs::remove_file(Path::new(TMP).join(&name)).expect("it was made there");
}

/// Runs one test of a copy of the test binary, which lies in a private directory, started in `directory`.
fn run_in(directory: &Path, test: &str, name: &str) {
    let place = somewhere_in("/dev/shm");
    let binary = place.path().join("project");
    std::fs::copy(built_binary(), &binary).expect("there is room");
    let mut command = bounded(&binary, &FIXTURE.cargo(&[]));
    command.args(["--exact", test]).current_dir(directory).env("MOVED_NAME", name);
    passes(&command.output().expect("the copy starts"));
}

struct Layout {
    checkout: PathBuf,
    target: PathBuf,
}

/// Copies the project to where `layout` says, and runs its tests with and without the runner. A file in `place` must be
/// hidden from them.
fn works(place: &Path, layout: Layout, temporary: Option<&Path>) {
    let stranger = place.join("stranger");
    std::fs::write(&stranger, "").expect("one's own directory");
    check_out(&layout.checkout);
    let run = |command: &Command, arguments: &[&str]| {
        let mut command = bounded(command.get_program(), command);
        command.args(arguments).current_dir(&layout.checkout).envs(SMALL).env("CARGO_TARGET_DIR", &layout.target);
        command.env("MOVED_STRANGER", &stranger).envs(temporary.map(|path| ("TMPDIR", path)));
        passes(&command.output().expect("cargo starts"));
        let written = layout.target.join("tmp/written inside");
        std::fs::remove_file(&written).is_ok()
    };
    let own = "finds_its_own_and_no_stranger";
    assert!(run(&FIXTURE.cargo(&[]), &["test", "--test", "project", own]), "what a test builds stays");
    assert!(run(&FIXTURE.cargo_isotest(&[]), &["run", "--test", "project", own]), "what a test builds stays");
    run(&FIXTURE.cargo(&[]), &["test", "--test", "project", "plain_sees_the_stranger"]);
}

fn passes(output: &Output) {
    let text = text(output);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}

/// A new directory in `place`.
fn somewhere_in(place: impl AsRef<Path>) -> TempDir {
    tempfile::Builder::new().prefix("isotest-places-").tempdir_in(place).expect("a new directory")
}

/// Makes a copy of the project, which finds `isotest` where the original does.
fn check_out(checkout: &Path) {
    let original = FIXTURE.directory().join(PROJECT);
    for folder in ["src", "tests"] {
        std::fs::create_dir_all(checkout.join(folder)).expect("a new directory");
    }
    for file in ["src/main.rs", "tests/data.txt", "tests/project.rs"] {
        std::fs::copy(original.join(file), checkout.join(file)).expect("there is room");
    }
    let manifest = std::fs::read_to_string(original.join("Cargo.toml")).expect("a manifest");
    let isotest = root().join("isotest-core").display().to_string();
    std::fs::write(checkout.join("Cargo.toml"), manifest.replace("../../../../isotest-core", &isotest)).expect("room");
    std::fs::copy(root().join("Cargo.lock"), checkout.join("Cargo.lock")).expect("a lock file to copy");
}

/// Without debug information a target directory is quickly copied.
const SMALL: [(&str, &str); 2] = [("CARGO_PROFILE_DEV_DEBUG", "0"), ("CARGO_INCREMENTAL", "0")];

/// A target directory with all that the project depends on, and the project, built once.
fn built() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let target = Path::new(ELSEWHERE).join("places");
        check_out(&target.join("checkout"));
        let mut build = FIXTURE.cargo(&["test", "--no-run"]);
        build.current_dir(target.join("checkout")).envs(SMALL).env("CARGO_TARGET_DIR", target.join("target"));
        let built = build.output().expect("cargo starts");
        assert!(built.status.success(), "{}", text(&built));
        target.join("target")
    })
}

/// A copy of it in `place`.
fn built_in(place: &Path) -> PathBuf {
    let copied = Command::new("cp").arg("--archive").arg(built()).arg(place).status().expect("cp is installed");
    assert!(copied.success(), "there is room");
    place.join("target")
}

fn built_binary() -> PathBuf {
    let listed = std::fs::read_dir(built().join("debug/deps")).expect("a directory").flatten();
    let binary = |path: &PathBuf| path.extension().is_none() && path.to_string_lossy().contains("/project-");
    listed.map(|entry| entry.path()).find(binary).expect("the test binary was built")
}
