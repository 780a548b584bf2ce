//! Where does rustc keep the standard library? Needed by test binaries that are linked with `-C prefer-dynamic`.
//!
//! To ask rustc takes as long as cargo takes to find nothing to build, so what cargo has asked it already is read first: the file
//! in which cargo keeps the answers. Its form is cargo's own affair: whatever is not as expected there means that rustc is asked.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// `.rustc_info.json` of a target directory, as far as it is read.
#[derive(Deserialize)]
struct Answers {
    outputs: HashMap<String, Answer>,
}

#[derive(Deserialize)]
struct Answer {
    success: bool,
    stdout: String,
}

/// The directory with the libraries of `target` (of the host, where there is none) and that target's triple, if cargo knows.
pub(super) fn libraries(target_directory: &Path, target: Option<&str>) -> Option<(PathBuf, String)> {
    let text = std::fs::read_to_string(target_directory.join(".rustc_info.json")).ok()?;
    let (sysroot, host) = read(&text)?;
    let triple = target.map_or(host, str::to_owned);
    let libraries = sysroot.join("lib/rustlib").join(&triple).join("lib");
    libraries.is_dir().then_some((libraries, triple))
}

/// What cargo asks: `rustc -vV`, which names the host, and `rustc --print sysroot` among other things to print. Of two compilers
/// nobody knows which is meant.
fn read(text: &str) -> Option<(PathBuf, String)> {
    let answers: Answers = serde_json::from_str(text).ok()?;
    let lines = || answers.outputs.values().filter(|answer| answer.success).flat_map(|answer| answer.stdout.lines());
    let mut hosts: Vec<&str> = lines().filter_map(|line| line.strip_prefix("host: ")).collect();
    let mut sysroots: Vec<&Path> =
        lines().map(Path::new).filter(|line| line.is_absolute() && line.join("lib/rustlib").is_dir()).collect();
    hosts.dedup();
    sysroots.dedup();
    match (&hosts[..], &sysroots[..]) {
        ([host], [sysroot]) => Some(((*sysroot).to_owned(), (*host).to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    /// The answers of a compiler whose sysroot is there.
    fn answers(sysroot: &str, host: &str) -> String {
        serde_json::json!({ "rustc_fingerprint": 1, "successes": {}, "outputs": {
            "1": { "success": true, "status": "", "code": 0, "stderr": "",
                   "stdout": format!("___\nlib___.rlib\n{sysroot}\noff\n___\nunix\n") },
            "2": { "success": true, "status": "", "code": 0, "stderr": "",
                   "stdout": format!("rustc 1.95.0\nhost: {host}\nrelease: 1.95.0\n") },
        }})
        .to_string()
    }

    #[test]
    fn what_cargo_has_asked_is_understood() {
        let sysroot = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(sysroot.path().join("lib/rustlib")).expect("room");
        let text = answers(sysroot.path().to_str().expect("text"), "x86_64-unknown-linux-gnu");
        assert_eq!(read(&text), Some((sysroot.path().to_owned(), "x86_64-unknown-linux-gnu".to_owned())));
    }

    #[test]
    fn what_is_not_as_expected_means_that_nothing_is_known() {
        assert_eq!(read(&answers("/nowhere/at/all", "x86_64-unknown-linux-gnu")), None);
        for text in ["", "{}", "[]", r#"{"outputs":{}}"#, r#"{"outputs":{"1":{"success":false,"stdout":"host: a"}}}"#] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
