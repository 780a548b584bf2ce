//! Can this item be a test?
//!
//! Each rule stands on its own and reports on the smallest wrong token; all are asked before the answer is given.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::{
    Attribute, Error, Expr, ExprLit, FnArg, Ident, Lit, LitStr, Meta, MetaNameValue, Result, ReturnType, Safety,
    Signature, Type, Visibility,
};

use crate::mistakes::Mistakes;

/// A function as written. Its body stays unread: the macro has no business there, it would cost build time, and
/// syntax newer than the parser must not matter.
pub(crate) struct Function {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Group,
}

/// A function that can be a test, its attributes given to whom they concern.
pub(crate) struct Test {
    /// What the harness and the compiler look for on a test: documentation, lint levels, `ignore`, `should_panic`.
    pub(crate) for_the_wrapper: Vec<Attribute>,
    /// The function with all its other attributes, but without `#[test]`: the wrapper has it.
    pub(crate) function: Function,
    pub(crate) ignored: bool,
    pub(crate) should_panic: bool,
    /// What the panic's message must contain.
    pub(crate) expected_panic: Option<LitStr>,
    /// Whether other macros have still to expand what is below, so that its signature may yet change.
    pub(crate) other_macros: bool,
}

impl Test {
    pub(crate) fn from_item(item: TokenStream) -> Result<Self> {
        let mut function: Function = syn::parse2(item)?;
        let attributes = std::mem::take(&mut function.attributes);
        let (for_the_wrapper, function_s): (Vec<_>, Vec<_>) =
            attributes.into_iter().filter(|attribute| !is_plain_test(attribute)).partition(concerns_the_wrapper);
        function.attributes = function_s;

        let find = |name| for_the_wrapper.iter().find(|attribute: &&Attribute| attribute.path().is_ident(name));
        let should_panic = find("should_panic");
        let test = Test {
            ignored: find("ignore").is_some(),
            should_panic: should_panic.is_some(),
            expected_panic: should_panic.and_then(expected_panic),
            other_macros: !function.attributes.iter().all(is_built_in),
            for_the_wrapper,
            function,
        };

        let mut mistakes = Mistakes::default();
        for rule in RULES {
            mistakes.sort(rule(&test));
        }
        mistakes.none_in(test)
    }
}

const RULES: &[fn(&Test) -> Result<()>] = &[
    only_once,
    below_macros_that_make_tests,
    not_const,
    not_async_without_a_runtime,
    not_unsafe,
    not_extern,
    not_generic,
    no_parameters,
    nothing_returned_from_should_panic,
];

fn only_once(test: &Test) -> Result<()> {
    match test.function.attributes.iter().find(|attribute| names_isotest(attribute)) {
        Some(again) => {
            Err(Error::new_spanned(again, "`#[isotest]` stands here twice: keep one, with all the arguments"))
        }
        None => Ok(()),
    }
}

fn below_macros_that_make_tests(test: &Test) -> Result<()> {
    match maker_of_tests(test) {
        Some((attribute, maker)) => Err(Error::new_spanned(
            attribute,
            format!("put `#[isotest]` below `#[{maker}]`, so that each of its tests gets a sandbox of its own"),
        )),
        None => Ok(()),
    }
}

fn not_const(test: &Test) -> Result<()> {
    refuse(&test.function.signature.constness, "a test can't be a `const fn`: remove `const`")
}

fn not_async_without_a_runtime(test: &Test) -> Result<()> {
    if test.other_macros {
        return Ok(());
    }
    refuse(
        &test.function.signature.asyncness,
        "an `async fn` needs a runtime: put `#[tokio::test]` (or your runtime's test attribute) below `#[isotest]`",
    )
}

fn not_unsafe(test: &Test) -> Result<()> {
    match &test.function.signature.safety {
        Safety::Default => Ok(()),
        safety => Err(Error::new_spanned(
            safety,
            "the harness can't call an `unsafe fn`: remove `unsafe`, and put an `unsafe` block into the body",
        )),
    }
}

fn not_extern(test: &Test) -> Result<()> {
    refuse(&test.function.signature.abi, "a test has Rust's own calling convention: remove `extern`")
}

fn not_generic(test: &Test) -> Result<()> {
    let parameters = &test.function.signature.generics.params;
    if parameters.is_empty() {
        return Ok(());
    }
    Err(Error::new_spanned(
        parameters,
        "a test can't be generic, since the harness has nothing to put in: write one test per choice, each calling a \
         generic function",
    ))
}

fn no_parameters(test: &Test) -> Result<()> {
    let signature = &test.function.signature;
    if let Some(FnArg::Receiver(receiver)) = signature.inputs.first() {
        return Err(Error::new_spanned(receiver, "a method can't be a test: write a function outside of `impl`"));
    }
    // A property test takes its parameters away when it expands, and a macro that makes tests has its own message.
    if signature.inputs.is_empty() || test.other_macros {
        return Ok(());
    }
    Err(Error::new_spanned(
        &signature.inputs,
        "a test takes no parameters; if these are for `#[rstest]`, put `#[isotest]` below `#[rstest]`",
    ))
}

fn nothing_returned_from_should_panic(test: &Test) -> Result<()> {
    match &test.function.signature.output {
        ReturnType::Type(arrow, output) if test.should_panic && !is_unit(output) => {
            let mut tokens = arrow.to_token_stream();
            output.to_tokens(&mut tokens);
            Err(Error::new_spanned(tokens, "a `#[should_panic]` test returns nothing: remove the return type"))
        }
        _ => Ok(()),
    }
}

fn refuse(token: &Option<impl ToTokens>, message: &str) -> Result<()> {
    token.as_ref().map_or(Ok(()), |token| Err(Error::new_spanned(token, message)))
}

fn is_unit(output: &Type) -> bool {
    matches!(output, Type::Tuple(tuple) if tuple.elems.is_empty())
}

/// The first attribute that makes several tests of one function, or one of a function with parameters.
fn maker_of_tests(test: &Test) -> Option<(&Attribute, String)> {
    const MAKERS: &[(&str, &str)] = &[
        ("rstest", "rstest"),
        ("case", "rstest"),
        ("test_case", "test_case"),
        ("test_matrix", "test_matrix"),
        ("parameterized", "parameterized"),
    ];
    test.function.attributes.iter().find_map(|attribute| {
        let name = last_name(attribute)?.to_string();
        let (_, maker) = MAKERS.iter().find(|(attribute, _)| name == *attribute)?;
        Some((attribute, (*maker).to_owned()))
    })
}

/// Whether it only makes sense on a test that is one.
pub(crate) fn is_about_the_test(attribute: &Attribute) -> bool {
    let path = attribute.path();
    path.is_ident("ignore") || path.is_ident("should_panic") || is_plain_test(attribute) || names_isotest(attribute)
}

/// `#[test]`, also as other macros write it: `#[::core::prelude::v1::test]`.
fn is_plain_test(attribute: &Attribute) -> bool {
    let names: Vec<_> = attribute.path().segments.iter().map(|segment| segment.ident.to_string()).collect();
    match names.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["test"] => true,
        [krate, "prelude", _, "test"] => krate == "core" || krate == "std",
        _ => false,
    }
}

fn names_isotest(attribute: &Attribute) -> bool {
    let path = attribute.path();
    let first = path.segments.first().is_some_and(|segment| segment.ident == "isotest");
    first || last_name(attribute).is_some_and(|name| name == "isotest")
}

fn last_name(attribute: &Attribute) -> Option<&Ident> {
    attribute.path().segments.last().map(|segment| &segment.ident)
}

/// The words of `#[should_panic(expected = "…")]` or `#[should_panic = "…"]`. What is malformed is the compiler's to
/// complain about.
fn expected_panic(should_panic: &Attribute) -> Option<LitStr> {
    let words = match &should_panic.meta {
        Meta::Path(_) => return None,
        Meta::NameValue(words) => words.clone(),
        Meta::List(list) => list.parse_args::<MetaNameValue>().ok().filter(|words| words.path.is_ident("expected"))?,
    };
    match words.value {
        Expr::Lit(ExprLit { lit: Lit::Str(words), .. }) => Some(words),
        _ => None,
    }
}

/// Lint levels set on the wrapper hold for the function inside it as well.
fn concerns_the_wrapper(attribute: &Attribute) -> bool {
    const NAMES: &[&str] = &["allow", "deny", "doc", "expect", "forbid", "ignore", "should_panic", "warn"];
    NAMES.iter().any(|name| attribute.path().is_ident(name))
}

/// Whether the compiler knows this attribute, so that it is no macro that may change the function.
fn is_built_in(attribute: &Attribute) -> bool {
    const NAMES: &[&str] = &[
        "cold",
        "coverage",
        "deprecated",
        "export_name",
        "inline",
        "link_section",
        "must_use",
        "no_mangle",
        "optimize",
        "target_feature",
        "track_caller",
        "unsafe",
    ];
    const TOOLS: &[&str] = &["clippy", "diagnostic", "miri", "rust_analyzer", "rustfmt"];
    let path = attribute.path();
    let tool = path.segments.first().is_some_and(|segment| TOOLS.iter().any(|tool| segment.ident == tool));
    tool || concerns_the_wrapper(attribute) || NAMES.iter().any(|name| path.is_ident(name))
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let first = input.fork();
        let signature = input.parse().map_err(|_| not_a_function(&first))?;
        let body = read_body(input)?;
        Ok(Function { attributes, visibility, signature, body })
    }
}

/// The braces and what they hold. A `$body:block` of `macro_rules!` comes wrapped in a group without delimiters.
fn read_body(input: ParseStream<'_>) -> Result<Group> {
    match input.parse()? {
        TokenTree::Group(body) if matches!(body.delimiter(), Delimiter::Brace | Delimiter::None) => Ok(body),
        other => Err(Error::new_spanned(other, "a test has a body: write `{ … }` here")),
    }
}

fn not_a_function(item: ParseStream<'_>) -> Error {
    const MESSAGE: &str = "`#[isotest]` goes on a test function: `fn name() { … }`";
    match item.parse::<TokenTree>() {
        Ok(token) => Error::new_spanned(token, MESSAGE),
        Err(_) => item.error(MESSAGE),
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        for attribute in &self.attributes {
            attribute.to_tokens(tokens);
        }
        self.visibility.to_tokens(tokens);
        self.signature.to_tokens(tokens);
        self.body.to_tokens(tokens);
    }
}
