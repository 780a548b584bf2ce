//! How are settings shown? Each as a line of the configuration, with who said so: for `show-config` and `list -v`.

use std::time::Duration;

use clap::ValueEnum;

use super::chosen::{Profile, RunSettings};
use super::layer::{Source, Sourced, TestSettings};
use super::values::{ArchiveInclude, MaxFail, Retries, SlowTimeout, Terminate, Threads, ThreadsRequired};

/// One setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its key.
    pub(crate) key: String,
    /// Its value as TOML.
    pub(crate) value: String,
    /// Who said so.
    pub(crate) source: Source,
}

impl Profile<'_> {
    /// What holds for the run.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let RunSettings {
            test_threads,
            fail_fast,
            global_timeout,
            list_timeout,
            status_level,
            final_status_level,
            junit_path,
            junit_report_name,
            archive_include,
        } = &self.run;
        let filter = Sourced { value: &self.default_filter_text, source: self.default_filter.source.clone() };
        let mut rows = vec![
            row("default-filter", &filter, |text| quoted(text)),
            row("test-threads", test_threads, threads),
            row("fail-fast", fail_fast, max_fail),
            row("list-timeout", list_timeout, |time| duration(*time)),
            row("status-level", status_level, word),
            row("final-status-level", final_status_level, word),
            row("junit.report-name", junit_report_name, |text| quoted(text)),
        ];
        rows.extend(optional("global-timeout", global_timeout, |time| duration(*time)));
        rows.extend(optional("junit.path", junit_path, |text| quoted(text)));
        if !archive_include.value.is_empty() {
            rows.push(row("archive.include", archive_include, |paths| array(paths.iter().map(include))));
        }
        rows
    }
}

impl TestSettings {
    /// What holds for the test.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = vec![
            row("retries", &self.retries, retries),
            row("flaky-result", &self.flaky_result, word),
            row("slow-timeout", &self.slow_timeout, slow_timeout),
            row("threads-required", &self.threads_required, threads_required),
            row("test-group", &self.group, |group| quoted(group.as_deref().unwrap_or("@global"))),
            row("priority", &self.priority, ToString::to_string),
            row("success-output", &self.success_output, word),
            row("failure-output", &self.failure_output, word),
            row("junit.store-success-output", &self.junit_store_success_output, ToString::to_string),
            row("junit.store-failure-output", &self.junit_store_failure_output, ToString::to_string),
            row("junit.flaky-fail-status", &self.junit_flaky_fail_status, word),
            row("junit.report-skipped", &self.junit_report_skipped, word),
        ];
        let spec = self.spec.changes();
        rows.extend(spec.map(|(name, change)| row(&format!("spec.{name}"), change, ToString::to_string)));
        rows
    }
}

fn row<T>(key: &str, sourced: &Sourced<T>, show: impl FnOnce(&T) -> String) -> Row {
    Row { key: key.to_owned(), value: show(&sourced.value), source: sourced.source.clone() }
}

fn optional<T>(key: &str, sourced: &Sourced<Option<T>>, show: impl FnOnce(&T) -> String) -> Option<Row> {
    let value = show(sourced.value.as_ref()?);
    Some(Row { key: key.to_owned(), value, source: sourced.source.clone() })
}

fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

fn word<T: ValueEnum>(value: &T) -> String {
    quoted(value.to_possible_value().as_ref().map_or("", |value| value.get_name()))
}

fn array(elements: impl Iterator<Item = String>) -> String {
    format!("[{}]", elements.collect::<Vec<_>>().join(", "))
}

/// In units that the configuration can read: `{:?}` may have a point.
pub(super) fn duration(duration: Duration) -> String {
    const HOUR: u64 = 3600;
    let text = match (duration.as_secs(), duration.subsec_nanos()) {
        (seconds, 0) if seconds > 0 && seconds % HOUR == 0 => format!("{}h", seconds / HOUR),
        (seconds, 0) if seconds > 60 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        (seconds, 0) => format!("{seconds}s"),
        (_, nanoseconds) if nanoseconds % 1_000_000 == 0 => format!("{}ms", duration.as_millis()),
        _ => format!("{}ns", duration.as_nanos()),
    };
    quoted(&text)
}

/// As the configuration has it.
pub(crate) fn threads(threads: &Threads) -> String {
    match threads {
        Threads::Count(count) => count.to_string(),
        Threads::LessThanCpus(less) => format!("-{less}"),
        Threads::NumCpus => quoted("num-cpus"),
    }
}

fn threads_required(threads: &ThreadsRequired) -> String {
    match threads {
        ThreadsRequired::Count(count) => count.to_string(),
        ThreadsRequired::NumCpus => quoted("num-cpus"),
        ThreadsRequired::NumTestThreads => quoted("num-test-threads"),
    }
}

fn max_fail(max_fail: &MaxFail) -> String {
    match max_fail {
        MaxFail::All => "false".to_owned(),
        MaxFail::Count(count, Terminate::Wait) if count.get() == 1 => "true".to_owned(),
        MaxFail::Count(count, terminate) => format!("{{ max-fail = {count}, terminate = {} }}", word(terminate)),
    }
}

fn retries(retries: &Retries) -> String {
    if *retries == Retries::at_once(retries.count) {
        return retries.count.to_string();
    }
    let Retries { count, backoff, delay, max_delay, jitter } = retries;
    let longest = max_delay.map_or_else(String::new, |longest| format!(", max-delay = {}", duration(longest)));
    let delay = duration(*delay);
    format!("{{ backoff = {}, count = {count}, delay = {delay}{longest}, jitter = {jitter} }}", word(backoff))
}

fn slow_timeout(slow: &SlowTimeout) -> String {
    let period = duration(slow.period);
    let Some(periods) = slow.terminate_after else { return format!("{{ period = {period} }}") };
    let (grace, on_timeout) = (duration(slow.grace_period), word(&slow.on_timeout));
    format!("{{ period = {period}, terminate-after = {periods}, grace-period = {grace}, on-timeout = {on_timeout} }}")
}

fn include(include: &ArchiveInclude) -> String {
    let depth = include.depth.map_or_else(|| quoted("infinite"), |depth| depth.to_string());
    let (path, on_missing) = (quoted(&include.path), word(&include.on_missing));
    format!("{{ path = {path}, relative-to = \"target\", depth = {depth}, on-missing = {on_missing} }}")
}
