//! Is the Rust code in the lab's pages code that is compiled and run? Each block stands in an example or a test, line by line.

use crate::tree::{self, File};

/// The pages whose code is held against the examples; a page that does not exist yet is not asked for.
const PAGES: [&str; 5] = ["docs/lab.md", "docs/recipes.md", "docs/internet.md", "docs/seeing.md", "docs/egress.md"];

/// Where its code is: what connects a lab to the machine runs in a fixture, on a machine that is none.
const RUN: [&str; 3] = ["examples/tests/", "tests/lab/", "tests/fixtures/uplink/"];

/// The lines that are not blank, without indentation.
fn plain(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

/// The blocks of Rust in a page.
fn blocks(page: &str) -> Vec<Vec<&str>> {
    let after = page.split("```rust\n").skip(1);
    after.filter_map(|rest| rest.split("```").next()).map(plain).collect()
}

/// Whether the block's lines stand one after the other in the file.
fn stands_in(block: &[&str], file: &File) -> bool {
    plain(&file.text).windows(block.len()).any(|lines| lines == block)
}

#[test]
fn code_in_pages_is_code_that_runs() {
    let run = |file: &File| RUN.iter().any(|folder| file.path.starts_with(folder));
    let files: Vec<_> = tree::files().into_iter().filter(run).collect();
    let runs = |block: &[&str]| files.iter().any(|file| stands_in(block, file));
    assert!(!runs(&["let nobody = \"has written this\";"]));
    let mut found = 0;
    for page in tree::pages().iter().filter(|page| PAGES.contains(&page.as_str())) {
        let text = tree::text(page);
        for block in blocks(&text) {
            assert!(runs(&block), "{page}: in no example or test of the lab stands\n{}", block.join("\n"));
            found += 1;
        }
    }
    assert!(found > 10, "these can't be all: {found}");
}
