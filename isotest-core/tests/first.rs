//! The attribute's expansion by hand: the core's own first claims.
use isotest::__private::{IsolatedTest, Verdict, run};
use isotest::Spec;

struct Passes;
impl IsolatedTest for Passes {
    const PATH: &'static str = concat!(module_path!(), "::passes");
    const SHOULD_PANIC: bool = false;
    fn spec() -> Spec {
        Spec::default()
    }
}
#[test]
fn passes() -> Verdict {
    fn passes() {
        println!("pid {}", std::process::id());
        assert_eq!(std::process::id(), 2);
        let _listener = std::net::TcpListener::bind("127.0.0.1:80").expect("bind");
    }
    run::<Passes, _>(passes)
}

struct Fails;
impl IsolatedTest for Fails {
    const PATH: &'static str = concat!(module_path!(), "::fails");
    const SHOULD_PANIC: bool = false;
    fn spec() -> Spec {
        Spec::default()
    }
}
#[test]
#[should_panic(expected = "as it should")]
fn fails() {
    fn fails() {
        panic!("as it should");
    }
    isotest::__private::run_should_panic::<Fails>(fails)
}
