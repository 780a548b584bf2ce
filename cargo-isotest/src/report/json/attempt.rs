//! What is told of one attempt?

use isotest::runner::{Destination, Destinations, Failure, LeftFiles, LeftOver, Outcome, Process, Report, Tried};
use serde_json::{Value, json};

use crate::capture::Capture;
use crate::event::{Attempt, Case};
use crate::report::STORED;
use crate::report::cause::Cause;
use crate::report::moment::Moment;

/// All that is known of it.
pub(super) fn document(case: Case<'_, '_>, attempt: &mut Attempt) -> Value {
    let mut document = json!({
        "attempt": attempt.number,
        "outcome": outcome(&attempt.outcome),
        "started-at": Moment(attempt.started_at).to_string(),
        "duration": attempt.took.as_secs_f64(),
        "slow": attempt.slow,
    });
    if !attempt.outcome.passed() {
        document["cause"] = cause(&Cause::of(case, attempt));
    }
    if !attempt.beside.is_empty() {
        document["notes"] = attempt.beside.iter().map(|note| note.text.as_str()).collect();
    }
    if let Some(report) = &attempt.report {
        add_report(report, &mut document);
    }
    document["stdout"] = output(&mut attempt.stdout);
    document["stderr"] = output(&mut attempt.stderr);
    document
}

fn outcome(outcome: &Outcome) -> Value {
    let refused = |kind: &str, failure: &Failure| json!({ "kind": kind, "step": failure.step, "errno": failure.errno });
    match outcome {
        Outcome::Passed => json!({ "kind": "passed" }),
        Outcome::ExitedEarly(status) => json!({ "kind": "exited-early", "exit-status": status }),
        Outcome::Signalled(number) => {
            let name = nix::sys::signal::Signal::try_from(*number).ok().map(nix::sys::signal::Signal::as_str);
            json!({ "kind": "signalled", "signal": number, "signal-name": name })
        }
        Outcome::TimedOut => json!({ "kind": "timed-out" }),
        Outcome::Stopped => json!({ "kind": "stopped-itself" }),
        Outcome::Leaked => json!({ "kind": "leaked" }),
        Outcome::TriedToLeave => json!({ "kind": "tried-to-leave" }),
        Outcome::SetupFailed(failure) => refused("setup-failed", failure),
        Outcome::Skipped(failure) => refused("not-isolated", failure),
        Outcome::Killed => json!({ "kind": "killed" }),
        Outcome::ServerKilled => json!({ "kind": "server-killed" }),
        _ => json!({ "kind": "failed" }),
    }
}

fn cause(cause: &Cause) -> Value {
    let mut document = json!({ "headline": cause.headline, "message": cause.message });
    if let Some(place) = &cause.place {
        document["file"] = place.file.as_str().into();
        document["line"] = place.line.into();
        document["column"] = place.column.into();
    }
    document
}

/// What init saw.
fn add_report(report: &Report, document: &mut Value) {
    document["isolation"] = json!({
        "namespaces": report.isolation.namespaces,
        "real-root": report.isolation.real_root,
    });
    document["usage"] = json!({
        "user-time": report.usage.user.as_secs_f64(),
        "system-time": report.usage.system.as_secs_f64(),
        "peak-memory": report.usage.peak_memory,
    });
    document["egress"] = report.egress.into();
    if !report.destinations.told.is_empty() {
        document["destinations"] = destinations(&report.destinations);
    }
    document["leaks"] = json!({
        "processes": processes(&report.left_over),
        "files": files(&report.files),
    });
}

fn destinations(tried: &Destinations) -> Value {
    let one = |Tried { to, from, attempts }: &Tried| {
        let mut one = match to {
            Destination::Name(name) => json!({ "name": name, "attempts": attempts }),
            Destination::Address { protocol, address, port } => {
                json!({ "protocol": protocol, "address": address, "port": port, "attempts": attempts })
            }
        };
        if let Some(host) = from {
            one["host"] = host.as_str().into();
        }
        one
    };
    let first: Vec<Value> = tried.told.iter().map(one).collect();
    json!({ "count": tried.told.len() + tried.left_out, "first": first })
}

fn processes(left: &LeftOver) -> Value {
    let named: Vec<Value> = left.processes.iter().map(process).collect();
    json!({ "count": left.count, "first": named })
}

fn process(process: &Process) -> Value {
    json!({
        "pid": process.pid,
        "argv": process.argv,
        "age": process.age.as_secs_f64(),
        "ports": process.ports.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn files(left: &LeftFiles) -> Value {
    json!({ "count": left.count, "first": left.paths })
}

/// A part of it, and how much of it there was.
fn output(capture: &mut Capture) -> Value {
    let length = capture.length();
    match capture.excerpt(STORED) {
        Ok(excerpt) => json!({
            "bytes": length,
            "cut": excerpt.cut,
            "utf-8": std::str::from_utf8(&excerpt.bytes).is_ok(),
            "text": String::from_utf8_lossy(&excerpt.bytes),
        }),
        Err(error) => json!({ "bytes": length, "error": error.to_string() }),
    }
}
