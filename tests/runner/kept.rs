//! A binary is asked for its tests once, as long as it stays the same.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use isotest_tests::{Ended, cargo_isotest, clean};
use tempfile::TempDir;

/// A crate with libtest as harness of one binary, and a harness of its own, which reads its tests from a file.
struct Crate {
    place: TempDir,
}

const OWN_HARNESS: &str = r#"
fn main() {
    let names = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/names")).expect("it is there");
    if std::env::args().any(|argument| argument == "--list") && !std::env::args().any(|argument| argument == "--ignored") {
        names.lines().for_each(|name| println!("{name}: test"));
    }
}
"#;

impl Crate {
    fn new() -> Crate {
        let it = Crate { place: tempfile::tempdir().expect("a directory can be made") };
        it.write(
            "Cargo.toml",
            "[package]\nname = \"kept\"\nedition = \"2024\"\n[lib]\ntest = false\n[[test]]\nname = \"own\"\nharness = false\n[workspace]\n",
        );
        it.write("src/lib.rs", "");
        it.write("tests/usual.rs", "#[test] fn first() {}\n#[test] #[ignore] fn second() {}\n");
        it.write("tests/own.rs", OWN_HARNESS);
        it.write("names", "of_its_own\n");
        it
    }

    fn path(&self) -> &Path {
        self.place.path()
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().expect("there is one")).expect("it can be made");
        fs::write(path, text).expect("it can be written");
    }

    fn isotest(&self, arguments: &[&str]) -> Ended {
        let mut command = clean(Command::new(cargo_isotest()));
        command
            .arg("isotest")
            .args(arguments)
            .current_dir(self.path())
            .env("CARGO_TARGET_DIR", self.path().join("target"));
        Ended::of(&mut command).with(0)
    }

    /// The ids and names of all its tests.
    fn tests(&self) -> Vec<String> {
        let listed = self.isotest(&["list", "--tests", "--run-ignored", "all"]);
        listed.tests().into_iter().map(str::to_owned).collect()
    }

    /// Lists them until an answer with this word in it is kept: what was built just now might change again without a trace.
    fn list_until_kept(&self, word: &str) {
        let is_kept = || {
            self.tests();
            self.kept().iter().any(|kept| fs::read_to_string(kept).expect("it can be read").contains(word))
        };
        assert!((0..1000).any(|_| is_kept()), "{word}");
    }

    fn kept(&self) -> Vec<PathBuf> {
        let Ok(files) = fs::read_dir(self.path().join("target/isotest/lists")) else { return Vec::new() };
        files.map(|file| file.expect("it can be read").path()).collect()
    }
}

const ALL: [&str; 3] = ["kept::own of_its_own", "kept::usual first", "kept::usual second"];

#[test]
fn a_binary_of_libtest_is_asked_once_until_it_is_built_anew() {
    let it = Crate::new();
    assert_eq!(it.tests(), ALL);
    it.list_until_kept("first");
    let [kept] = &it.kept()[..] else { panic!("{:?}: one is libtest's", it.kept()) };
    assert_eq!(it.tests(), ALL);
    // That it is not asked shows in what nobody would answer.
    let told = fs::read_to_string(kept).expect("it can be read");
    fs::write(kept, told.replace("first", "other")).expect("it can be written");
    it.write("names", "of_its_own\nand_one_more\n");
    let with_one_more = ["kept::own of_its_own", "kept::own and_one_more", "kept::usual other", "kept::usual second"];
    assert_eq!(it.tests(), with_one_more, "a harness of its own is asked every time");
    it.write("tests/usual.rs", "#[test] fn first() {}\n#[test] fn third() {}\n");
    it.write("names", "of_its_own\n");
    let anew = ["kept::own of_its_own", "kept::usual first", "kept::usual third"];
    assert_eq!(it.tests(), anew);
    it.list_until_kept("third");
    assert_eq!([it.tests(), it.tests()], [anew, anew].map(|names| names.map(str::to_owned).to_vec()));
    assert_eq!(it.kept().len(), 1);
    it.isotest(&["run", "--test", "usual"]).says(&["2 tests run: 2 passed"]);
}

#[test]
fn what_is_kept_and_can_t_be_read_is_asked_for_again() {
    let it = Crate::new();
    it.list_until_kept("first");
    let [kept] = &it.kept()[..] else { panic!("{:?}: one is libtest's", it.kept()) };
    let whole = fs::read_to_string(kept).expect("it can be read");
    for broken in
        ["", "{}\n", &whole[..whole.len() - 3], &format!("{whole}more: test\n"), &whole.replace("reader", "writer")]
    {
        fs::write(kept, broken).expect("it can be written");
        assert_eq!(it.tests(), ALL, "{broken}");
        assert_eq!(fs::read_to_string(kept).expect("it can be read"), whole);
    }
}
