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

#[cfg(test)]
mod tests {
    use super::{Mismatch, Selection};
    use crate::cli::RunIgnored;
    use crate::config::{Config, Layer, Platforms, RunLayer};
    use crate::filterset::{BinaryFacts, Expression, Packages};

    /// Why these tests are left out where `slow` ones are, by default.
    fn mismatches<const N: usize>(selection: &Selection, tests: [(&str, bool); N]) -> [Option<&'static str>; N] {
        let text = "[profile.default]\ndefault-filter = \"not test(slow)\"\n".to_owned();
        let config = Config::parse("isotest.toml", text).unwrap_or_else(|wrong| panic!("{wrong}"));
        let here = Platforms::new("x86_64-unknown-linux-gnu", None).unwrap_or_else(|error| panic!("{error}"));
        let typed = (RunLayer::default(), Layer::default());
        let profile = config.profile("default", &Packages::none(), here, typed);
        let profile = profile.unwrap_or_else(|wrong| panic!("{wrong}"));
        let binary = BinaryFacts::new("p", "p", "lib", "p");
        tests.map(|(name, ignored)| selection.mismatch(&binary.test(name), ignored, &profile).map(Mismatch::word))
    }

    fn expressions(texts: &[&str]) -> Selection {
        let compiled = texts.iter().map(|text| {
            let expression = Expression::typed(text, &[]).unwrap_or_else(|wrong| panic!("{wrong}"));
            expression.compile(&Packages::none(), &[]).unwrap_or_else(|wrong| panic!("{wrong:?}"))
        });
        Selection { expressions: compiled.collect(), ..Selection::default() }
    }

    #[test]
    fn the_default_filter_holds_on_top_of_what_was_asked_for() {
        let tests = [("quick", false), ("slow", false), ("quick", true)];
        assert_eq!(mismatches(&Selection::default(), tests), [None, Some("default-filter"), Some("ignored")]);
        let named = Selection { names: vec!["slow".to_owned()], ..Selection::default() };
        assert_eq!(mismatches(&named, tests), [Some("string"), Some("default-filter"), Some("ignored")]);
        let all = Selection { ignore_default_filter: true, run_ignored: RunIgnored::All, ..Selection::default() };
        assert_eq!(mismatches(&all, tests), [None, None, None]);
    }

    #[test]
    fn expressions_are_alternatives_and_names_must_agree() {
        let tests = [("a", false), ("b", false), ("c", false)];
        let mut selection = expressions(&["test(a)", "test(b)"]);
        assert_eq!(mismatches(&selection, tests), [None, None, Some("expression")]);
        selection.names = vec!["b".to_owned(), "c".to_owned()];
        assert_eq!(mismatches(&selection, tests), [Some("string"), None, Some("expression")]);
    }

    #[test]
    fn an_exact_name_is_the_whole_name() {
        let tests = [("a", false), ("a::b", false)];
        let names = vec!["a".to_owned()];
        let selection = Selection { names: names.clone(), exact: true, ..Selection::default() };
        assert_eq!(mismatches(&selection, tests), [None, Some("string")]);
        let selection = Selection { skip: names, ..Selection::default() };
        assert_eq!(mismatches(&selection, tests), [Some("string"), Some("string")]);
    }
}
