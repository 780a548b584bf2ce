//! What can't be used is refused with what, why, and a way out.

use std::fs;
use std::path::{Path, PathBuf};

use isotest::isotest;
use tar::{Builder, EntryType, Header};

use crate::elsewhere::{Ended, archive, checkout, place, runner};

/// What a run of this file says, for which it ends with 96.
#[track_caller]
fn refused(file: &Path, arguments: &[&str]) -> Ended {
    let ended = Ended::of(runner(&["run", "--archive-file"]).arg(file).args(arguments)).with(96);
    ended.says(&format!("error: cannot use the archive {}: ", file.display()));
    let listed = Ended::of(runner(&["list", "--archive-file"]).arg(file).args(arguments)).with(96);
    assert_eq!(listed.text(), ended.text());
    ended
}

/// A file with this in it.
fn written(bytes: &[u8]) -> PathBuf {
    let file = place("other.tar.zst");
    fs::write(&file, bytes).expect("/tmp is private");
    file
}

/// An archive that begins as `file` does, but for what `change` does to it, and has this entry beside.
fn forged(file: &Path, change: impl FnOnce(&mut serde_json::Value), entry: Option<(&str, EntryType)>) -> PathBuf {
    let mut archive = tar::Archive::new(zstd::Decoder::new(fs::File::open(file).expect("a file")).expect("zstd"));
    let first = archive.entries().expect("a tar file").next().expect("an entry").expect("a whole one");
    let mut contents: serde_json::Value = serde_json::from_reader(first).expect("JSON");
    change(&mut contents);
    let mut builder = Builder::new(zstd::Encoder::new(Vec::new(), 1).expect("memory"));
    let mut append = |name: &str, kind: EntryType, text: &[u8]| {
        let mut header = Header::new_gnu();
        // Not by `set_path`, which refuses the names that are wanted here.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(text.len() as u64);
        header.set_mode(0o644);
        if kind == EntryType::Symlink {
            header.set_link_name("/etc").expect("a short name");
        }
        header.set_cksum();
        builder.append(&header, text).expect("memory takes it");
    };
    append("isotest-archive.json", EntryType::Regular, contents.to_string().as_bytes());
    if let Some((name, kind)) = entry {
        append(name, kind, if kind == EntryType::Regular { b"text" } else { b"" });
    }
    written(&builder.into_inner().and_then(zstd::Encoder::finish).expect("memory takes it"))
}

#[isotest]
fn a_file_that_is_not_there_or_no_archive() {
    refused(&place("nowhere.tar.zst"), &[])
        .says("No such file or directory")
        .says("`cargo isotest archive` makes archives");
    for bytes in [&b""[..], b"\x28\xb5", b"#!/bin/sh\n", b"PK\x03\x04"] {
        refused(&written(bytes), &[]).says("it is not compressed by zstd, and so no archive");
    }
    let mut other = Builder::new(zstd::Encoder::new(Vec::new(), 1).expect("memory"));
    other.append_dir("target", "/tmp").expect("memory takes it");
    let other = other.into_inner().and_then(zstd::Encoder::finish).expect("memory takes it");
    refused(&written(&other), &[])
        .says("it begins with target instead of isotest-archive.json, so it was made by another");
}

#[isotest]
fn a_name_that_does_not_say_the_format() {
    let file = place("archive.zip");
    let says = "does not say which format the archive has: let it end in .tar.zst, or add --archive-format tar-zst";
    for command in ["run", "list", "archive"] {
        Ended::of(runner(&[command, "--archive-file"]).arg(&file)).with(2).says(says);
    }
    refused(&file, &["--archive-format", "tar-zst"]).says("No such file or directory");
}

#[isotest]
fn a_truncated_or_damaged_archive() {
    let whole = fs::read(archive(&["-p", "shared"])).expect("a file");
    // Everywhere: in the description, between entries, in one, before the checksum.
    for length in [10, 1000, whole.len() / 2, whole.len() - 1000, whole.len() - 4, whole.len() - 1] {
        let ended = refused(&written(&whole[..length]), &[]);
        ended.says("it is cut off or damaged (").says("): copy it again, or make it anew");
    }
    let mut damaged = whole.clone();
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x10;
    refused(&written(&damaged), &[]).says("it is cut off or damaged (");
    // The opposite: the whole one is none of that.
    Ended::of(runner(&["run", "--archive-file"]).arg(written(&whole))).with(0);
}

#[isotest]
fn an_archive_of_another_version_or_target() {
    let file = archive(&["-p", "shared"]);
    let later = |contents: &mut serde_json::Value| {
        *contents = serde_json::json!({ "version": 99, "made_by": "cargo-isotest 9.9.9", "news": [] });
    };
    let ended = refused(&forged(&file, later, None), &[]);
    ended.says("it has version 99, made by cargo-isotest 9.9.9, and this is cargo-isotest ");
    ended.says("which reads version 1: use the same cargo-isotest on both machines");
    let ended = refused(&forged(&file, |contents| contents["binaries"] = 1.into(), None), &[]);
    ended.says("its isotest-archive.json can't be read: ").says("make the archive anew");
    let elsewhere = |contents: &mut serde_json::Value| contents["target"] = "mips64-unknown-linux-gnuabi64".into();
    let ended = refused(&forged(&file, elsewhere, None), &[]);
    ended.says("its tests were built for mips64-unknown-linux-gnuabi64, and this is ");
    ended.says("target.mips64-unknown-linux-gnuabi64.runner in .cargo/config.toml");
}

#[isotest]
fn an_entry_that_would_leave_the_directory() {
    let file = archive(&["-p", "shared"]);
    for (name, kind) in [
        ("../escaped", EntryType::Regular),
        ("target/../../escaped", EntryType::Regular),
        ("/tmp/elsewhere/escaped", EntryType::Regular),
        ("escaped", EntryType::Regular),
        ("target/link", EntryType::Symlink),
        ("target/link", EntryType::Fifo),
    ] {
        let ended = refused(&forged(&file, |_| {}, Some((name, kind))), &["--extract-to", "to", "--extract-overwrite"]);
        ended.says(&format!("its entry {name} would leave the directory")).says("don't use it");
        for escaped in ["escaped", "to/escaped", "to/target/link"] {
            assert!(place(escaped).symlink_metadata().is_err(), "{name}: {escaped}");
        }
    }
}

#[isotest]
fn a_link_that_would_lead_out_of_the_directory() {
    let file = archive(&["-p", "shared"]);
    fs::create_dir_all(place("to")).and_then(|()| fs::create_dir_all(place("outside"))).expect("/tmp is private");
    std::os::unix::fs::symlink("../outside", place("to/target")).expect("/tmp is private");
    let ended = refused(&file, &["--extract-to", "to", "--extract-overwrite"]);
    ended.says("/to/target: it is a symbolic link, and what is extracted must stay in --extract-to: remove it");
    assert_eq!(fs::read_dir(place("outside")).expect("a directory").count(), 0);
}

#[isotest]
fn a_workspace_that_is_not_there_or_another() {
    let sources = checkout();
    let file = archive(&["--workspace"]);
    let remedy = "--workspace-remap DIR says where a checkout of the same revision lies";
    let ended = refused(&file, &["--workspace-remap", "/no/such"]);
    ended.says("its workspace is not at /no/such: No such file or directory").says(remedy);
    fs::remove_dir_all(sources.join("shared")).expect("/tmp is private");
    let ended = refused(&file, &["--workspace-remap", sources.to_str().expect("a path of text")]);
    ended.says(&format!("its package shared is not at {}/shared; ", sources.display())).says(remedy);
    let ended = refused(&file, &["--target-dir-remap", "/tmp"]);
    ended.says("is not at /tmp/debug/deps/").says("extract it anew, without --target-dir-remap");
}

#[isotest]
fn options_that_build_are_refused_beside_an_archive() {
    let flags = [&["-p", "shared"][..], &["--release"], &["--features", "a"], &["--target-dir", "x"], &["--no-run"]];
    for flags in flags {
        let mut names = vec!["--archive-file <PATH>"];
        names.push(match flags[0] {
            "-p" => "--package <SPEC>",
            "--features" => "--features <FEATURES>",
            "--target-dir" => "--target-dir <DIR>",
            flag => flag,
        });
        let ended = Ended::of(runner(&["run", "--archive-file", "x.tar.zst"]).args(flags)).with(2);
        names.iter().for_each(|name| _ = ended.says(name));
    }
    for flags in [&["--workspace-remap", "x"][..], &["--extract-to", "x"], &["--persist-extract-tempdir"]] {
        Ended::of(runner(&["run"]).args(flags)).with(2).says("--archive-file <PATH>");
    }
}

#[isotest]
fn what_is_to_be_included_and_is_not_there() {
    let pack = |include: &str| {
        let configuration = place("isotest.toml");
        let text = format!("[[profile.default.archive.include]]\nrelative-to = 'target'\n{include}\n");
        fs::write(&configuration, text).expect("/tmp is private");
        let mut command = crate::elsewhere::PACKED.cargo_isotest(&["archive", "-p", "shared", "--config-file"]);
        Ended::of(command.arg(configuration).arg("--archive-file").arg(place("x.tar.zst")))
    };
    pack("path = 'no/such'").with(0).says("warning: archive.include names ").says("/no/such, which is not there");
    let silent = pack("path = 'no/such'\non-missing = 'ignore'").with(0).text();
    assert!(!silent.contains("archive.include"), "{silent}");
    let ended = pack("path = 'no/such'\non-missing = 'error'").with(103);
    ended.says("error: cannot make the archive ").says("/no/such, which is not there");
    pack("path = '../outside'").with(103).says("names \"../outside\", which is not below the target directory");
}

#[isotest]
fn an_archive_that_can_t_be_written() {
    let mut command = crate::elsewhere::PACKED.cargo_isotest(&["archive", "-p", "shared"]);
    let ended = Ended::of(command.args(["--archive-file", "/proc/no/x.tar.zst"])).with(103);
    ended.says("error: cannot make the archive /proc/no/x.tar.zst: writing it: ");
}
