//! What holds in this run, and what for this test?

use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use nextest_filtering::{CompiledExpr, GroupLookup, NameMatcher, TestQuery};

use super::Config;
use super::filter::{Filter, OnPlatform, Platforms};
use super::layer::{Layer, Source, Sourced, TestSettings};
use super::mistake::Mistakes;
use super::profile::{Override, RunLayer, ScriptRule, Written};
use super::scripts::Script;
use super::values::{ArchiveInclude, FinalStatusLevel, MaxFail, Terminate, Threads};
use crate::cli::StatusLevel;
use crate::filterset::{Candidate, Packages};

/// The profile of this run with all that it inherits, understood in this workspace.
#[derive(Debug)]
pub(crate) struct Profile<'c> {
    /// Its name.
    pub(crate) name: String,
    /// The test groups there are.
    pub(crate) groups: &'c [(String, Threads)],
    /// What holds for the run.
    pub(crate) run: RunSettings,
    /// What tests run unless others are asked for.
    pub(crate) default_filter: Sourced<CompiledExpr>,
    /// The same as it was written.
    pub(crate) default_filter_text: String,
    scripts: &'c [Script],
    platforms: Platforms,
    typed: Layer,
    overrides: Vec<(&'c Override, Option<CompiledExpr>)>,
    tests: Layer,
    rules: Vec<(&'c ScriptRule, Option<CompiledExpr>)>,
}

/// What holds for a run, each with who said so.
#[derive(Clone, Debug)]
pub(crate) struct RunSettings {
    /// How many tests run at once.
    pub(crate) test_threads: Sourced<Threads>,
    /// When it stops because of failures.
    pub(crate) fail_fast: Sourced<MaxFail>,
    /// After how long it ends whatever runs.
    pub(crate) global_timeout: Sourced<Option<Duration>>,
    /// For how long a binary is asked for its tests.
    pub(crate) list_timeout: Sourced<Duration>,
    /// Which results are shown as they come.
    pub(crate) status_level: Sourced<StatusLevel>,
    /// Which results the summary repeats.
    pub(crate) final_status_level: Sourced<FinalStatusLevel>,
    /// Where the JUnit report goes, from `target/isotest/PROFILE`.
    pub(crate) junit_path: Sourced<Option<String>>,
    /// What it is called.
    pub(crate) junit_report_name: Sourced<String>,
    /// What else an archive takes along.
    pub(crate) archive_include: Sourced<Vec<ArchiveInclude>>,
}

impl<'c> Profile<'c> {
    /// Understands the profile `name`; its existence has been checked.
    pub(super) fn understand(
        config: &'c Config,
        name: &str,
        packages: &Packages,
        platforms: Platforms,
        (typed_run, typed): (RunLayer, Layer),
    ) -> Result<Profile<'c>, Mistakes> {
        let mut mistakes = Vec::new();
        let mut compile = |filter: &Filter| filter.compile(packages, &mut mistakes);
        // All profiles, so that a mistake does not wait for the day on which its profile is chosen.
        for written in config.profiles.values() {
            written.filters().for_each(|filter| {
                compile(filter);
            });
        }
        let chain = super::chain(&config.profiles, name);
        let mut all = |filter: &Option<Filter>| filter.as_ref().and_then(&mut compile);
        let entries = chain.iter().flat_map(|written| &written.overrides);
        let overrides: Vec<_> = entries.map(|entry| (entry, all(&entry.filter))).collect();
        let rules = chain.iter().flat_map(|written| &written.scripts).map(|rule| (rule, all(&rule.filter))).collect();
        let run = chain.iter().fold(typed_run, |run, written| run.over(&written.run));
        let of_platform = overrides
            .iter()
            .find_map(|(entry, _)| entry.default_filter.as_ref().filter(|_| entry.platform.holds(&platforms, None)));
        let said = of_platform.or(run.default_filter.as_ref()).cloned();
        let default_filter_text =
            said.as_ref().map_or_else(|| "all()".to_owned(), |filter| filter.value.expression.text().to_owned());
        let default_filter = match said {
            Some(Sourced { value, source }) => {
                Sourced { value: all(&Some(value)).unwrap_or(CompiledExpr::ALL), source }
            }
            None => Sourced::built_in(CompiledExpr::ALL),
        };
        if !mistakes.is_empty() {
            return Err(config.mistakes(mistakes));
        }
        Ok(Profile {
            name: name.to_owned(),
            groups: &config.groups,
            run: settled(run),
            default_filter,
            default_filter_text,
            scripts: &config.scripts,
            platforms,
            typed,
            overrides,
            tests: chain.iter().fold(Layer::default(), |tests, written| tests.over(&written.tests)),
            rules,
        })
    }

    /// What holds for this test.
    pub(crate) fn settings_for(&self, test: &Candidate<'_>) -> TestSettings {
        let holding = self.overrides.iter().filter(|(entry, filter)| self.holds(&entry.platform, filter, test));
        let layer = holding.fold(self.typed.clone(), |layer, (entry, _)| layer.over(&entry.tests));
        layer.over(&self.tests).settled()
    }

    /// The setup scripts that this test needs, in the order in which they run.
    pub(crate) fn scripts_for(&self, test: &Candidate<'_>) -> impl Iterator<Item = &'c Script> {
        let holding = self.rules.iter().filter(|(rule, filter)| self.holds(&rule.platform, filter, test));
        let wanted: Vec<&str> = holding.flat_map(|(rule, _)| rule.setup.iter().map(String::as_str)).collect();
        self.scripts.iter().filter(move |script| wanted.contains(&script.name.as_str()))
    }

    /// All setup scripts, in the order in which they run.
    pub(crate) fn scripts(&self) -> &'c [Script] {
        self.scripts
    }

    /// What holds for a test that no override means.
    pub(crate) fn settings_of_the_others(&self) -> TestSettings {
        self.typed.clone().over(&self.tests).settled()
    }

    /// Whether a test that says nothing itself, and that no override means, has a sandbox.
    pub(crate) fn isolates_by_default(&self) -> bool {
        self.settings_of_the_others().spec.isolation().0
    }

    /// All overrides, strongest first: who each is, and which tests it means.
    pub(crate) fn overrides(&self) -> impl Iterator<Item = (&Source, &str)> {
        let text = |entry: &'c Override| entry.filter.as_ref().map_or("all()", |filter| filter.expression.text());
        self.overrides.iter().map(move |(entry, _)| (&entry.source, text(entry)))
    }

    /// Whether the default filter, or `expression`, means this test.
    pub(crate) fn means(&self, expression: &CompiledExpr, test: &Candidate<'_>) -> bool {
        test.is_in(expression, &self.default_filter.value, &InGroup { profile: self, test })
    }

    fn holds(&self, platform: &OnPlatform, filter: &Option<CompiledExpr>, test: &Candidate<'_>) -> bool {
        platform.holds(&self.platforms, Some(test.binary))
            && filter.as_ref().is_none_or(|filter| test.is_in(filter, &self.default_filter.value, &NoGroups))
    }
}

impl Written {
    /// All its expressions.
    pub(super) fn filters(&self) -> impl Iterator<Item = &Filter> {
        let of_overrides = self
            .overrides
            .iter()
            .flat_map(|entry| entry.filter.iter().chain(entry.default_filter.as_ref().map(|filter| &filter.value)));
        let of_scripts = self.scripts.iter().filter_map(|rule| rule.filter.as_ref());
        self.run.default_filter.iter().map(|filter| &filter.value).chain(of_overrides).chain(of_scripts)
    }
}

fn settled(run: RunLayer) -> RunSettings {
    fn or<T>(said: Option<Sourced<T>>, built_in: T) -> Sourced<T> {
        said.unwrap_or_else(|| Sourced::built_in(built_in))
    }
    fn some<T>(said: Option<Sourced<T>>) -> Sourced<Option<T>> {
        let some = |Sourced { value, source }| Sourced { value: Some(value), source };
        said.map_or(Sourced { value: None, source: Source::BuiltIn }, some)
    }
    RunSettings {
        test_threads: or(run.test_threads, Threads::NumCpus),
        fail_fast: or(run.fail_fast, MaxFail::Count(NonZeroUsize::MIN, Terminate::Wait)),
        global_timeout: some(run.global_timeout),
        list_timeout: or(run.list_timeout, Duration::from_secs(60)),
        status_level: or(run.status_level, StatusLevel::Pass),
        final_status_level: or(run.final_status_level, FinalStatusLevel::Flaky),
        junit_path: some(run.junit_path),
        junit_report_name: or(run.junit_report_name, "isotest-run".to_owned()),
        archive_include: or(run.archive_include, Vec::new()),
    }
}

/// Who is in which test group, for `group()` in what was typed.
struct InGroup<'p, 't> {
    profile: &'p Profile<'p>,
    test: &'t Candidate<'t>,
}

impl fmt::Debug for InGroup<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the test's group")
    }
}

impl GroupLookup for InGroup<'_, '_> {
    fn is_member_test(&self, _: &TestQuery<'_>, matcher: &NameMatcher) -> bool {
        let group = self.profile.settings_for(self.test).group.value;
        matcher.is_match(group.as_deref().unwrap_or("@global"))
    }
}

/// For expressions in the configuration: they cannot ask for groups, which they decide.
#[derive(Debug)]
struct NoGroups;

impl GroupLookup for NoGroups {
    fn is_member_test(&self, _: &TestQuery<'_>, _: &NameMatcher) -> bool {
        false
    }
}
