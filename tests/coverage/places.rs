//! Where profiles may lie: also below a directory that is private inside, and in one that nobody has made yet.

use std::path::Path;

use crate::counts;
use crate::runner::Runner;

#[test]
fn profiles_below_a_private_directory_are_not_swallowed() {
    for private in ["/tmp", "/dev/shm"] {
        let directory = tempfile::tempdir_in(private).expect("a new directory");
        counts_all(directory.path(), &directory.path().join("%p.profraw"));
    }
}

#[test]
fn a_directory_that_does_not_exist_yet_is_made_outside() {
    let directory = tempfile::tempdir_in("/tmp").expect("a new directory");
    let later = directory.path().join("made/later");
    counts_all(&later, &later.join("%p.profraw"));
    counts_all(&later, &later.join("%p-%16m.profraw"));
}

/// Without isotest a profile appears there: what is private inside must not hide it.
#[test]
fn profiles_may_lie_in_a_private_directory_itself() {
    let unique = std::process::id();
    for private in ["/tmp", "/dev/shm"] {
        for pattern in ["%p.profraw", "%p-%16m.profraw"] {
            for runner in [Runner::CargoTest, Runner::CargoIsotest] {
                let directory = tempfile::tempdir_in(private).expect("a new directory");
                let name = format!("isotest-{unique}-");
                runner.passes(Some(&Path::new(private).join(format!("{name}{pattern}"))));
                for entry in std::fs::read_dir(private).expect("it exists").flatten() {
                    if entry.file_name().to_string_lossy().starts_with(&name) {
                        std::fs::rename(entry.path(), directory.path().join(entry.file_name())).expect("it is ours");
                    }
                }
                assert_eq!(counts::in_directory(directory.path()), runner.expected(), "{runner:?} {private} {pattern}");
            }
        }
    }
}

fn counts_all(directory: &Path, pattern: &Path) {
    for runner in [Runner::CargoTest, Runner::CargoIsotest] {
        runner.passes(Some(pattern));
        assert_eq!(counts::in_directory(directory), runner.expected(), "{runner:?} with {}", pattern.display());
        std::fs::remove_dir_all(directory).expect("it is ours");
    }
}
