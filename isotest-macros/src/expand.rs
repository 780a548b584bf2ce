//! What does a test become?
//!
//! A wrapper with the test's name, which the harness calls; inside it the user's function, and a type that tells
//! `isotest` what the test asks for. The wrapper decides nothing: `isotest::__private` does.

use proc_macro2::{TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::{Ident, ReturnType, Type, Visibility};

use crate::args::Arguments;
use crate::check::{Function, Test, is_about_the_test};

pub(crate) fn test(arguments: &Arguments, test: Test) -> TokenStream {
    let Test { for_the_wrapper, mut function, ignored, should_panic, expected_panic, other_macros } = test;
    let Arguments { isotest, calls, written } = arguments;
    let visibility = std::mem::replace(&mut function.visibility, Visibility::Inherited);
    let name = &function.signature.ident;
    let name_in_the_harness = name_in_the_harness(name);

    let ignore_elsewhere = (!ignored)
        .then(|| quote!(#[cfg_attr(any(not(target_os = "linux"), miri), ignore = "isotest needs Linux namespaces")]));
    // `#[tokio::test]` and its like leave a `#[test]` on the function inside, which the compiler warns about.
    let allow_inner_test = other_macros
        .then(|| quote!(#[allow(unnameable_test_items, reason = "the wrapper is the test and calls what is inside")]));
    let (returned, run) = if should_panic {
        (quote!(), quote!(#isotest::__private::run_should_panic::<ThisTest>()))
    } else {
        (quote!(-> #isotest::__private::Verdict), quote!(#isotest::__private::run::<ThisTest>()))
    };
    let output = if other_macros { quote!(_) } else { nameable(&function.signature.output) };
    let should_panic = should_panic.then(|| {
        let words = expected_panic.map_or_else(|| quote!(""), ToTokens::into_token_stream);
        quote! {
            const SHOULD_PANIC: ::core::option::Option<&'static ::core::primitive::str> =
                ::core::option::Option::Some(#words);
        }
    });

    let written = (!written.is_empty())
        .then(|| quote!(const WRITTEN: &'static [&'static ::core::primitive::str] = &[#(#written),*];));

    // The description stands in a block of its own so that the user's body can't see it. It is an enum because a
    // unit struct would also take a name among the functions, perhaps the user's.
    quote! {
        #(#for_the_wrapper)*
        #ignore_elsewhere
        #allow_inner_test
        #[::core::prelude::v1::test]
        #visibility fn #name() #returned {
            #function
            {
                enum ThisTest {}
                impl #isotest::__private::IsolatedTest for ThisTest {
                    const PATH: &'static ::core::primitive::str =
                        ::core::concat!(::core::module_path!(), "::", #name_in_the_harness);
                    #should_panic
                    #written
                    fn spec() -> #isotest::Spec {
                        <#isotest::Spec as ::core::default::Default>::default() #calls
                    }
                    fn body() -> #isotest::__private::ExitCode {
                        #isotest::__private::finish::<#output>(#name)
                    }
                }
                #run
            }
        }
    }
}

/// The item as an ordinary function, so that the editor still knows it and the compiler has little to add to our
/// errors.
pub(crate) fn given_back(item: TokenStream) -> TokenStream {
    let Ok(mut function) = syn::parse2::<Function>(item.clone()) else {
        return item;
    };
    function.attributes.retain(|attribute| !is_about_the_test(attribute));
    quote!(#[allow(dead_code, unused_variables)] #function)
}

/// The type a function returns, so that the compiler points at it when it is no `Termination`; `_` where it can't be
/// named in a type argument.
fn nameable(output: &ReturnType) -> TokenStream {
    match output {
        ReturnType::Default => quote!(()),
        ReturnType::Type(_, output) if matches!(**output, Type::Never(_)) => quote!(_),
        ReturnType::Type(_, output) if mentions_impl(output.to_token_stream()) => quote!(_),
        ReturnType::Type(_, output) => output.to_token_stream(),
    }
}

fn mentions_impl(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == "impl",
        TokenTree::Group(group) => mentions_impl(group.stream()),
        _ => false,
    })
}

/// libtest keeps `r#` only where the bare name is a keyword.
fn name_in_the_harness(name: &Ident) -> String {
    let bare = name.unraw().to_string();
    match syn::parse_str::<Ident>(&bare) {
        Ok(_) => bare,
        Err(_) => name.to_string(),
    }
}
