//! How does a host come to trust the pretend internet? The files in which programs look for authorities have the lab's, and nobody else's:
//! there is nobody else to be met.

use std::path::Path;

/// Where distributions keep their bundle.
const BUNDLES: [&str; 6] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/ssl/cert.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/tls/cert.pem",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
];

/// By which programs are told of another one: OpenSSL and what is built on it, curl, Python's requests, Node.
const VARIABLES: [&str; 4] = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "NODE_EXTRA_CA_CERTS"];

/// The bundles that there are on this machine, one that the environment names included.
pub(crate) fn bundles() -> Vec<String> {
    let named = std::env::var("SSL_CERT_FILE").ok().into_iter();
    let all = named.chain(BUNDLES.map(str::to_owned));
    let mut found: Vec<_> = all.filter(|bundle| Path::new(bundle).is_file()).collect();
    found.dedup();
    found
}

/// Variables for programs in a host.
pub(crate) fn variables(bundle: &str) -> Vec<(&'static str, String)> {
    VARIABLES.iter().map(|name| (*name, bundle.to_owned())).collect()
}
