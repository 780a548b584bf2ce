//! How long does each row take, and did it really run the tests?
//!
//! Rows take turns, round after round, so that a busy moment of the machine hits all of them alike.

use std::process::{Command, Output};
use std::time::Instant;

use crate::crates::Suite;
use crate::options::Options;
use crate::programs::Programs;
use crate::rows::{ROWS, Row};

/// What shows that a run did what it is timed for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Proof {
    /// It succeeded, and that is all there is to know.
    ExitStatus,
    /// It prints the seconds it took and nothing else.
    OwnSeconds,
    /// libtest's `test result` lines, of as many test binaries as there are, add up to this many passed.
    Libtest(usize),
    /// The last line that counts passed tests counts this many.
    Summary(usize),
}

#[derive(Debug)]
enum Outcome {
    Seconds(Vec<f64>),
    Skipped(String),
    Failed(String),
}

/// What became of one row.
#[derive(Debug)]
pub(crate) struct Measurement {
    pub(crate) row: Row,
    pub(crate) tests: usize,
    outcome: Outcome,
}

impl Measurement {
    /// In seconds, if the row could be measured.
    pub(crate) fn median(&self) -> Option<f64> {
        match &self.outcome {
            Outcome::Seconds(seconds) => median(seconds),
            Outcome::Skipped(_) | Outcome::Failed(_) => None,
        }
    }

    /// A row that could not be run for want of a program has not failed.
    pub(crate) fn failed(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_))
    }

    /// Why there is no median.
    pub(crate) fn remark(&self) -> String {
        match &self.outcome {
            Outcome::Seconds(_) => String::new(),
            Outcome::Skipped(why) => format!("skipped: {why}"),
            Outcome::Failed(why) => format!("failed: {why}"),
        }
    }

    fn run(&mut self, suite: &Suite, options: &Options, programs: &Programs) -> Option<f64> {
        if !matches!(self.outcome, Outcome::Seconds(_)) {
            return None;
        }
        match self.row.command(suite, options, programs) {
            Err(missing) => self.outcome = Outcome::Skipped(missing),
            Ok((mut command, proof)) => match timed(&mut command, proof) {
                Err(why) => self.outcome = Outcome::Failed(why),
                Ok(seconds) => return Some(seconds),
            },
        }
        None
    }
}

/// Runs every row `rounds` times after one round that is not counted.
pub(crate) fn all_rows(suite: &Suite, rounds: usize, options: &Options, programs: &Programs) -> Vec<Measurement> {
    let new = |row| Measurement { row, tests: suite.tests, outcome: Outcome::Seconds(Vec::new()) };
    let mut measured: Vec<_> = ROWS.into_iter().map(new).collect();
    for round in 0..=rounds {
        eprintln!("suite: {} tests, round {round} of {rounds}", suite.tests);
        for place in 0..measured.len() {
            // To and fro, because the kernel takes namespaces down in its own time: what one row leaves behind the next
            // one pays for, and it should not always be the same one.
            let place = if round % 2 == 0 { place } else { measured.len() - 1 - place };
            let seconds = measured[place].run(suite, options, programs);
            if let (1.., Some(seconds), Outcome::Seconds(all)) = (round, seconds, &mut measured[place].outcome) {
                all.push(seconds);
            }
        }
    }
    measured
}

/// Seconds that one run took, once it has proved itself.
pub(crate) fn timed(command: &mut Command, proof: Proof) -> Result<f64, String> {
    let start = Instant::now();
    let output = command.output().map_err(|error| format!("starting {:?}: {error}", command.get_program()))?;
    let seconds = start.elapsed().as_secs_f64();
    check(&output, proof).map(|own| own.unwrap_or(seconds))
}

/// The seconds that the run itself reports, where it does.
pub(crate) fn check(output: &Output, proof: Proof) -> Result<Option<f64>, String> {
    if !output.status.success() {
        return Err(last_words(output));
    }
    let out = String::from_utf8_lossy(&output.stdout);
    let text = format!("{out}\n{}", String::from_utf8_lossy(&output.stderr));
    let (passed, wanted) = match proof {
        Proof::ExitStatus => return Ok(None),
        Proof::OwnSeconds => {
            return out.trim().parse().map(Some).map_err(|_| format!("`{}` is not a number of seconds", out.trim()));
        }
        Proof::Libtest(wanted) => {
            (text.lines().filter(|line| line.starts_with("test result: ok")).filter_map(passed).sum(), wanted)
        }
        Proof::Summary(wanted) => (text.lines().filter_map(passed).next_back().unwrap_or(0), wanted),
    };
    if passed == wanted { Ok(None) } else { Err(format!("{passed} tests passed, not {wanted}")) }
}

/// The number in front of the word `passed`.
fn passed(line: &str) -> Option<usize> {
    let words: Vec<_> = line.split_whitespace().collect();
    let at = words.iter().position(|word| word.trim_end_matches([',', ';', '.']) == "passed")?;
    words.get(at.checked_sub(1)?)?.replace([',', '_'], "").parse().ok()
}

/// The line that most likely says what went wrong.
pub(crate) fn last_words(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let error = err.lines().find(|line| line.starts_with("error"));
    let last = err.lines().chain(out.lines()).rfind(|line| !line.trim().is_empty());
    format!("{}, {}", output.status, error.or(last).unwrap_or("without a word").trim())
}

/// None of nothing.
pub(crate) fn median(seconds: &[f64]) -> Option<f64> {
    let mut sorted = seconds.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    match sorted.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(sorted[middle]),
        _ => Some((sorted[middle - 1] + sorted[middle]) / 2.0),
    }
}
