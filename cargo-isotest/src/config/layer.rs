//! What do the places that can say something about tests say, and which of them wins?
//!
//! A [`Layer`] is what one place says. Layers lie over one another, strongest first: command line, then (for the spec)
//! the test's attribute, the overrides that match, the profile, those it inherits from, and at last what is built in.

use std::fmt;
use std::num::NonZeroUsize;
use std::rc::Rc;
use std::time::Duration;

use super::spec::SpecPatch;
use super::values::{FlakyFailStatus, ReportSkipped, Retries, ShowOutput, SlowTimeout, ThreadsRequired, Verdict};

/// Who said so?
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// A flag.
    CommandLine,
    /// The test's own `#[isotest(..)]`.
    Attribute,
    /// An entry of a profile's `overrides`.
    Override {
        /// The profile's name.
        profile: Rc<str>,
        /// Its place among the profile's overrides, counted from 1.
        number: usize,
        /// Where it stands in the file.
        line: usize,
    },
    /// The profile.
    Profile {
        /// Its name.
        name: Rc<str>,
        /// Where it stands in the file.
        line: usize,
    },
    /// Nobody.
    BuiltIn,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::CommandLine => f.write_str("command line"),
            Source::Attribute => f.write_str("attribute"),
            Source::Override { profile, number, line } => {
                write!(f, "override #{number} of profile {profile}, line {line}")
            }
            Source::Profile { name, line } => write!(f, "profile {name}, line {line}"),
            Source::BuiltIn => f.write_str("built in"),
        }
    }
}

/// A value, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    /// What.
    pub(crate) value: T,
    /// Who.
    pub(crate) source: Source,
}

impl<T> Sourced<T> {
    /// Typed by the user.
    pub(crate) fn typed(value: T) -> Sourced<T> {
        Sourced { value, source: Source::CommandLine }
    }

    /// What holds unless somebody says otherwise.
    pub(crate) fn built_in(value: T) -> Sourced<T> {
        Sourced { value, source: Source::BuiltIn }
    }
}

/// What one place says about tests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layer {
    /// `spec`
    pub(crate) spec: SpecPatch,
    /// `retries`
    pub(crate) retries: Option<Sourced<Retries>>,
    /// `flaky-result`
    pub(crate) flaky_result: Option<Sourced<Verdict>>,
    /// `slow-timeout`
    pub(crate) slow_timeout: Option<Sourced<SlowTimeout>>,
    /// `threads-required`
    pub(crate) threads_required: Option<Sourced<ThreadsRequired>>,
    /// `test-group`; `None` inside is `@global`, the absence of a group.
    pub(crate) group: Option<Sourced<Option<Rc<str>>>>,
    /// `priority`
    pub(crate) priority: Option<Sourced<i8>>,
    /// `success-output`
    pub(crate) success_output: Option<Sourced<ShowOutput>>,
    /// `failure-output`
    pub(crate) failure_output: Option<Sourced<ShowOutput>>,
    /// `junit.store-success-output`
    pub(crate) junit_store_success_output: Option<Sourced<bool>>,
    /// `junit.store-failure-output`
    pub(crate) junit_store_failure_output: Option<Sourced<bool>>,
    /// `junit.flaky-fail-status`
    pub(crate) junit_flaky_fail_status: Option<Sourced<FlakyFailStatus>>,
    /// `junit.report-skipped`
    pub(crate) junit_report_skipped: Option<Sourced<ReportSkipped>>,
}

impl Layer {
    /// Takes from a weaker layer what this one does not say.
    pub(crate) fn over(mut self, weaker: &Layer) -> Layer {
        fn fill<T: Clone>(stronger: &mut Option<T>, weaker: &Option<T>) {
            if stronger.is_none() {
                stronger.clone_from(weaker);
            }
        }
        self.spec = self.spec.over(&weaker.spec);
        fill(&mut self.retries, &weaker.retries);
        fill(&mut self.flaky_result, &weaker.flaky_result);
        fill(&mut self.slow_timeout, &weaker.slow_timeout);
        fill(&mut self.threads_required, &weaker.threads_required);
        fill(&mut self.group, &weaker.group);
        fill(&mut self.priority, &weaker.priority);
        fill(&mut self.success_output, &weaker.success_output);
        fill(&mut self.failure_output, &weaker.failure_output);
        fill(&mut self.junit_store_success_output, &weaker.junit_store_success_output);
        fill(&mut self.junit_store_failure_output, &weaker.junit_store_failure_output);
        fill(&mut self.junit_flaky_fail_status, &weaker.junit_flaky_fail_status);
        fill(&mut self.junit_report_skipped, &weaker.junit_report_skipped);
        self
    }

    /// With what is built in where nothing is said.
    pub(crate) fn settled(self) -> TestSettings {
        fn or<T>(said: Option<Sourced<T>>, built_in: T) -> Sourced<T> {
            said.unwrap_or_else(|| Sourced::built_in(built_in))
        }
        TestSettings {
            spec: self.spec,
            retries: or(self.retries, Retries::default()),
            flaky_result: or(self.flaky_result, Verdict::Pass),
            slow_timeout: or(self.slow_timeout, SlowTimeout::after(Duration::from_secs(60))),
            threads_required: or(self.threads_required, ThreadsRequired::Count(NonZeroUsize::MIN)),
            group: or(self.group, None),
            priority: or(self.priority, 0),
            success_output: or(self.success_output, ShowOutput::Never),
            failure_output: or(self.failure_output, ShowOutput::Immediate),
            junit_store_success_output: or(self.junit_store_success_output, false),
            junit_store_failure_output: or(self.junit_store_failure_output, true),
            junit_flaky_fail_status: or(self.junit_flaky_fail_status, FlakyFailStatus::Failure),
            junit_report_skipped: or(self.junit_report_skipped, ReportSkipped::None),
        }
    }
}

/// What holds for one test, each with who said so. The fields are those of [`Layer`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TestSettings {
    pub(crate) spec: SpecPatch,
    pub(crate) retries: Sourced<Retries>,
    pub(crate) flaky_result: Sourced<Verdict>,
    pub(crate) slow_timeout: Sourced<SlowTimeout>,
    pub(crate) threads_required: Sourced<ThreadsRequired>,
    pub(crate) group: Sourced<Option<Rc<str>>>,
    pub(crate) priority: Sourced<i8>,
    pub(crate) success_output: Sourced<ShowOutput>,
    pub(crate) failure_output: Sourced<ShowOutput>,
    pub(crate) junit_store_success_output: Sourced<bool>,
    pub(crate) junit_store_failure_output: Sourced<bool>,
    pub(crate) junit_flaky_fail_status: Sourced<FlakyFailStatus>,
    pub(crate) junit_report_skipped: Sourced<ReportSkipped>,
}
