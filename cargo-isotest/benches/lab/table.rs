//! How are the results shown? As Markdown that is also readable in a terminal.

use crate::contenders::Times;

/// One contender, what it is held against, and what their ratio should be at most.
struct Comparison {
    what: &'static str,
    ours: &'static str,
    beside: &'static str,
    limit: Option<f64>,
}

const COMPARISONS: [Comparison; 8] = [
    Comparison { what: "two hosts and a link, up and down", ours: "lab", beside: "kernel", limit: Some(1.5) },
    Comparison { what: "the same, and both entered", ours: "entered", beside: "kernel", limit: None },
    Comparison { what: "two hosts at a router", ours: "lab router", beside: "patchbay router", limit: Some(0.05) },
    Comparison { what: "2 hosts at a switch", ours: "switch 2", beside: "kernel 2", limit: None },
    Comparison { what: "10 hosts at a switch", ours: "switch 10", beside: "kernel 10", limit: None },
    Comparison { what: "100 hosts at a switch", ours: "switch 100", beside: "kernel 100", limit: None },
    Comparison { what: "500 hosts at a switch", ours: "switch 500", beside: "kernel 500", limit: None },
    Comparison { what: "a host of 500, beside one of 10", ours: "switch 500", beside: "switch 10", limit: None },
];

pub(crate) fn render(times: &[Times]) -> String {
    let median = |name: &str| times.iter().find(|one| one.name == name).map(Times::median);
    let mut lines = vec![
        "| what | ms | beside | ms | ratio | target |".to_owned(),
        "| --- | --- | --- | --- | --- | --- |".to_owned(),
    ];
    for Comparison { what, ours, beside, limit } in &COMPARISONS {
        let (mine, theirs) = (median(ours), median(beside));
        let each = |value: Option<f64>, name: &str| value.map(|value| value / hosts(what, name));
        let ratio = each(mine, ours).zip(each(theirs, beside)).map(|(mine, theirs)| mine / theirs);
        let verdict = limit.map_or_else(String::new, |limit| {
            format!(
                "≤ {limit}: {}",
                ratio.map_or("not measured", |ratio| if ratio <= limit { "met" } else { "missed" })
            )
        });
        let (mine, theirs, ratio) =
            (shown(each(mine, ours), 1e-3), shown(each(theirs, beside), 1e-3), shown(ratio, 1.0));
        lines.push(format!("| {what} | {mine} | {beside} | {theirs} | {ratio} | {verdict} |"));
    }
    let compared = |name: &str| COMPARISONS.iter().any(|one| one.ours == name || one.beside == name);
    let others = times.iter().filter(|one| !compared(&one.name));
    let others: Vec<_> = others.map(|one| format!("| {} | {} |", one.name, shown(Some(one.median()), 1.0))).collect();
    if !others.is_empty() {
        lines.extend(["".to_owned(), "| measured | median |".to_owned(), "| --- | --- |".to_owned()]);
        lines.extend(others);
    }
    lines.join("\n") + "\n"
}

/// By how many hosts a time is shared: where hosts are compared.
fn hosts(what: &str, name: &str) -> f64 {
    if what.starts_with("a host of") {
        name.rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or(1.0)
    } else {
        1.0
    }
}

fn shown(value: Option<f64>, unit: f64) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{:.3}", value * unit))
}
