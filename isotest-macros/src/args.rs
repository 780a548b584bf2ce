//! Which arguments are there, and which calls on `Spec` do they become?
//!
//! [`ARGUMENTS`] is the answer; the rest of the file looks arguments up in it. Whether one value is well-formed is
//! decided in [`given`], what a duration or a size is in [`units`].

mod contradictions;
mod destinations;
mod given;
mod list;
mod units;
mod variables;

use proc_macro2::{Span, TokenStream};
use quote::{format_ident, quote};
use syn::{Error, Ident, Path, Result};

use self::given::Given;
use self::variables::Variable;
use crate::mistakes::Mistakes;

/// One argument of the attribute.
pub(crate) struct Argument {
    name: &'static str,
    /// How it is written, for the messages.
    form: &'static str,
    /// Turns what was given into builder calls, or says what is wrong with it. The path leads to `isotest`.
    calls: fn(&Given, &Path) -> Result<TokenStream>,
}

/// Every argument that is part of a spec. A new one is a new row here (and an entry in the attribute's documentation,
/// and a file per mistake under `tests/ui/mistakes`).
const ARGUMENTS: &[Argument] = &[
    Argument {
        name: "egress",
        form: r#"egress = "ignore"` or `"warn"` or `"fail"` or `"record"` or `["10.0.0.0/8:443"]"#,
        calls: |given, isotest| {
            if let Some(allowed) = given.destinations() {
                let allowed = allowed?;
                return Ok(quote!(.egress(#isotest::Egress::Allow(::std::vec![#(#allowed.into()),*]))));
            }
            let words = [("ignore", "Ignore"), ("warn", "Warn"), ("fail", "Fail"), ("record", "Record")];
            let egress = given.one_of(&words)?;
            Ok(quote!(.egress(#isotest::Egress::#egress)))
        },
    },
    Argument {
        name: "env",
        form: r#"env(NAME = "value")"#,
        calls: |given, _| {
            let calls = given.variables()?.into_iter().map(|Variable { name, value, .. }| quote!(.env(#name, #value)));
            Ok(calls.collect())
        },
    },
    Argument {
        name: "hostname",
        form: r#"hostname = "db-1""#,
        calls: |given, _| {
            let hostname = given.hostname()?;
            Ok(quote!(.hostname(#hostname)))
        },
    },
    Argument {
        name: "init",
        form: "init = true` or `init = false",
        calls: |given, isotest| {
            let pid1 = if given.boolean()? { quote!(Init) } else { quote!(Test) };
            Ok(quote!(.pid1(#isotest::Pid1::#pid1)))
        },
    },
    Argument { name: "ipc", form: r#"ipc = "isolated"` or `ipc = "host""#, calls: namespace },
    Argument { name: "leaks", form: r#"leaks = "ignore"` or `"warn"` or `"fail""#, calls: policy },
    Argument { name: "mount", form: r#"mount = "isolated"` or `mount = "host""#, calls: namespace },
    Argument { name: "net", form: r#"net = "isolated"` or `net = "host""#, calls: namespace },
    Argument {
        name: "pcap",
        form: r#"pcap = "failed"` or `"always"` or `"never""#,
        calls: |given, isotest| {
            let pcap = given.one_of(&[("failed", "Failed"), ("always", "Always"), ("never", "Never")])?;
            Ok(quote!(.pcap(#isotest::Pcap::#pcap)))
        },
    },
    Argument { name: "pid", form: r#"pid = "isolated"` or `pid = "host""#, calls: namespace },
    Argument {
        name: "processes",
        form: "processes = 4096",
        calls: |given, _| {
            let processes = given.count()?;
            Ok(quote!(.processes(#processes)))
        },
    },
    Argument {
        name: "timeout",
        form: r#"timeout = "5s""#,
        calls: |given, _| {
            let timeout = given.duration()?;
            let (seconds, nanoseconds) = (timeout.as_secs(), timeout.subsec_nanos());
            Ok(quote!(.timeout(::core::time::Duration::new(#seconds, #nanoseconds))))
        },
    },
    Argument {
        name: "tmp",
        form: r#"tmp = "64M""#,
        calls: |given, _| {
            let bytes = given.size()?;
            Ok(quote!(.tmp(#bytes)))
        },
    },
    Argument {
        name: "uplink",
        form: "uplink = true` or `uplink = false",
        calls: |given, _| {
            let uplink = given.boolean()?;
            Ok(quote!(.uplink(#uplink)))
        },
    },
    Argument {
        name: "user",
        form: r#"user = "self"` or `user = "root""#,
        calls: |given, isotest| {
            let user = given.one_of(&[("self", "Caller"), ("root", "Root")])?;
            Ok(quote!(.user(#isotest::User::#user)))
        },
    },
    Argument { name: "uts", form: r#"uts = "isolated"` or `uts = "host""#, calls: namespace },
];

/// For an argument that says whose namespace it is; the builder method has the same name.
fn namespace(given: &Given, isotest: &Path) -> Result<TokenStream> {
    let method = format_ident!("{}", given.argument.name);
    let whose = given.one_of(&[("isolated", "Isolated"), ("host", "Host")])?;
    Ok(quote!(.#method(#isotest::Namespace::#whose)))
}

/// For an argument that says what becomes of a test; the builder method has the same name.
fn policy(given: &Given, isotest: &Path) -> Result<TokenStream> {
    let method = format_ident!("{}", given.argument.name);
    let policy = given.one_of(&[("ignore", "Ignore"), ("warn", "Warn"), ("fail", "Fail")])?;
    Ok(quote!(.#method(#isotest::Policy::#policy)))
}

/// The one argument that is not part of a spec: where generated code finds `isotest`.
const CRATE: Argument =
    Argument { name: "crate", form: "crate = path::to::isotest", calls: |_, _| Ok(TokenStream::new()) };

/// What stands in the attribute's parentheses.
pub(crate) struct Arguments {
    /// The path to `isotest`.
    pub(crate) isotest: Path,
    /// The builder calls on `Spec`, in the order in which they were written.
    pub(crate) calls: TokenStream,
    /// The names of those that are part of a spec.
    pub(crate) written: Vec<&'static str>,
}

impl Arguments {
    pub(crate) fn read(tokens: TokenStream) -> Result<Self> {
        let mut mistakes = Mistakes::default();
        let given = list::read(tokens, &mut mistakes, Given::read);
        for (position, again) in given.iter().enumerate() {
            if given[..position].iter().any(|earlier| earlier.is(again.argument)) {
                let name = again.argument.name;
                mistakes.add(Error::new(again.span(), format!("`{name}` is given twice: keep one of the two")));
            }
        }

        let root = given.iter().find(|given| given.is(&CRATE)).and_then(|given| mistakes.sort(given.path()));
        let isotest = root.unwrap_or_else(|| syn::parse_quote!(::isotest));

        let calls = given.iter().filter_map(|given| mistakes.sort((given.argument.calls)(given, &isotest))).collect();
        contradictions::find(&given, &mut mistakes);
        let written = given.iter().filter(|given| !given.is(&CRATE)).map(|given| given.argument.name).collect();
        mistakes.none_in(Arguments { isotest, calls, written })
    }
}

fn argument_named(name: &Ident) -> Result<&'static Argument> {
    let written = name.to_string();
    every_argument().find(|argument| argument.name == written).ok_or_else(|| unknown(&written, name.span()))
}

fn unknown(written: &str, span: Span) -> Error {
    let guess = match every_argument().find(|argument| looks_like(written, argument.name)) {
        Some(argument) => format!(": did you mean `{}`?", argument.form),
        None => ".".to_owned(),
    };
    let names: Vec<_> = every_argument().map(|argument| format!("`{}`", argument.name)).collect();
    Error::new(span, format!("unknown argument `{written}`{guess} There are {}", names.join(", ")))
}

fn every_argument() -> impl Iterator<Item = &'static Argument> {
    ARGUMENTS.iter().chain([&CRATE])
}

/// Whether one is the other's beginning (`network`, `net`), or a slip of the keyboard away (`tiemout`, `timeout`).
fn looks_like(written: &str, name: &str) -> bool {
    let slips = if name.len() > 3 { 2 } else { 1 };
    written.starts_with(name) || name.starts_with(written) || edits_between(written, name) <= slips
}

/// How many characters must be inserted, removed or replaced to turn one word into the other (Levenshtein's distance).
fn edits_between(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (i, left) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, right) in other.chars().enumerate() {
            let replaced = diagonal + usize::from(left != right);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[row.len() - 1]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calls(arguments: TokenStream) -> String {
        Arguments::read(arguments).expect("the arguments are right").calls.to_string()
    }

    #[test]
    fn arguments_become_builder_calls_in_the_order_given() {
        let written = calls(quote!(tmp = "1K", env(A = "b", "c.d" = ""), timeout = "1m 500ms", processes = 7,));
        let expected = quote! {
            .tmp(1024u64).env("A", "b").env("c.d", "")
            .timeout(::core::time::Duration::new(60u64, 500000000u32)).processes(7u64)
        };
        assert_eq!(written, expected.to_string());
    }

    #[test]
    fn a_renamed_crate_is_used_wherever_it_is_given() {
        let written = calls(quote!(net = "host", crate = "crate::again", user = "root", init = false));
        let expected =
            quote!(.net(crate::again::Namespace::Host).user(crate::again::User::Root).pid1(crate::again::Pid1::Test));
        assert_eq!(written, expected.to_string());
    }

    #[test]
    fn namespaces_and_policies_become_the_methods_of_their_names() {
        let written = calls(quote!(
            pid = "host",
            mount = "host",
            uts = "isolated",
            leaks = "fail",
            egress = "ignore",
            pcap = "failed"
        ));
        let expected = quote! {
            .pid(::isotest::Namespace::Host).mount(::isotest::Namespace::Host).uts(::isotest::Namespace::Isolated)
            .leaks(::isotest::Policy::Fail).egress(::isotest::Egress::Ignore)
            .pcap(::isotest::Pcap::Failed)
        };
        assert_eq!(written, expected.to_string());
    }

    #[test]
    fn what_was_written_is_known_by_name() {
        let arguments = Arguments::read(quote!(tmp = "1K", crate = again, net = "host")).expect("they are right");
        assert_eq!(arguments.written, ["tmp", "net"]);
    }

    #[test]
    fn every_mistake_is_reported() {
        let Err(mistakes) = Arguments::read(quote!(timeout, = 5, nett = "host", tmp = "0", tmp = "1K")) else {
            panic!("there are mistakes");
        };
        assert_eq!(mistakes.into_iter().count(), 5);
    }

    #[test]
    fn slips_of_the_keyboard_are_recognised() {
        for (written, name) in
            [("tiemout", "timeout"), ("network", "net"), ("host", "hostname"), ("proceses", "processes")]
        {
            assert!(looks_like(written, name), "{written} looks like {name}");
        }
        assert!(!looks_like("color", "tmp"));
    }
}
