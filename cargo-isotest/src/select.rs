//! Which tests are selected, and why are the others not?
//!
//! As nextest decides: names and expressions must both agree, several expressions are alternatives, and the profile's
//! default filter holds on top of both unless it is ignored. A partition comes last, and is not decided here.

use nextest_filtering::CompiledExpr;

use crate::cli::RunIgnored;
use crate::config::Profile;
use crate::filterset::Candidate;

/// What was asked for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Selection {
    /// Parts of names, or whole ones where `exact` is set; none means all.
    pub(crate) names: Vec<String>,
    /// The same for what to leave out.
    pub(crate) skip: Vec<String>,
    /// Whether names are whole.
    pub(crate) exact: bool,
    /// What becomes of ignored tests.
    pub(crate) run_ignored: RunIgnored,
    /// Expressions, compiled; none means all.
    pub(crate) expressions: Vec<CompiledExpr>,
    /// Whether the profile's default filter holds: unless `--ignore-default-filter` was given.
    pub(crate) ignore_default_filter: bool,
}

/// Why a test is not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mismatch {
    /// It is ignored, or only ignored tests are run.
    Ignored,
    /// Its name is not one that was asked for.
    Name,
    /// No expression means it.
    Expression,
    /// The profile's default filter does not mean it.
    DefaultFilter,
    /// It is another machine's share.
    Partition,
}

impl Mismatch {
    /// nextest's word for it in machine-readable output.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Mismatch::Ignored => "ignored",
            Mismatch::Name => "string",
            Mismatch::Expression => "expression",
            Mismatch::DefaultFilter => "default-filter",
            Mismatch::Partition => "partition",
        }
    }
}

impl Selection {
    /// Why this test is left out, if it is.
    pub(crate) fn mismatch(&self, test: &Candidate<'_>, ignored: bool, profile: &Profile<'_>) -> Option<Mismatch> {
        let default = &profile.default_filter.value;
        if !self.wants_ignored(ignored) {
            Some(Mismatch::Ignored)
        } else if !self.wants_name(test.name()) {
            Some(Mismatch::Name)
        } else if !self.expressions.is_empty() && !self.expressions.iter().any(|one| profile.means(one, test)) {
            Some(Mismatch::Expression)
        } else if !self.ignore_default_filter && !profile.means(default, test) {
            Some(Mismatch::DefaultFilter)
        } else {
            None
        }
    }

    fn wants_ignored(&self, ignored: bool) -> bool {
        match self.run_ignored {
            RunIgnored::Default => !ignored,
            RunIgnored::Only => ignored,
            RunIgnored::All => true,
        }
    }

    fn wants_name(&self, name: &str) -> bool {
        let matches = |pattern: &String| if self.exact { name == pattern } else { name.contains(pattern.as_str()) };
        (self.names.is_empty() || self.names.iter().any(matches)) && !self.skip.iter().any(matches)
    }
}
