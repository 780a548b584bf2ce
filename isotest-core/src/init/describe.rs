//! What is to be said of a process that was left behind? Only looked at when there is one, so it may take its time.

use std::time::Duration;

use super::ports;
use super::stat::Stat;
use crate::report::{Process, cut};

/// Describes one; `None` if it has ended meanwhile.
pub(super) fn describe(process: u32) -> Option<Process> {
    let stat = Stat::read(&format!("{process}/stat"))?;
    Some(Process {
        pid: process.cast_signed(),
        argv: arguments(process).unwrap_or_else(|| vec![cut(stat.name.as_bytes())]),
        age: since_the_start().saturating_sub(stat.began),
        ports: ports::of(process),
    })
}

/// All its arguments. Who has just become another program has none for a moment, although who started it goes on already.
fn line(process: u32) -> Option<Vec<u8>> {
    const LOOKS: usize = 20;
    let look = || std::fs::read(format!("{process}/cmdline")).ok().filter(|line| !line.is_empty());
    let again = || {
        std::thread::sleep(Duration::from_millis(1));
        look()
    };
    look().or_else(|| (1..LOOKS).find_map(|_| again()))
}

/// Its arguments as far as they fit; `None` if it has none.
fn arguments(process: u32) -> Option<Vec<String>> {
    let line = line(process)?;
    let mut line = line.strip_suffix(b"\0").unwrap_or(&line);
    // A copy of the test that has become no other program has the arguments of init, which are no news to anybody.
    if std::fs::read("self/cmdline").is_ok_and(|own| own.strip_suffix(b"\0").unwrap_or(&own) == line) {
        line = line.split(|byte| *byte == 0).next().unwrap_or(line);
    }
    let mut room = Process::TEXT;
    let mut arguments = Vec::new();
    for argument in line.split(|byte| *byte == 0) {
        let argument = cut(&argument[..argument.len().min(room)]);
        room = room.saturating_sub(argument.len().max(1));
        arguments.push(argument);
        if room == 0 {
            break;
        }
    }
    Some(arguments)
}

/// How long the machine runs, on the clock of [`Stat::began`].
fn since_the_start() -> Duration {
    let uptime = std::fs::read_to_string("uptime").unwrap_or_default();
    let seconds = uptime.split_ascii_whitespace().next().and_then(|seconds| seconds.parse().ok());
    Duration::try_from_secs_f64(seconds.unwrap_or(0.0)).unwrap_or_default()
}
