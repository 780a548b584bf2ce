//! Do clients accept the pretend internet's certificates, and others none but those?

use std::io::{BufRead, BufReader, Read, Write};
use std::process::Command;

use isotest::isotest;
use isotest::lab::{Asked, Host, Internet, Lab, Result, TlsStream};
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// A handler: an HTTP server that tells whom it was taken for.
fn hello(stream: TlsStream, asked: Asked) {
    let mut stream = BufReader::new(stream);
    let mut line = String::from("more");
    while !line.trim().is_empty() {
        line.clear();
        stream.read_line(&mut line).expect("a request");
    }
    let body = format!("hello from {asked}");
    let length = body.len();
    write!(stream.get_mut(), "HTTP/1.1 200 OK\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{body}")
        .expect("read");
}

/// A client that trusts these.
fn get(url: &str, trusted: RootCerts) -> std::result::Result<String, ureq::Error> {
    let tls = TlsConfig::builder().root_certs(trusted).build();
    let client: ureq::Agent = ureq::Agent::config_builder().tls_config(tls).proxy(None).build().into();
    client.get(url).call()?.body_mut().read_to_string()
}

/// One that trusts whom its machine trusts.
fn get_as_configured(url: &str) -> std::result::Result<String, ureq::Error> {
    get(url, RootCerts::PlatformVerifier)
}

fn alice_and_the_internet(lab: &Lab) -> Result<(Host, Internet)> {
    let (alice, internet) = (lab.host("alice")?, lab.internet()?);
    for who in ["api.example.com", "*.example.org", "93.184.216.34", "2001:db8::7"] {
        internet.serve_tls(who, 443, hello)?;
    }
    Ok((alice, internet))
}

#[isotest]
fn a_client_that_trusts_its_machine_s_authorities_accepts_any_name_and_address() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, _internet) = alice_and_the_internet(&lab)?;
    for host in ["api.example.com", "www.example.org", "93.184.216.34", "[2001:db8::7]"] {
        let answer = alice.enter(|| get_as_configured(&format!("https://{host}/"))).expect("it is accepted");
        assert_eq!(answer, format!("hello from {host}:443"));
    }
    Ok(())
}

#[isotest]
fn a_client_that_trusts_others_refuses() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, internet) = alice_and_the_internet(&lab)?;
    let refusal =
        alice.enter(|| get("https://api.example.com/", RootCerts::WebPki)).expect_err("it knows the real ones");
    assert!(refusal.to_string().contains("UnknownIssuer"), "{refusal}");
    let other = Lab::new()?;
    let foreign = other.internet()?.certificate()?;
    assert_ne!(foreign, internet.certificate()?, "each lab has its own");
    let trusted = Certificate::from_pem(foreign.as_bytes()).expect("it is PEM");
    let refusal = alice.enter(|| get("https://api.example.com/", RootCerts::new_with_certs(&[trusted])));
    refusal.expect_err("another lab's authority has not signed it");
    Ok(())
}

#[isotest]
fn a_client_that_is_given_the_certificate_accepts() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, internet) = alice_and_the_internet(&lab)?;
    let trusted = Certificate::from_pem(internet.certificate()?.as_bytes()).expect("it is PEM");
    let answer = alice.enter(|| get("https://api.example.com/", RootCerts::new_with_certs(&[trusted])));
    assert_eq!(answer.expect("it is accepted"), "hello from api.example.com:443");
    Ok(())
}

#[isotest]
fn the_test_body_trusts_its_internet_too() -> Result<()> {
    let internet = Internet::new()?;
    internet.serve_tls("api.example.com", 443, hello)?;
    assert_eq!(
        get_as_configured("https://api.example.com/").expect("it is accepted"),
        "hello from api.example.com:443"
    );
    Ok(())
}

#[isotest]
fn a_certificate_is_for_the_name_that_was_asked_for_and_for_no_other() -> Result<()> {
    let lab = Lab::new()?;
    let (alice, internet) = alice_and_the_internet(&lab)?;
    let trusted = Certificate::from_pem(internet.certificate()?.as_bytes()).expect("it is PEM");
    // By its address, and so without a name: the certificate is for the name that was given the address.
    let answer = alice.enter(|| get("https://198.18.0.1/", RootCerts::new_with_certs(&[trusted])));
    let refusal = answer.expect_err("it is api.example.com's").to_string();
    assert!(refusal.contains("only valid for DnsName(\"api.example.com\")"), "{refusal}");
    Ok(())
}

/// On which protocol a client that asks for these agrees with a server.
fn agreed(internet: &Internet, asked: &[&str]) -> std::result::Result<Option<String>, String> {
    use rustls::pki_types::pem::PemObject;
    let mut trusted = rustls::RootCertStore::empty();
    let certificate = internet.certificate().expect("there are keys");
    let certificate = rustls::pki_types::CertificateDer::from_pem_slice(certificate.as_bytes()).expect("it is PEM");
    trusted.add(certificate).expect("it is an authority's");
    let client = rustls::ClientConfig::builder_with_provider(rustls::crypto::ring::default_provider().into());
    let client = client.with_safe_default_protocol_versions().expect("they are known");
    let mut client = client.with_root_certificates(trusted).with_no_client_auth();
    client.alpn_protocols = asked.iter().map(|name| name.as_bytes().to_vec()).collect();
    let name = "api.example.com".try_into().expect("it is a name");
    let mut connection = rustls::ClientConnection::new(client.into(), name).expect("it is configured");
    let mut socket = std::net::TcpStream::connect("api.example.com:443").expect("it is served");
    let mut text = String::new();
    let read = rustls::Stream::new(&mut connection, &mut socket).read_to_string(&mut text);
    read.map_err(|error| error.to_string())?;
    let own = connection.alpn_protocol().map(|name| String::from_utf8_lossy(name).into_owned());
    assert_eq!(text, format!("{own:?}"), "both ends see the same");
    Ok(own)
}

#[isotest]
fn the_test_chooses_which_protocols_are_offered() -> Result<()> {
    let internet = Internet::new()?;
    let tell = |mut stream: TlsStream, _: Asked| {
        let agreed = format!("{:?}", stream.protocol());
        stream.write_all(agreed.as_bytes()).expect("read");
    };
    internet.serve_tls_as("api.example.com", 443, &["h2", "http/1.1"], tell)?;
    let both = Some("h2".to_owned());
    assert_eq!(agreed(&internet, &["http/1.1", "h2"]), Ok(both), "what the server likes best");
    assert_eq!(agreed(&internet, &["http/1.1"]), Ok(Some("http/1.1".to_owned())));
    assert_eq!(agreed(&internet, &[]), Ok(None), "who does not ask is served");
    let refusal = agreed(&internet, &["smtp"]).expect_err("it is not offered");
    assert!(refusal.contains("NoApplicationProtocol"), "{refusal}");
    internet.serve_tls("api.example.com", 443, tell)?;
    assert_eq!(agreed(&internet, &["h2"]), Ok(None), "nothing is offered where nothing is said");
    let nameless = internet.serve_tls_as("api.example.com", 443, &[""], tell).expect_err("it is a mistake");
    assert!(nameless.to_string().contains("1 to 255 bytes"), "{nameless}");
    Ok(())
}

/// What a program prints.
fn said(command: &mut Command) -> (bool, String) {
    let output = command.output().expect("the program is there");
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[isotest]
#[ignore = "needs curl; .ci/run installs it"]
fn curl_accepts_it_in_a_host_and_refuses_it_with_the_real_authorities() -> Result<()> {
    let real = std::fs::read("/etc/ssl/certs/ca-certificates.crt").expect("ca-certificates");
    std::fs::write("/tmp/real.crt", real).expect("/tmp is private");
    let lab = Lab::new()?;
    let (alice, _internet) = alice_and_the_internet(&lab)?;
    let curl = || {
        let mut curl = alice.command("curl");
        curl.args(["--silent", "--show-error", "--noproxy", "*", "https://api.example.com/"]);
        curl
    };
    assert_eq!(said(&mut curl()), (true, "hello from api.example.com:443".to_owned()));
    for variable in ["SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE"] {
        assert!(said(curl().env_remove(variable)).0, "without {variable}");
    }
    let (accepted, words) = said(curl().args(["--cacert", "/tmp/real.crt"]));
    assert!(!accepted && words.contains("certificate"), "{words}");
    std::fs::remove_file("/tmp/real.crt").expect("it is there");
    Ok(())
}
