//! A real nginx in a home network behind a router with one address outside, reached by a real curl from both sides.
//!
//! Today's alternatives: a cloud account with two networks, or virtual machines; and a rule in somebody's router.
#![expect(
    clippy::unwrap_in_result,
    reason = "the lab's errors are returned, a test's own assumptions panic where they stand"
)]

use std::fs;
use std::net::IpAddr;
use std::process::{Child, Stdio};

use isotest::isotest;
use isotest::lab::{Host, Lab, Result, Router};

/// Greets by the address that it sees, and writes nothing but below /tmp.
const CONFIGURATION: &str = r#"
daemon off;
master_process off;
pid /tmp/nginx.pid;
error_log stderr;
events {}
http {
    access_log off;
    client_body_temp_path /tmp/nginx-body;
    proxy_temp_path /tmp/nginx-proxy;
    fastcgi_temp_path /tmp/nginx-fastcgi;
    uwsgi_temp_path /tmp/nginx-uwsgi;
    scgi_temp_path /tmp/nginx-scgi;
    server {
        listen 8080;
        listen [::]:8080;
        location / { return 200 "hello, $remote_addr"; }
    }
}
"#;

/// A server and a workstation at home, and somebody on the street.
struct Street {
    _lab: Lab,
    server: Host,
    workstation: Host,
    gateway: Router,
    passer_by: Host,
    /// The gateway's addresses outside, IPv4 and IPv6.
    front: Vec<IpAddr>,
}

fn street() -> Result<Street> {
    let lab = Lab::new()?;
    let (server, workstation, passer_by) = (lab.host("server")?, lab.host("workstation")?, lab.host("passer-by")?);
    let gateway = lab.router("gateway")?;
    lab.switch("home")?.connect(&[&server, &workstation, &gateway])?;
    let line = lab.link(&gateway, &passer_by)?;
    gateway.masquerade(&line)?.forward(80, &server, 8080)?;
    let front = gateway.addresses()[2..].to_vec();
    Ok(Street { _lab: lab, server, workstation, gateway, passer_by, front })
}

impl Street {
    /// Starts the web server. It is killed with the lab.
    #[expect(clippy::zombie_processes, reason = "the machine's init waits for it")]
    fn open_shop(&self) -> Result<Child> {
        fs::write("/tmp/nginx.conf", CONFIGURATION).expect("/tmp is the test's own");
        let mut nginx = self.server.command("nginx");
        nginx.args(["-e", "stderr", "-c", "/tmp/nginx.conf"]);
        // Where Debian has it, which is not in every user's PATH.
        nginx.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        let child = nginx.stdin(Stdio::null()).spawn().expect("nginx is installed");
        self.server.wait_listening(8080)?;
        Ok(child)
    }
}

/// What curl gets there, or how it ends: 7 if it is refused, 28 if nobody answers in time.
fn curl(from: &Host, address: IpAddr, port: u16) -> std::result::Result<String, Option<i32>> {
    let host = if address.is_ipv6() { format!("[{address}]") } else { address.to_string() };
    let mut curl = from.command("curl");
    curl.args(["--silent", "--noproxy", "*", "--globoff", "--connect-timeout", "3"]);
    let output = curl.arg(format!("http://{host}:{port}/")).output().expect("curl is installed");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(output.status.code())
    }
}

#[isotest(timeout = "60s")]
#[ignore = "needs nginx and curl; .ci/run installs them"]
fn from_outside_the_forwarded_port_leads_to_the_server_which_sees_who_asks() -> Result<()> {
    let street = street()?;
    let mut nginx = street.open_shop()?;
    for (front, own) in street.front.iter().zip(street.passer_by.addresses()) {
        assert_eq!(curl(&street.passer_by, *front, 80), Ok(format!("hello, {own}")));
        assert_eq!(curl(&street.passer_by, *front, 8080), Err(Some(28)), "only port 80 is forwarded");
    }
    nginx.kill().and_then(|()| nginx.wait()).expect("it is ours");
    assert_eq!(curl(&street.passer_by, street.front[0], 80), Err(Some(7)), "without nginx nobody listens");
    Ok(())
}

#[isotest(timeout = "60s")]
#[ignore = "needs nginx and curl; .ci/run installs them"]
fn at_home_it_is_reached_by_either_address() -> Result<()> {
    let street = street()?;
    let mut nginx = street.open_shop()?;
    let (server, workstation) = (street.server.address().into(), street.workstation.address());
    assert_eq!(curl(&street.workstation, server, 8080), Ok(format!("hello, {workstation}")));
    let back = street.gateway.address();
    assert_eq!(curl(&street.workstation, street.front[0], 80), Ok(format!("hello, {back}")), "by way of the gateway");
    assert!(curl(&street.passer_by, server, 8080).is_err(), "no way leads there from outside");
    nginx.kill().and_then(|()| nginx.wait()).expect("it is ours");
    Ok(())
}
