//! The repository's own Rust files.

use std::fs;
use std::path::Path;

use isotest_tests::root;

/// One file.
pub(crate) struct File {
    /// From the repository's root.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl File {
    /// Its lines with their numbers, without comments.
    pub(crate) fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.text.lines().enumerate().map(|(at, line)| (at + 1, line));
        lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
    }
}

/// A file's text.
pub(crate) fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// README and all pages under docs/, from the repository's root.
pub(crate) fn pages() -> Vec<String> {
    let mut pages = vec!["README.md".to_owned()];
    for entry in fs::read_dir(root().join("docs")).expect("a directory of the checkout").flatten() {
        let name = entry.file_name().into_string().expect("a name of text");
        pages.extend(name.ends_with(".md").then(|| format!("docs/{name}")));
    }
    assert!(pages.len() > 5, "these can't be all pages: {pages:?}");
    pages
}

/// All Rust files of the workspace.
pub(crate) fn files() -> Vec<File> {
    let mut files = Vec::new();
    for member in ["isotest-core", "isotest-macros", "cargo-isotest", "tests", "examples"] {
        collect(&root().join(member), &mut files);
    }
    assert!(files.len() > 50, "these can't be all files: {}", files.len());
    files
}

fn collect(directory: &Path, files: &mut Vec<File>) {
    for entry in fs::read_dir(directory).expect("a directory of the checkout").flatten() {
        let path = entry.path();
        if path.is_dir() && !path.ends_with("target") {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let from_root = path.strip_prefix(root()).expect("it is in the checkout").display().to_string();
            files.push(File { text: text(&from_root), path: from_root });
        }
    }
}

/// Whether the file belongs to a package that users get.
pub(crate) fn is_published(path: &str) -> bool {
    ["isotest-core/", "isotest-macros/", "cargo-isotest/"].iter().any(|package| path.starts_with(package))
}

/// Whether `text` lists `name` as in `prefix{a,b}`.
pub(crate) fn in_braces(text: &str, prefix: &str, name: &str) -> bool {
    let opening = format!("{prefix}{{");
    let lists = text.split(&opening).skip(1).filter_map(|rest| rest.split('}').next());
    lists.flat_map(|list| list.split(',')).any(|listed| listed == name)
}
