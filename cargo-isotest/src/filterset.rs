//! Which tests does an expression mean? nextest's language, read by nextest's own crate.
//!
//! An [`Expression`] is checked when it is read. Only one that speaks of packages or binaries needs to know the
//! workspace's [`Packages`], which cost a run of `cargo metadata`; whether that must be the full one, with
//! dependencies, says [`Needs`].

use guppy::PackageId;
use guppy::graph::PackageGraph;
use guppy::graph::cargo::BuildPlatform;
use miette::Diagnostic;
use nextest_filtering::errors::{FiltersetParseErrors, ParseSingleError};
use nextest_filtering::{
    BinaryQuery, CompiledExpr, EvalContext, Filterset, FiltersetKind, GroupLookup, KnownGroups, ParseContext, TestQuery,
};
use nextest_metadata::{RustBinaryId, RustTestBinaryKind, TestCaseName};

use crate::config::mistake::{Mistake, Mistakes};

/// What an expression must be told before it means anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Needs {
    /// Nothing.
    Nothing,
    /// The workspace's packages: `cargo metadata --no-deps`.
    Packages,
    /// And their dependencies: `cargo metadata`.
    Dependencies,
}

/// The workspace's packages.
#[derive(Debug)]
pub(crate) struct Packages(PackageGraph);

impl Packages {
    /// From what `cargo metadata --format-version 1` prints.
    pub(crate) fn read(json: &str) -> Result<Packages, String> {
        let graph = PackageGraph::from_json(json);
        graph.map(Packages).map_err(|error| format!("cannot read the output of cargo metadata: {error}"))
    }

    /// Of an empty workspace.
    pub(crate) fn none() -> Packages {
        const EMPTY: &str = r#"{"packages": [], "workspace_members": [], "resolve": null,
            "target_directory": "/", "workspace_root": "/", "version": 1}"#;
        Packages(PackageGraph::from_json(EMPTY).expect("a workspace without packages is one"))
    }
}

/// The places where expressions stand; each forbids what makes no sense there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// `-E`, where `group()` may be used.
    Chosen,
    /// `filter` of an override or of a script.
    Filter,
    /// `default-filter`, where `default()` may not.
    DefaultFilter,
}

/// An expression without mistakes of its own.
#[derive(Clone, Debug)]
pub(crate) struct Expression {
    text: String,
    role: Role,
    /// What it means, where that needs no packages.
    compiled: Option<CompiledExpr>,
}

impl Expression {
    /// Reads it. `groups` are the names of the test groups there are. Mistakes have their places in `text`.
    pub(crate) fn parse(text: &str, role: Role, groups: &[&str]) -> Result<Expression, Vec<Mistake>> {
        let compiled = match compile(text, role, groups, &Packages::none()) {
            Ok(compiled) => Some(compiled),
            Err(errors) if errors.errors.iter().all(asks_for_packages) => None,
            Err(mut errors) => {
                errors.errors.retain(|error| !asks_for_packages(error));
                return Err(mistakes(&errors));
            }
        };
        Ok(Expression { text: text.to_owned(), role, compiled })
    }

    /// Reads what was typed after `-E`.
    pub(crate) fn typed(text: &str, groups: &[&str]) -> Result<Expression, Mistakes> {
        Expression::parse(text, Role::Chosen, groups)
            .map_err(|mistakes| Mistakes::render("--filterset", text, mistakes))
    }

    /// What it must be told.
    pub(crate) fn needs(&self) -> Needs {
        match &self.compiled {
            Some(_) => Needs::Nothing,
            None if Filterset::needs_deps(&self.text) => Needs::Dependencies,
            None => Needs::Packages,
        }
    }

    /// What it means in this workspace. Mistakes have their places in the expression's text.
    pub(crate) fn compile(&self, packages: &Packages, groups: &[&str]) -> Result<CompiledExpr, Vec<Mistake>> {
        match &self.compiled {
            Some(compiled) => Ok(compiled.clone()),
            None => compile(&self.text, self.role, groups, packages).map_err(|errors| mistakes(&errors)),
        }
    }

    /// As it was written.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

fn compile(text: &str, role: Role, groups: &[&str], packages: &Packages) -> Result<CompiledExpr, FiltersetParseErrors> {
    let kind = match role {
        Role::Chosen => FiltersetKind::Test,
        Role::Filter => FiltersetKind::OverrideFilter,
        Role::DefaultFilter => FiltersetKind::DefaultFilter,
    };
    let groups = KnownGroups::Known { custom_groups: groups.iter().map(|&name| name.to_owned()).collect() };
    let context = ParseContext::new(&packages.0);
    Filterset::parse(text.to_owned(), &context, kind, &groups).map(|set| set.compiled)
}

/// Whether this is no mistake of the expression's, but of its not knowing the workspace.
fn asks_for_packages(error: &ParseSingleError) -> bool {
    use ParseSingleError::{NoBinaryIdMatch, NoBinaryNameMatch, NoPackageMatch};
    matches!(error, NoPackageMatch(_) | NoBinaryIdMatch(_) | NoBinaryNameMatch(_))
}

fn mistakes(errors: &FiltersetParseErrors) -> Vec<Mistake> {
    // Where an expression is missing, all that follows is left over, which is no second mistake.
    let one_is_missing = errors.errors.iter().any(|error| matches!(error, ParseSingleError::ExpectedExpr(_)));
    let follows =
        |error: &&ParseSingleError| one_is_missing && matches!(error, ParseSingleError::ExpectedEndOfExpression(_));
    errors.errors.iter().filter(|error| !follows(error)).map(|error| mistake(error, &errors.input)).collect()
}

/// What can stand before a bracket.
const PREDICATES: [&str; 12] =
    ["all", "none", "test", "default", "package", "deps", "rdeps", "kind", "binary", "binary_id", "platform", "group"];

fn mistake(error: &ParseSingleError, text: &str) -> Mistake {
    let label = error.labels().and_then(|mut labels| labels.next());
    let at = label.as_ref().map_or(0..0, |label| label.offset()..label.offset() + label.len());
    let mistake = Mistake::new(at.clone(), format!("invalid filterset: {error}"));
    let mistake = match text.get(at.start..).and_then(|rest| rest.trim_start().split_once('(')) {
        Some((word, _)) if matches!(error, ParseSingleError::ExpectedExpr(_)) && is_word(word) => {
            mistake.guess(word, PREDICATES)
        }
        _ => mistake,
    };
    let mistake = mistake.label(label.and_then(|label| label.label().map(str::to_owned)).unwrap_or_default());
    match error.help() {
        Some(help) => mistake.help(help.to_string()),
        None => mistake,
    }
}

fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// What expressions can say about a test binary.
#[derive(Clone, Debug)]
pub(crate) struct BinaryFacts {
    package: PackageId,
    id: RustBinaryId,
    kind: RustTestBinaryKind,
    name: String,
    platform: BuildPlatform,
}

impl BinaryFacts {
    /// With cargo's words for the package and the kind (`lib`, `test`, …), and nextest's for the binary's id.
    pub(crate) fn new(package: &str, id: &str, kind: &str, name: &str) -> BinaryFacts {
        BinaryFacts {
            package: PackageId::new(package),
            id: RustBinaryId::new(id),
            kind: RustTestBinaryKind::new(kind.to_owned()),
            name: name.to_owned(),
            platform: BuildPlatform::Target,
        }
    }

    /// The same, built for the machine that builds: as the tests of procedural macros are.
    pub(crate) fn built_for_host(mut self) -> BinaryFacts {
        self.platform = BuildPlatform::Host;
        self
    }

    /// Whether it was.
    pub(crate) fn is_for_host(&self) -> bool {
        self.platform == BuildPlatform::Host
    }

    /// One of its tests.
    pub(crate) fn test(&self, name: &str) -> Candidate<'_> {
        Candidate { binary: self, name: TestCaseName::new(name) }
    }
}

/// What expressions can say about a test.
#[derive(Clone, Debug)]
pub(crate) struct Candidate<'b> {
    /// The binary it is in.
    pub(crate) binary: &'b BinaryFacts,
    name: TestCaseName,
}

impl Candidate<'_> {
    /// Whether the expression means it. `default` is the profile's default filter, `groups` who is in which test group.
    pub(crate) fn is_in(&self, expression: &CompiledExpr, default: &CompiledExpr, groups: &dyn GroupLookup) -> bool {
        let context = EvalContext { default_filter: default };
        expression.matches_test_with_groups(&self.query(), &context, groups)
    }

    fn query(&self) -> TestQuery<'_> {
        let BinaryFacts { package, id, kind, name, platform } = self.binary;
        let binary_query =
            BinaryQuery { package_id: package, binary_id: id, kind, binary_name: name, platform: *platform };
        TestQuery { binary_query, test_name: &self.name }
    }
}

#[cfg(test)]
mod tests;
