//! What does `/proc/PID/stat` say of a process or thread, `proc_pid_stat(5)`?

use std::time::Duration;

/// The fields that matter here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stat {
    /// Its short name.
    pub(super) name: String,
    state: u8,
    flags: u64,
    /// How many threads its process has.
    pub(super) threads: u64,
    /// When it began, counted from the start of the machine.
    pub(super) began: Duration,
    pending: u64,
    exit_code: i32,
}

/// Ticks of these numbers in a second, `USER_HZ` of asm/param.h, on every processor that Rust runs Linux on.
const TICKS: u64 = 100;

impl Stat {
    /// Reads such a file; `None` if its process is gone.
    pub(super) fn read(path: &str) -> Option<Stat> {
        Stat::parse(&std::fs::read(path).ok()?)
    }

    fn parse(stat: &[u8]) -> Option<Stat> {
        // The second field is a name in parentheses, which may contain anything.
        let (begins, ends) =
            (stat.iter().position(|byte| *byte == b'(')?, stat.iter().rposition(|byte| *byte == b')')?);
        let after = std::str::from_utf8(stat.get(ends + 1..)?).ok()?;
        let fields: Vec<&str> = after.split_ascii_whitespace().collect();
        // Numbered as in the man page, where the state is the third.
        let field = |number: usize| fields.get(number - 3).copied().unwrap_or("0");
        let ticks: u64 = field(22).parse().ok()?;
        Some(Stat {
            name: String::from_utf8_lossy(stat.get(begins + 1..ends)?).into_owned(),
            state: *field(3).as_bytes().first()?,
            flags: field(9).parse().ok()?,
            threads: field(20).parse().ok()?,
            began: Duration::from_millis(ticks.saturating_mul(1000 / TICKS)),
            pending: field(31).parse().ok()?,
            exit_code: field(52).parse().unwrap_or(0),
        })
    }

    /// Whether it can run now: it is neither stopped nor traced nor ended.
    pub(super) fn runs(&self) -> bool {
        !b"TtZX".contains(&self.state)
    }

    /// Whether this thread has ended, or begun to, or will before it does anything else.
    pub(super) fn is_ending(&self) -> bool {
        /// `PF_EXITING` of linux/sched.h.
        const EXITING: u64 = 4;
        const KILLED: u64 = 1 << (libc::SIGKILL - 1);
        b"ZX".contains(&self.state) || self.flags & EXITING != 0 || self.pending & KILLED != 0
    }

    /// Whether its process is being ended by a signal. The kernel notes this when the signal is sent, so that it covers
    /// the moment in which the signal is no longer pending and the process has not begun to exit.
    pub(super) fn is_killed(&self) -> bool {
        let signal = self.exit_code & 0x7f;
        // The number of the signal that has stopped it stands in the same place.
        signal != 0 && ![libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU].contains(&signal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A process as the kernel shows it, with these fields changed.
    fn stat(changes: &[(usize, &str)]) -> Stat {
        let line = "7 (a) b) S 1 7 7 0 -1 4194560 94 0 0 0 1 2 0 0 20 0 3 0 1234 5529600 460 18446744073709551615 \
                    1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0";
        let (name, rest) = line.split_at(line.rfind(')').map_or(0, |at| at + 1));
        let mut fields: Vec<&str> = rest.split_whitespace().collect();
        for (number, value) in changes {
            fields[number - 3] = value;
        }
        Stat::parse(format!("{name} {}", fields.join(" ")).as_bytes()).expect("a whole line")
    }

    #[test]
    fn a_name_may_contain_anything() {
        let stat = stat(&[]);
        assert_eq!((stat.name.as_str(), stat.threads, stat.began), ("a) b", 3, Duration::from_millis(12_340)));
        assert!(stat.runs() && !stat.is_ending() && !stat.is_killed());
    }

    #[test]
    fn who_has_begun_to_end_is_told_from_who_is_stopped() {
        assert!(stat(&[(3, "Z")]).is_ending());
        assert!(stat(&[(9, "4194564")]).is_ending(), "PF_EXITING");
        assert!(stat(&[(31, "256")]).is_ending(), "SIGKILL is pending");
        assert!(stat(&[(52, "9")]).is_killed());
        assert!(stat(&[(52, "139")]).is_killed(), "a crash that leaves a core file");
        let stopped = stat(&[(3, "T"), (52, "19")]);
        assert!(!stopped.is_ending() && !stopped.is_killed() && !stopped.runs());
        assert!(!stat(&[(31, "16384")]).is_ending(), "SIGTERM may be blocked");
    }

    #[test]
    fn what_is_no_such_line_says_nothing() {
        assert_eq!(Stat::parse(b""), None);
        assert_eq!(Stat::parse(b"7 (name"), None);
    }
}
