//! What does one profile say?

use std::ops::Range;
use std::rc::Rc;
use std::time::Duration;

use super::elsewhere;
use super::filter::{Filter, OnPlatform};
use super::forms::{self, some_text};
use super::layer::{Layer, Source, Sourced};
use super::mistake::Mistake;
use super::reader::{Table, Value};
use super::scripts::Script;
use super::spec;
use super::values::{ArchiveInclude, FinalStatusLevel, MaxFail, Threads};
use crate::cli::StatusLevel;
use crate::filterset::Role;

/// What a profile says about the run as a whole.
#[derive(Clone, Debug, Default)]
pub(crate) struct RunLayer {
    /// `default-filter`
    pub(super) default_filter: Option<Sourced<Filter>>,
    /// `test-threads`
    pub(crate) test_threads: Option<Sourced<Threads>>,
    /// `fail-fast`
    pub(crate) fail_fast: Option<Sourced<MaxFail>>,
    /// `global-timeout`
    pub(crate) global_timeout: Option<Sourced<Duration>>,
    /// `list-timeout`
    pub(crate) list_timeout: Option<Sourced<Duration>>,
    /// `status-level`
    pub(crate) status_level: Option<Sourced<StatusLevel>>,
    /// `final-status-level`
    pub(crate) final_status_level: Option<Sourced<FinalStatusLevel>>,
    /// `junit.path`
    pub(crate) junit_path: Option<Sourced<String>>,
    /// `junit.report-name`
    pub(crate) junit_report_name: Option<Sourced<String>>,
    /// `archive.include`
    pub(crate) archive_include: Option<Sourced<Vec<ArchiveInclude>>>,
}

impl RunLayer {
    /// Takes from a weaker layer what this one does not say.
    pub(super) fn over(mut self, weaker: &RunLayer) -> RunLayer {
        fn fill<T: Clone>(stronger: &mut Option<T>, weaker: &Option<T>) {
            if stronger.is_none() {
                stronger.clone_from(weaker);
            }
        }
        fill(&mut self.default_filter, &weaker.default_filter);
        fill(&mut self.test_threads, &weaker.test_threads);
        fill(&mut self.fail_fast, &weaker.fail_fast);
        fill(&mut self.global_timeout, &weaker.global_timeout);
        fill(&mut self.list_timeout, &weaker.list_timeout);
        fill(&mut self.status_level, &weaker.status_level);
        fill(&mut self.final_status_level, &weaker.final_status_level);
        fill(&mut self.junit_path, &weaker.junit_path);
        fill(&mut self.junit_report_name, &weaker.junit_report_name);
        fill(&mut self.archive_include, &weaker.archive_include);
        self
    }
}

/// A profile as it stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Written {
    pub(super) inherits: Option<(Range<usize>, String)>,
    pub(super) run: RunLayer,
    pub(super) tests: Layer,
    pub(super) overrides: Vec<Override>,
    pub(super) scripts: Vec<ScriptRule>,
    /// Where its `spec` stands.
    pub(super) spec: Option<Range<usize>>,
}

/// An entry of `overrides`.
#[derive(Clone, Debug)]
pub(super) struct Override {
    pub(super) source: Source,
    pub(super) filter: Option<Filter>,
    pub(super) platform: OnPlatform,
    pub(super) tests: Layer,
    pub(super) default_filter: Option<Sourced<Filter>>,
}

/// An entry of `scripts`.
#[derive(Clone, Debug)]
pub(super) struct ScriptRule {
    pub(super) filter: Option<Filter>,
    pub(super) platform: OnPlatform,
    pub(super) setup: Vec<String>,
}

/// The names that a profile may refer to.
pub(super) struct Names<'n> {
    pub(super) groups: Vec<&'n str>,
    pub(super) scripts: &'n [Script],
}

/// Reads `profile.NAME`.
pub(super) fn read(name: &str, mut table: Table<'_, '_>, names: &Names<'_>) -> Written {
    let name: Rc<str> = name.into();
    let source = |line| Source::Profile { name: Rc::clone(&name), line };
    let inherits = table.read("inherits", |value| Some((value.at(), value.string()?.to_owned())));
    if let Some((at, _)) = &inherits
        && &*name == "default"
    {
        let message = "the profile `default` inherits from nobody: the others inherit from it";
        table.file.note::<()>(Mistake::new(at.clone(), message));
    }
    let mut run = RunLayer {
        default_filter: said(&mut table, "default-filter", &source, |value| Filter::read(value, Role::DefaultFilter)),
        test_threads: said(&mut table, "test-threads", &source, forms::threads),
        fail_fast: said(&mut table, "fail-fast", &source, forms::fail_fast),
        global_timeout: said(&mut table, "global-timeout", &source, forms::some_time),
        list_timeout: said(&mut table, "list-timeout", &source, forms::some_time),
        status_level: said(&mut table, "status-level", &source, Value::choice),
        final_status_level: said(&mut table, "final-status-level", &source, Value::choice),
        ..RunLayer::default()
    };
    let mut tests = tests(&mut table, &source);
    if let Some(mut junit) = table.read("junit", Value::table) {
        run.junit_path = said(&mut junit, "path", &source, some_text);
        run.junit_report_name = said(&mut junit, "report-name", &source, some_text);
        self::junit(junit, &mut tests, &source);
    }
    if let Some(mut archive) = table.read("archive", Value::table) {
        run.archive_include = said(&mut archive, "include", &source, |value| {
            Some(value.array()?.iter().filter_map(forms::archive_include).collect())
        });
        archive.finish(&[]);
    }
    let overrides = entries(&mut table, "overrides", |number, table| {
        let (profile, line) = (Rc::clone(&name), table.file.line(table.at.start));
        override_(Source::Override { profile, number, line }, table, names)
    });
    let scripts = entries(&mut table, "scripts", |_, table| script_rule(table, names));
    let spec = table.place_of("spec");
    table.finish(elsewhere::IN_A_PROFILE);
    Written { spec, inherits, run, tests, overrides, scripts }
}

/// What a key says, with who said so.
fn said<'f, 't, T>(
    table: &mut Table<'f, 't>,
    key: &'static str,
    source: &dyn Fn(usize) -> Source,
    read: impl FnOnce(&Value<'f, 't>) -> Option<T>,
) -> Option<Sourced<T>> {
    table.read(key, |value| Some(Sourced { value: read(value)?, source: source(value.line()) }))
}

/// What `read` makes of each table of an array, which are counted from 1.
fn entries<'f, 't, T>(
    table: &mut Table<'f, 't>,
    key: &'static str,
    read: impl Fn(usize, Table<'f, 't>) -> T,
) -> Vec<T> {
    let elements = table.read(key, Value::array).unwrap_or_default();
    let tables = elements.iter().enumerate().filter_map(|(at, element)| Some((at + 1, element.table()?)));
    tables.map(|(number, table)| read(number, table)).collect()
}

/// The keys that profiles and overrides have in common.
fn tests(table: &mut Table<'_, '_>, source: &dyn Fn(usize) -> Source) -> Layer {
    Layer {
        retries: said(table, "retries", source, forms::retries),
        flaky_result: said(table, "flaky-result", source, Value::choice),
        slow_timeout: said(table, "slow-timeout", source, forms::slow_timeout),
        threads_required: said(table, "threads-required", source, forms::threads_required),
        success_output: said(table, "success-output", source, Value::choice),
        failure_output: said(table, "failure-output", source, Value::choice),
        spec: table.read("spec", Value::table).map(|table| spec::read(table, source)).unwrap_or_default(),
        ..Layer::default()
    }
}

fn junit(mut table: Table<'_, '_>, tests: &mut Layer, source: &dyn Fn(usize) -> Source) {
    tests.junit_store_success_output = said(&mut table, "store-success-output", source, Value::boolean);
    tests.junit_store_failure_output = said(&mut table, "store-failure-output", source, Value::boolean);
    tests.junit_flaky_fail_status = said(&mut table, "flaky-fail-status", source, Value::choice);
    tests.junit_report_skipped = said(&mut table, "report-skipped", source, Value::choice);
    table.finish(&[]);
}

fn override_(source: Source, mut table: Table<'_, '_>, names: &Names<'_>) -> Override {
    let by = |_| source.clone();
    let (filter, platform, conditional) = condition(&mut table);
    let mut tests = tests(&mut table, &by);
    tests.priority = said(&mut table, "priority", &by, forms::priority);
    tests.group = said(&mut table, "test-group", &by, |value| group(value, names));
    if let Some(table) = table.read("junit", Value::table) {
        junit(table, &mut tests, &by);
    }
    let default_filter = said(&mut table, "default-filter", &by, |value| Filter::read(value, Role::DefaultFilter));
    if let Some(at) = table.place_of("default-filter")
        && (table.place_of("filter").is_some() || table.place_of("platform").is_none())
    {
        let message = "an override's `default-filter` holds for a `platform`, and goes without a `filter`";
        table.file.note::<()>(Mistake::new(at, message));
    }
    must_have_condition(&table, conditional);
    table.finish(elsewhere::IN_AN_OVERRIDE);
    Override { source, filter, platform, tests, default_filter }
}

fn script_rule(mut table: Table<'_, '_>, names: &Names<'_>) -> ScriptRule {
    let (filter, platform, conditional) = condition(&mut table);
    let setup = table.required("setup").and_then(|value| {
        let scripts = value.strings()?;
        let known: Vec<&str> = names.scripts.iter().map(|script| script.name.as_str()).collect();
        for name in scripts.iter().filter(|name| !known.contains(&name.as_str())) {
            let mistake = Mistake::new(value.at(), format!("there is no setup script `{name}`"));
            let mistake = mistake.help(format!("a setup script is written as [scripts.setup.{name}]"));
            value.file.note::<()>(mistake.guess(name, known.iter().copied()));
        }
        Some(scripts)
    });
    must_have_condition(&table, conditional);
    table.finish(elsewhere::IN_A_SCRIPT_RULE);
    ScriptRule { filter, platform, setup: setup.unwrap_or_default() }
}

/// `filter` and `platform`, and whether one of them is there.
fn condition(table: &mut Table<'_, '_>) -> (Option<Filter>, OnPlatform, bool) {
    let filter = table.read("filter", |value| Filter::read(value, Role::Filter));
    let platform = table.read("platform", OnPlatform::read).unwrap_or_default();
    (filter, platform, table.place_of("filter").is_some() || table.place_of("platform").is_some())
}

fn must_have_condition(table: &Table<'_, '_>, has: bool) {
    if !has {
        let message = format!("`{}` says neither `filter` nor `platform`", table.name);
        let mistake = Mistake::new(table.at.clone(), message).label("for which tests?");
        table.file.note::<()>(mistake.help("for all tests, write it into the profile itself, or `filter = \"all()\"`"));
    }
}

fn group(value: &Value<'_, '_>, names: &Names<'_>) -> Option<Option<Rc<str>>> {
    let name = value.string()?;
    if name == "@global" {
        return Some(None);
    }
    if names.groups.contains(&name) {
        return Some(Some(name.into()));
    }
    let mistake = Mistake::new(value.at(), format!("there is no test group `{name}`"));
    let mistake = mistake.guess(name, names.groups.iter().copied().chain(["@global"]));
    value.file.note(mistake.help(format!("a test group is written as [test-groups.{name}], with max-threads")))
}
