//! How is one value written? Each function reads the value of one key, in all its forms.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use super::mistake::Mistake;
use super::reader::Value;
use super::values::{
    ArchiveInclude, Backoff, MaxFail, OnMissing, Retries, SlowTimeout, Terminate, Threads, ThreadsRequired, Verdict,
};

pub(super) fn priority(value: &Value<'_, '_>) -> Option<i8> {
    const EXPECTED: &str = "a whole number from -100 to 100";
    let priority: i8 = value.number(EXPECTED)?;
    if (-100..=100).contains(&priority) {
        Some(priority)
    } else {
        value.wrong(&format!("is {EXPECTED}"), "this is not")
    }
}

pub(super) fn some_text(value: &Value<'_, '_>) -> Option<String> {
    match value.string()? {
        "" => value.wrong("is a string that is not empty", "this is empty"),
        text => Some(text.to_owned()),
    }
}

pub(super) fn some_time(value: &Value<'_, '_>) -> Option<Duration> {
    let duration = value.duration()?;
    if duration.is_zero() { value.wrong("is more than no time", "this is none") } else { Some(duration) }
}

/// A number of threads, as in `test-threads` and `max-threads`.
pub(super) fn threads(value: &Value<'_, '_>) -> Option<Threads> {
    const EXPECTED: &str = "a number of threads, a negative one to leave CPUs free, or \"num-cpus\"";
    if let Some(text) = value.as_string() {
        return if text == "num-cpus" { Some(Threads::NumCpus) } else { value.not_one_of(text, ["num-cpus"]) };
    }
    let number: isize = value.number(EXPECTED)?;
    match NonZeroUsize::new(number.unsigned_abs()) {
        None => value.wrong(&format!("is {EXPECTED}"), "nothing would ever run"),
        Some(count) if number > 0 => Some(Threads::Count(count)),
        Some(less) => Some(Threads::LessThanCpus(less.get())),
    }
}

pub(super) fn threads_required(value: &Value<'_, '_>) -> Option<ThreadsRequired> {
    const EXPECTED: &str = "a number of threads from 1, \"num-cpus\" or \"num-test-threads\"";
    match value.as_string() {
        Some("num-cpus") => return Some(ThreadsRequired::NumCpus),
        Some("num-test-threads") => return Some(ThreadsRequired::NumTestThreads),
        Some(text) => return value.not_one_of(text, ["num-cpus", "num-test-threads"]),
        None => {}
    }
    let number: usize = value.number(EXPECTED)?;
    match NonZeroUsize::new(number) {
        Some(count) => Some(ThreadsRequired::Count(count)),
        None => value.wrong(&format!("is {EXPECTED}"), "a test needs at least one"),
    }
}

pub(super) fn fail_fast(value: &Value<'_, '_>) -> Option<MaxFail> {
    const EXPECTED: &str = "a number of failures from 1, or \"all\"";
    if !value.is_table() {
        let Some(fail_fast) = value.as_boolean() else {
            return value.wrong_type("`true`, `false` or { max-fail, terminate }");
        };
        return Some(if fail_fast { MaxFail::Count(NonZeroUsize::MIN, Terminate::Wait) } else { MaxFail::All });
    }
    let mut table = value.table()?;
    let terminate = table.read("terminate", Value::choice).unwrap_or_default();
    let max_fail = table.required("max-fail").and_then(|value| match value.as_string() {
        Some("all") => Some(MaxFail::All),
        Some(text) => value.not_one_of(text, ["all"]),
        None => match NonZeroUsize::new(value.number(EXPECTED)?) {
            Some(count) => Some(MaxFail::Count(count, terminate)),
            None => value.wrong(&format!("is {EXPECTED}"), "this is none"),
        },
    });
    table.finish(&[]);
    max_fail
}

pub(super) fn retries(value: &Value<'_, '_>) -> Option<Retries> {
    const COUNT: &str = "a number of retries";
    if !value.is_table() {
        if value.as_integer().is_none() {
            return value.wrong_type("a number, or { backoff, count, delay, .. }");
        }
        return value.number(COUNT).map(Retries::at_once);
    }
    let mut table = value.table()?;
    let backoff: Option<Backoff> = table.required("backoff").and_then(|value| value.choice());
    let count = table.required("count").and_then(|value| value.number(COUNT));
    let jitter = table.read("jitter", Value::boolean).unwrap_or_default();
    let delay = if backoff == Some(Backoff::Exponential) {
        table.required("delay").and_then(|value| some_time(&value))
    } else {
        table.read("delay", Value::duration).or(Some(Duration::ZERO))
    };
    let max_delay = table.read("max-delay", some_time);
    if let (Some(Backoff::Fixed), Some(at)) = (backoff, table.place_of("max-delay")) {
        table.file.note::<()>(Mistake::new(at, "a fixed delay does not grow: `max-delay` goes with \"exponential\""));
    }
    table.finish(&[]);
    Some(Retries { count: count?, backoff: backoff?, delay: delay?, max_delay, jitter })
}

/// When a test, or a setup script, is slow.
pub(super) fn slow_timeout(value: &Value<'_, '_>) -> Option<SlowTimeout> {
    const PERIODS: &str = "a number of periods from 1";
    if value.as_string().is_some() {
        return some_time(value).map(SlowTimeout::after);
    }
    if !value.is_table() {
        return value.wrong_type("a duration, as in \"1m 30s\", or { period, terminate-after, .. }");
    }
    let mut table = value.table()?;
    let period = table.required("period").and_then(|value| some_time(&value));
    let terminate_after = table.read("terminate-after", |value| match NonZeroU32::new(value.number(PERIODS)?) {
        None => value.wrong(&format!("is {PERIODS}"), "this is none"),
        some => some,
    });
    let grace_period = table.read("grace-period", Value::duration);
    let on_timeout: Option<Verdict> = table.read("on-timeout", Value::choice);
    table.finish(&[]);
    let default = SlowTimeout::after(period?);
    Some(SlowTimeout {
        terminate_after,
        grace_period: grace_period.unwrap_or(default.grace_period),
        on_timeout: on_timeout.unwrap_or(default.on_timeout),
        ..default
    })
}

pub(super) fn archive_include(value: &Value<'_, '_>) -> Option<ArchiveInclude> {
    const DEPTH: &str = "a number of directories, or \"infinite\"";
    let mut table = value.table()?;
    let path = table.required("path").and_then(|value| some_text(&value));
    if let Some(base) = table.required("relative-to")
        && let Some(text) = base.string()
        && text != "target"
    {
        base.not_one_of::<()>(text, ["target"]);
    }
    let depth = table.read("depth", |value| match value.as_string() {
        Some("infinite") => Some(None),
        Some(text) => value.not_one_of(text, ["infinite"]),
        None => value.number(DEPTH).map(Some),
    });
    let on_missing = table.read("on-missing", Value::choice).unwrap_or(OnMissing::Warn);
    table.finish(&[]);
    Some(ArchiveInclude { path: path?, depth: depth.unwrap_or(Some(16)), on_missing })
}
