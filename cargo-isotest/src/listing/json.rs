//! The list for programs: nextest's document, with what each test asks for.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use crate::list::{Listed, Test};

/// How a document is laid out.
#[derive(Clone, Copy, Debug)]
pub(super) enum Layout {
    OnOneLine,
    Indented,
}

/// One document.
pub(super) fn write(listed: &Listed<'_>, layout: Layout, out: &mut dyn Write) -> io::Result<()> {
    let document = document(listed);
    match layout {
        Layout::OnOneLine => serde_json::to_writer(&mut *out, &document)?,
        Layout::Indented => serde_json::to_writer_pretty(&mut *out, &document)?,
    }
    writeln!(out)
}

fn document(listed: &Listed<'_>) -> Value {
    let mut suites = Map::new();
    for (at, ready) in listed.binaries.iter().enumerate() {
        let binary = &ready.binary;
        let mut cases = Map::new();
        for (tests, chosen) in [(&listed.tests, true), (&listed.skipped, false)] {
            cases.extend(
                tests.iter().filter(|test| test.binary == at).map(|test| (test.name.clone(), case(test, chosen))),
            );
        }
        let suite = json!({
            "package-name": binary.package,
            "binary-id": binary.id,
            "binary-name": binary.name,
            "package-id": binary.package_id,
            "kind": binary.kind,
            "binary-path": binary.executable,
            "build-platform": if binary.kind == "proc-macro" { "host" } else { "target" },
            "cwd": binary.directory,
            "status": "listed",
            "testcases": cases,
        });
        suites.insert(binary.id.clone(), suite);
    }
    json!({ "test-count": listed.tests.len() + listed.skipped.len(), "rust-suites": suites })
}

fn case(test: &Test, chosen: bool) -> Value {
    let matches =
        if chosen { json!({ "status": "matches" }) } else { json!({ "status": "mismatch", "reason": reason(test) }) };
    json!({
        "kind": "test",
        "ignored": test.ignored,
        "filter-match": matches,
        "isolated": test.wrapped,
        "spec": *test.spec,
    })
}

fn reason(test: &Test) -> &'static str {
    test.left_out.map_or("string", |reason| reason.word())
}
