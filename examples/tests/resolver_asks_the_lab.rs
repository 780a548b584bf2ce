//! A resolver library that never calls the C library: it reads `/etc/resolv.conf` and asks the server that stands there, in
//! every host of a lab.
//!
//! Today's alternatives: a name server of the test's own, which means another port and a resolver that is configured for it in the
//! test only; or a mock in place of the resolver, of which the code that is tested has to know.

use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolveHosts;
use isotest::isotest;
use isotest::lab::{Host, Lab, Result};

/// The shop's look-ups, as they stand in the program: nothing in them knows of the test.
async fn look_up(name: &str) -> Option<Vec<IpAddr>> {
    let mut resolver = TokioResolver::builder_tokio().expect("/etc/resolv.conf is there");
    resolver.options_mut().use_hosts_file = ResolveHosts::Never;
    let found = resolver.build().lookup_ip(name).await;
    match found {
        Ok(addresses) => Some(addresses.iter().collect()),
        Err(error) if error.is_no_records_found() => None,
        Err(error) => panic!("looking up {name}: {error}"),
    }
}

fn in_host<T: Send>(host: &Host, future: impl Future<Output = T> + Send) -> T {
    host.enter(|| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.expect("tokio starts").block_on(future)
    })
}

#[isotest]
fn hosts_are_found_from_each_of_them() -> Result<()> {
    let lab = Lab::new()?;
    let hosts = ["shop", "database", "mail"].map(|name| lab.host(name).expect("it is new"));
    lab.switch("lan")?.connect(&hosts.each_ref())?;
    for asking in &hosts {
        for asked in &hosts {
            let found = in_host(asking, look_up(asked.name())).expect("it is known");
            assert_eq!(found, [asked.address()], "by default this resolver asks for IPv4 first");
        }
    }
    Ok(())
}

#[isotest]
fn a_name_that_nobody_has_is_not_there_at_once() -> Result<()> {
    let lab = Lab::new()?;
    let shop = lab.host("shop")?;
    assert_eq!(in_host(&shop, look_up("bank")), None);
    Ok(())
}

#[isotest]
fn a_host_finds_out_whose_an_address_is() -> Result<()> {
    let lab = Lab::new()?;
    let (shop, database) = (lab.host("shop")?, lab.host("database")?);
    lab.link(&shop, &database)?;
    let asked = in_host(&shop, async {
        let resolver = TokioResolver::builder_tokio().expect("/etc/resolv.conf is there").build();
        let names = resolver.reverse_lookup(database.address().into()).await.expect("it is known");
        names.iter().map(ToString::to_string).collect::<Vec<_>>()
    });
    assert_eq!(asked, ["database."]);
    Ok(())
}
