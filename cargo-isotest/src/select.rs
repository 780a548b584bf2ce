//! Which tests run? From what was built to the tests that are chosen, each of the others with the reason why not.

use crate::choose::{Choice, choose};
use crate::cli::{Choose, Names};
use crate::compile::Built;
use crate::exit_code::Code;
use crate::interrupt::Interrupt;
use crate::list::{self, Listed};
use crate::record::{self, Record};
use crate::{Problem, report};

/// The chosen tests and what was needed to choose them.
pub(crate) struct Selected<'a> {
    /// The tests.
    pub(crate) listed: Listed<'a>,
    /// What was typed about names.
    pub(crate) names: Names,
    /// How they fared last time.
    pub(crate) record: Record,
}

/// Lists and chooses.
pub(crate) fn tests<'a>(built: &'a Built, options: &Choose, interrupt: &Interrupt) -> Result<Selected<'a>, Problem> {
    let names = options.names().map_err(|message| Problem { message, code: Code::WrongOptions })?;
    let record = Record::read(&record::path(&built.target_directory));
    if options.rerun_failed && !record.has_failures() {
        report::terminal::warning("no test is known to have failed, so --rerun-failed leaves none");
    }
    let mut listed = list::tests(&built.binaries, interrupt)?;
    let failed_before = options.rerun_failed.then_some(&record);
    choose(&mut listed, &Choice { names: &names, isolated_only: options.isolated_only, failed_before });
    Ok(Selected { listed, names, record })
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
