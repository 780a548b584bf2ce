//! How are the results shown? As Markdown that is also readable in a terminal.

use crate::builds::Build;
use crate::crates::Suite;
use crate::measure::Measurement;
use crate::memory::Peaks;
use crate::rows::Row;
use crate::situations::{Contender, Situation};
use crate::targets::{MEMORY, Size, TARGETS, median, ratio, tests, word};

pub(crate) fn speed(measured: &[Measurement]) -> String {
    let mut lines = vec![cells(["tests", "run by", "seconds", "ms per test", "× floor", "× nextest", "target"])];
    for one in measured {
        let size = if tests(measured, Size::Small) == Some(one.tests) { Size::Small } else { Size::Big };
        let seconds = one.median();
        let against = |row| number(ratio(seconds, median(measured, (row, size))), 2);
        let verdicts: Vec<_> = TARGETS
            .iter()
            .filter(|target| target.of == (one.row, size))
            .map(|target| target.verdict(measured))
            .chain(Some(one.remark()).filter(|remark| !remark.is_empty()))
            .collect();
        lines.push(cells([
            &thousands(one.tests),
            one.row.label(),
            &number(seconds, 3),
            &number(seconds.map(|seconds| seconds * 1e3 / one.tests as f64), 3),
            &against(Row::Floor),
            &against(Row::Nextest),
            &verdicts.join("; "),
        ]));
    }
    aligned(lines)
}

pub(crate) fn memory(peaks: &Result<Peaks, String>, small: &Suite, big: &Suite) -> String {
    let peaks = match peaks {
        Ok(peaks) => peaks,
        Err(why) => return format!("\nPeak memory failed: {why}\n"),
    };
    let row = |name, some: u64, all: u64| {
        let growth = all as f64 / some as f64;
        cells([
            name,
            &mib(some),
            &mib(all),
            &format!("{growth:.2}"),
            &format!("≤ {MEMORY}: {}", word(Some(growth), MEMORY)),
        ])
    };
    let some = format!("MiB after {} of {}", thousands(small.tests), thousands(big.tests));
    let all = format!("MiB after all {}", thousands(big.tests));
    aligned(vec![
        cells(["peak memory of", &some, &all, "growth", "target"]),
        row("runner", peaks.some.runner, peaks.all.runner),
        row("fork server", peaks.some.server, peaks.all.server),
    ])
}

pub(crate) fn situations(situations: &[Situation]) -> String {
    let mut lines = vec![cells(["situation", "run by", "seconds", "beside", "seconds", "ratio", "target"])];
    for Situation { name, limit, ours, peer } in situations {
        let seconds = |contender: &Contender| match &contender.seconds {
            Ok(_) => number(contender.median(), 3),
            Err(why) => why.clone(),
        };
        let ratio = ratio(ours.median(), peer.median());
        lines.push(cells([
            name,
            ours.label,
            &seconds(ours),
            peer.label,
            &seconds(peer),
            &number(ratio, 2),
            &format!("≤ {limit}: {}", word(ratio, *limit)),
        ]));
    }
    aligned(lines)
}

pub(crate) fn builds(builds: &[Build]) -> String {
    let bare = builds.first().and_then(|none| none.result.as_ref().ok()?.median());
    let mut lines = vec![cells(["a one-test crate with", "clean build, seconds", "× none", "packages compiled"])];
    for build in builds {
        lines.push(match &build.result {
            Ok(built) => cells([
                build.name,
                &number(built.median(), 2),
                &number(ratio(built.median(), bare), 2),
                &built.crates().to_string(),
            ]),
            Err(why) => cells([build.name, &format!("failed: {why}"), "", ""]),
        });
    }
    aligned(lines)
}

/// One line of a table; a `|` in a message would end the cell.
fn cells<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.iter().map(|text| text.replace('|', "/")).collect()
}

/// A table whose first line is the head.
fn aligned(lines: Vec<Vec<String>>) -> String {
    let columns = lines.first().map_or(0, Vec::len);
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let drawn = |line: &[String]| {
        let padded = line.iter().zip(&widths).map(|(text, &width)| format!(" {text:<width$} "));
        format!("|{}|", padded.collect::<Vec<_>>().join("|"))
    };
    let rule: Vec<_> = widths.iter().map(|&width| "-".repeat(width)).collect();
    let mut table: Vec<_> = lines.iter().map(|line| drawn(line)).collect();
    table.insert(1, drawn(&rule));
    format!("\n{}\n", table.join("\n"))
}

fn number(value: Option<f64>, decimals: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.decimals$}"))
}

fn mib(kib: u64) -> String {
    format!("{:.1}", kib as f64 / 1024.0)
}

fn thousands(count: usize) -> String {
    if count < 1_000 { count.to_string() } else { format!("{},{:03}", count / 1_000, count % 1_000) }
}
