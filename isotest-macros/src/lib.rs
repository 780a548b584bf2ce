//! The `#[isotest]` attribute. Depend on `isotest-core`, which re-exports it.

use proc_macro::TokenStream;
use quote::quote;
use syn::{ItemFn, parse_macro_input};

/// Gives a test a machine of its own.
///
/// The function is run in a sandbox; see the `isotest` crate for what that is.
#[proc_macro_attribute]
pub fn isotest(arguments: TokenStream, item: TokenStream) -> TokenStream {
    let mut function = parse_macro_input!(item as ItemFn);
    let arguments = proc_macro2::TokenStream::from(arguments);
    if !arguments.is_empty() {
        return syn::Error::new_spanned(arguments, "this version takes no arguments").to_compile_error().into();
    }
    let belongs_outside = |name: &str| ["doc", "ignore", "should_panic", "cfg", "allow", "expect"].contains(&name);
    let (outer, inner): (Vec<_>, Vec<_>) = std::mem::take(&mut function.attrs)
        .into_iter()
        .filter(|attribute| !attribute.path().is_ident("test"))
        .partition(|attribute| attribute.path().get_ident().is_some_and(|name| belongs_outside(&name.to_string())));
    if function.sig.asyncness.is_some() && inner.is_empty() {
        let message =
            "an `async fn` needs a runtime: put `#[tokio::test]` (or your runtime's test attribute) below `#[isotest]`";
        return syn::Error::new_spanned(function.sig.asyncness, message).to_compile_error().into();
    }
    function.attrs = inner;
    let name = &function.sig.ident;
    let visibility = std::mem::replace(&mut function.vis, syn::Visibility::Inherited);
    let should_panic = outer.iter().any(|attribute| attribute.path().is_ident("should_panic"));
    let (output, call) = if should_panic {
        (quote!(), quote!(::isotest::__private::run_should_panic::<IsolatedTestOfThisFunction>(#name)))
    } else {
        (
            quote!(-> ::isotest::__private::Verdict),
            quote!(::isotest::__private::run::<IsolatedTestOfThisFunction, _>(#name)),
        )
    };
    quote! {
        #(#outer)*
        #[::core::prelude::v1::test]
        #visibility fn #name() #output {
            #[allow(unnameable_test_items)]
            #function
            struct IsolatedTestOfThisFunction;
            impl ::isotest::__private::IsolatedTest for IsolatedTestOfThisFunction {
                const PATH: &'static str = ::core::concat!(::core::module_path!(), "::", ::core::stringify!(#name));
                const SHOULD_PANIC: bool = #should_panic;
                fn spec() -> ::isotest::Spec {
                    ::core::default::Default::default()
                }
            }
            #call
        }
    }
    .into()
}
