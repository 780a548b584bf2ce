//! Which configuration holds in this run? The file, the profile that was chosen, and above both what was typed.

use nextest_filtering::CompiledExpr;

use crate::cli::{Choose, Configuration};
use crate::compile::Workspace;
use crate::config::mistake::Mistakes;
use crate::config::{Config, Layer, Platforms, Profile, RunLayer};
use crate::exit_code::Code;
use crate::filterset::{Expression, Needs, Packages};
use crate::interrupt::Interrupt;
use crate::source::Source;
use crate::{Problem, cli, compile};

/// What was read, and checked as far as it can be before the build has ended.
pub(crate) struct Configured {
    config: Config,
    profile: String,
    expressions: Vec<CompiledExpr>,
    packages: Packages,
}

/// What was typed.
pub(crate) struct Typed<'o> {
    pub(crate) configuration: &'o Configuration,
    pub(crate) choose: &'o Choose,
    pub(crate) cargo: &'o cli::Cargo,
}

impl Configured {
    /// Reads the configuration while cargo builds: a mistake in it ends the build.
    pub(crate) fn read(typed: &Typed<'_>, source: &mut Source, interrupt: &Interrupt) -> Result<Configured, Problem> {
        Configured::of(typed, source.workspace(interrupt)?, interrupt)
    }

    /// The same, in a workspace that is known already.
    pub(crate) fn of(typed: &Typed<'_>, workspace: &Workspace, interrupt: &Interrupt) -> Result<Configured, Problem> {
        let Configuration { config_file, profile } = typed.configuration;
        let config = Config::load(&workspace.root, config_file.as_deref()).map_err(wrong_configuration)?;
        let profile = profile.clone().unwrap_or_else(|| "default".to_owned());
        config.check_profile(&profile).map_err(wrong_configuration)?;
        let groups = config.group_names();
        let typed_expressions = typed.choose.filtersets.iter().map(|text| Expression::typed(text, &groups));
        let typed_expressions: Vec<Result<Expression, Mistakes>> = typed_expressions.collect();
        let needs = typed_expressions.iter().flatten().map(Expression::needs).chain([config.needs()]).max();
        let packages = match needs.unwrap_or(Needs::Nothing) {
            Needs::Nothing => Ok(Packages::none()),
            Needs::Packages | Needs::Dependencies if workspace.has_dependencies => Packages::read(&workspace.json),
            Needs::Packages => Packages::read(&workspace.json),
            Needs::Dependencies => Packages::read(&compile::with_dependencies(typed.cargo, interrupt)?),
        };
        let packages = packages.map_err(|message| Problem { message, code: Code::MetadataFailed })?;
        let expressions = all_or_mistakes(typed_expressions.into_iter().map(|expression| {
            let expression = expression?;
            let compiled = expression.compile(&packages, &groups);
            compiled.map_err(|mistakes| Mistakes::render("--filterset", expression.text(), mistakes))
        }))?;
        Ok(Configured { config, profile, expressions, packages })
    }

    /// The profile, for tests that were built for this triple, under what was typed about the run and about tests.
    pub(crate) fn profile(&self, triple: &str, typed: (RunLayer, Layer)) -> Result<Profile<'_>, Problem> {
        let wrong_triple = |message| Problem { message, code: Code::SetupFailed };
        let platforms = Platforms::new(triple, None).map_err(wrong_triple)?;
        self.config.profile(&self.profile, &self.packages, platforms, typed).map_err(wrong_configuration)
    }

    /// The expressions that were typed, understood in this workspace.
    pub(crate) fn expressions(&self) -> &[CompiledExpr] {
        &self.expressions
    }
}

/// All of them, or the mistakes of all.
fn all_or_mistakes(
    expressions: impl Iterator<Item = Result<CompiledExpr, Mistakes>>,
) -> Result<Vec<CompiledExpr>, Problem> {
    let (mut right, mut wrong) = (Vec::new(), Vec::new());
    for expression in expressions {
        match expression {
            Ok(expression) => right.push(expression),
            Err(Mistakes(told)) => wrong.push(told),
        }
    }
    if wrong.is_empty() { Ok(right) } else { Err(wrong_filterset(Mistakes(wrong.join("\n\n")))) }
}

fn wrong_configuration(mistakes: Mistakes) -> Problem {
    Problem { message: mistakes.0, code: Code::SetupFailed }
}

fn wrong_filterset(mistakes: Mistakes) -> Problem {
    Problem { message: mistakes.0, code: Code::InvalidFilterset }
}
