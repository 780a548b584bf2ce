//! Where in the file does an expression stand, and on which platforms does an entry hold?

use std::ops::Range;

use nextest_filtering::CompiledExpr;
use target_spec::{Platform, TargetFeatures, TargetSpec};

use super::reader::{Table, Value};
use crate::filterset::{BinaryFacts, Expression, Packages, Role};

/// An expression in the file.
#[derive(Clone, Debug)]
pub(crate) struct Filter {
    pub(super) expression: Expression,
    /// The whole string.
    whole: Range<usize>,
    /// Where the expression begins, if the string has no escapes.
    begins: Option<usize>,
}

impl Filter {
    /// Reads it, and notes its mistakes.
    pub(super) fn read(value: &Value<'_, '_>, role: Role) -> Option<Filter> {
        let text = value.string()?;
        let (whole, begins) = value.place();
        match Expression::parse(text, role, &[]) {
            Ok(expression) => Some(Filter { expression, whole, begins }),
            Err(mistakes) => {
                for mut mistake in mistakes {
                    mistake.at = place(&whole, begins, &mistake.at);
                    value.file.note::<()>(mistake);
                }
                None
            }
        }
    }

    /// What it means in this workspace; mistakes go to `mistakes`.
    pub(super) fn compile(
        &self,
        packages: &Packages,
        mistakes: &mut Vec<super::mistake::Mistake>,
    ) -> Option<CompiledExpr> {
        match self.expression.compile(packages, &[]) {
            Ok(compiled) => Some(compiled),
            Err(found) => {
                mistakes.extend(found.into_iter().map(|mut mistake| {
                    mistake.at = place(&self.whole, self.begins, &mistake.at);
                    mistake
                }));
                None
            }
        }
    }
}

/// A part of the expression as a part of the file.
fn place(whole: &Range<usize>, begins: Option<usize>, part: &Range<usize>) -> Range<usize> {
    match begins {
        Some(begins) => begins + part.start..begins + part.end,
        None => whole.clone(),
    }
}

/// The platforms of this run.
#[derive(Clone, Debug)]
pub(crate) struct Platforms {
    host: Platform,
    target: Platform,
}

impl Platforms {
    /// The machine that builds, and the one that is built for where that is another.
    pub(crate) fn new(host: &str, target: Option<&str>) -> Result<Platforms, String> {
        let platform = |triple: &str| {
            let platform = Platform::new(triple.to_owned(), TargetFeatures::Unknown);
            platform.map_err(|error| format!("the target triple {triple} is unknown: {error}"))
        };
        Ok(Platforms { host: platform(host)?, target: platform(target.unwrap_or(host))? })
    }
}

/// On which platforms an entry holds: `platform`.
#[derive(Clone, Debug, Default)]
pub(super) struct OnPlatform {
    host: Option<TargetSpec>,
    target: Option<TargetSpec>,
}

impl OnPlatform {
    /// Reads it.
    pub(super) fn read(value: &Value<'_, '_>) -> Option<OnPlatform> {
        if !value.is_table() {
            let Some(_) = value.as_string() else { return value.wrong_type("a string or { host, target }") };
            return Some(OnPlatform { host: None, target: Some(spec(value)?) });
        }
        let mut table: Table<'_, '_> = value.table()?;
        let (host, target) = (table.read("host", spec), table.read("target", spec));
        table.finish(&[]);
        Some(OnPlatform { host, target })
    }

    /// Whether the entry holds for tests of this binary; `None`: for what is built for the target.
    pub(super) fn holds(&self, platforms: &Platforms, binary: Option<&BinaryFacts>) -> bool {
        let built_for = if binary.is_some_and(BinaryFacts::is_for_host) { &platforms.host } else { &platforms.target };
        // What cannot be known, such as a target feature, is taken to hold.
        let is = |spec: &Option<TargetSpec>, platform: &Platform| {
            spec.as_ref().is_none_or(|spec| spec.eval(platform).unwrap_or(true))
        };
        is(&self.host, &platforms.host) && is(&self.target, built_for)
    }
}

fn spec(value: &Value<'_, '_>) -> Option<TargetSpec> {
    let text = value.string()?;
    match TargetSpec::new(text.to_owned()) {
        Ok(spec) => Some(spec),
        Err(error) => {
            let mut cause: &dyn std::error::Error = &error;
            while let Some(deeper) = cause.source() {
                cause = deeper;
            }
            value.wrong("is a target triple or a cfg() expression", &cause.to_string())
        }
    }
}
