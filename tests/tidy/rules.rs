//! What may a file not do? Each rule says what is wrong with it.

use crate::tree::File;

/// Fixtures and mistakes are other people's code, and may do what that may.
fn is_ours(file: &File) -> bool {
    !file.path.contains("fixtures/") && !file.path.starts_with("tests/ui/mistakes/")
}

pub(crate) fn unsafe_outside(file: &File) -> Option<String> {
    let allowed =
        file.path.starts_with("isotest-core/src/sys/") || !is_ours(file) || file.path.starts_with("tests/tidy/");
    let line = file.code().find(|(_, line)| is_unsafe(line))?;
    (!allowed).then(|| format!("{}:{}: unsafe code outside of isotest-core/src/sys", file.path, line.0))
}

pub(crate) fn undocumented_unsafe(file: &File) -> Option<String> {
    if !is_ours(file) || file.path.starts_with("tests/tidy/") {
        return None;
    }
    let lines: Vec<_> = file.text.lines().collect();
    let (number, _) = file.code().find(|(number, line)| {
        let reason = lines[..*number - 1].iter().rev().take_while(|before| before.trim_start().starts_with("//"));
        is_unsafe(line) && line.contains("unsafe {") && !reason.into_iter().any(|line| line.contains("SAFETY:"))
    })?;
    Some(format!("{}:{number}: no SAFETY comment above", file.path))
}

fn is_unsafe(line: &str) -> bool {
    // Not in words about it, which are quoted.
    ["unsafe {", "unsafe fn", "unsafe impl"]
        .iter()
        .any(|what| line.contains(what) && !line.contains(&format!("`{what}")))
}

pub(crate) fn discards_silently(file: &File) -> Option<String> {
    if !is_ours(file) || file.path.starts_with("tests/tidy/") {
        return None;
    }
    let (number, _) = file.code().find(|(_, line)| line.trim_start().starts_with("let _ ="))?;
    Some(format!("{}:{number}: `let _ =` hides whether it failed", file.path))
}

pub(crate) fn long(file: &File) -> Option<String> {
    let lines = file.text.lines().count();
    (lines > 400).then(|| format!("{}: {lines} lines answer more than one question", file.path))
}

pub(crate) fn does_io(file: &File) -> Option<String> {
    const DECIDERS: [&str; 3] =
        ["isotest-core/src/plan.rs", "isotest-core/src/diagnose.rs", "cargo-isotest/src/schedule.rs"];
    if !DECIDERS.contains(&file.path.as_str()) {
        return None;
    }
    let does = ["std::fs", "std::process", "std::net", "std::env", "nix::unistd", "nix::mount", "crate::sys"];
    let (number, line) = file.code().find(|(_, line)| does.iter().any(|what| line.contains(what)))?;
    Some(format!("{}:{number}: what decides does no input or output: {line}", file.path))
}
