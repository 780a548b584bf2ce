//! Files: the directories where programs leave things that others find by name are a test's own.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use isotest::isotest;
use nix::errno::Errno;
use nix::mount::{MsFlags, mount};
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use crate::inside::{inside, mark};

const PRIVATE: [&str; 4] = ["/tmp", "/var/tmp", "/dev/shm", "/run"];

/// The size of each private directory, which all must be the same.
fn size_of_each() -> u64 {
    let sizes = PRIVATE.map(|directory| {
        let kind = statfs(directory).expect("it exists");
        assert_eq!(kind.filesystem_type(), TMPFS_MAGIC, "{directory}");
        kind.blocks() * kind.block_size().cast_unsigned()
    });
    assert_eq!(sizes, [sizes[0]; 4]);
    sizes[0]
}

#[isotest(tmp = "1M")]
fn each_private_directory_is_a_tmpfs_of_the_size_asked_for() {
    assert_eq!(size_of_each(), 1 << 20);
}

#[isotest]
fn the_size_is_256_mib_where_none_is_asked_for() {
    assert_eq!(size_of_each(), 256 << 20);
}

#[isotest]
fn other_directories_are_the_hosts() {
    assert_ne!(statfs("/usr").expect("it exists").filesystem_type(), TMPFS_MAGIC);
}

/// Writes 2 MiB.
fn fill(directory: &str) -> std::io::Result<()> {
    let mut file = File::create_new(Path::new(directory).join("large"))?;
    file.write_all(&vec![1; 2 << 20])
}

#[isotest(tmp = "1M", user = "root")]
fn beyond_the_size_asked_for_no_space_is_left() {
    for directory in PRIVATE {
        assert_eq!(fill(directory).expect_err("2 MiB in 1 MiB").kind(), ErrorKind::StorageFull, "{directory}");
    }
}

#[isotest(tmp = "3M", user = "root")]
fn below_the_size_asked_for_there_is_space() {
    for directory in PRIVATE {
        fill(directory).expect("2 MiB in 3 MiB");
    }
}

/// Copies a program there and runs it.
fn run_a_program_in(directory: &str) -> std::io::Result<()> {
    let copy = Path::new(directory).join("program");
    std::fs::copy("/bin/true", &copy)?;
    Command::new(copy).status().map(|status| assert!(status.success()))
}

#[isotest]
fn programs_run_in_private_directories() {
    for directory in ["/tmp", "/var/tmp", "/dev/shm"] {
        run_a_program_in(directory).expect("a private directory is not mounted noexec");
    }
}

#[isotest]
fn where_a_directory_is_mounted_noexec_programs_do_not_run() {
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::MS_NOEXEC, None::<&str>).expect("a test may mount");
    assert_eq!(run_a_program_in("/tmp").expect_err("noexec").kind(), ErrorKind::PermissionDenied);
}

#[isotest]
fn private_directories_are_empty_at_first() {
    for directory in PRIVATE {
        let strangers: Vec<PathBuf> =
            entries(directory).into_iter().filter(|entry| !leads_to_something_kept(entry)).collect();
        assert!(strangers.is_empty(), "{directory} has {strangers:?}");
    }
}

#[isotest]
fn what_a_test_writes_is_there_for_itself() {
    std::fs::write("/tmp/note", "").expect("/tmp is writable");
    assert!(entries("/tmp").contains(&"/tmp/note".into()));
}

fn entries(directory: &str) -> Vec<PathBuf> {
    std::fs::read_dir(directory).expect("a directory").map(|entry| entry.expect("an entry").path()).collect()
}

/// Whether this project, or a tool that it needs, is below `entry`.
fn leads_to_something_kept(entry: &Path) -> bool {
    let variables = ["PATH", "LD_LIBRARY_PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "CARGO_MANIFEST_DIR"];
    let lists = variables.into_iter().filter_map(std::env::var_os);
    let named = lists.flat_map(|list| std::env::split_paths(&list).collect::<Vec<_>>());
    let own = [std::env::current_exe(), std::env::current_dir()].into_iter().flatten();
    own.chain(named).any(|kept| kept.starts_with(entry))
}

fn make_a_file_that_must_be_new() {
    File::create_new("/tmp/of-one-test-only").expect("no other test's file is here");
}

#[isotest]
fn one_test_makes_a_file() {
    make_a_file_that_must_be_new();
}

#[isotest]
fn another_test_makes_the_same_file() {
    make_a_file_that_must_be_new();
}

#[test]
fn without_isolation_the_same_file_cannot_be_made_twice() {
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(mark());
    File::create_new(&file).expect("the name is new");
    let second = File::create_new(&file);
    std::fs::remove_file(&file).expect("it was made");
    assert_eq!(second.expect_err("it exists").kind(), ErrorKind::AlreadyExists);
}

#[test]
fn files_inside_are_invisible_outside() {
    let name = mark();
    let mut running = inside("files::writes_into_each_private_directory").told("MARK", &name).start();
    running.meet(1);
    for directory in PRIVATE {
        assert!(!Path::new(directory).join(&name).exists(), "{directory}");
    }
    running.let_go(1);
    running.passes();
}

#[test]
fn files_outside_are_invisible_inside() {
    let name = mark();
    let files: Vec<PathBuf> = PRIVATE.iter().map(|directory| Path::new(directory).join(&name)).collect();
    // An ordinary user may not write in /run, but in the others.
    let made: Vec<&PathBuf> = files.iter().filter(|file| std::fs::write(file, "from outside").is_ok()).collect();
    assert!(made.len() >= 3, "{made:?}");
    let mut running = inside("files::writes_into_each_private_directory").told("MARK", &name).start();
    running.meet(1);
    for file in made {
        assert_eq!(std::fs::read(file).expect("it still exists"), b"from outside");
        std::fs::remove_file(file).expect("it was made");
    }
    running.let_go(1);
    running.passes();
}

#[test]
fn mounts_inside_are_invisible_outside() {
    let name = mark();
    let mut running = inside("files::mounts").told("MARK", &name).start();
    running.meet(1);
    assert_eq!(std::fs::read_dir(running.meeting_place().join("mount")).expect("a directory").count(), 0);
    assert!(!std::fs::read_to_string("/proc/self/mounts").expect("a list").contains(&name));
    running.let_go(1);
    running.passes();
}

#[isotest]
fn a_mount_hides_what_was_there_for_the_test_itself() {
    std::fs::write("/tmp/hidden", "").expect("/tmp is writable");
    mount(Some("tmpfs"), "/tmp", Some("tmpfs"), MsFlags::empty(), None::<&str>).expect("a test may mount");
    assert_eq!(
        std::fs::metadata("/tmp/hidden").map(drop).map_err(|error| error.raw_os_error()),
        Err(Some(Errno::ENOENT as i32))
    );
}

#[isotest]
fn modes_of_private_directories_are_the_usual() {
    for (directory, mode) in [("/tmp", 0o1777), ("/var/tmp", 0o1777), ("/dev/shm", 0o1777), ("/run", 0o755)] {
        assert_eq!(std::fs::metadata(directory).expect("it exists").permissions().mode() & 0o7777, mode, "{directory}");
    }
}
