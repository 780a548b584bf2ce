//! How does the pretend internet speak TLS? An authority of the lab's own signs a certificate for whatever is asked for.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read, Result as IoResult, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex, PoisonError};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose,
};
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Asked, Internet};
use crate::lab::error::{Error, Result};

/// A connection to the pretend internet, encrypted. It is closed in order when it is dropped.
pub struct TlsStream(StreamOwned<ServerConnection, TcpStream>);

impl TlsStream {
    /// The connection beneath.
    #[must_use]
    pub fn tcp(&self) -> &TcpStream {
        &self.0.sock
    }

    /// The protocol that client and server have agreed on (ALPN, RFC 7301): one of those that [`Internet::serve_tls_as`] offers. `None` where
    /// the client has not asked, or nothing was offered.
    #[must_use]
    pub fn protocol(&self) -> Option<&str> {
        self.0.conn.alpn_protocol().and_then(|name| std::str::from_utf8(name).ok())
    }

    /// The name that the client wants a certificate for (RFC 6066, section 3).
    #[must_use]
    pub fn server_name(&self) -> Option<&str> {
        self.0.conn.server_name()
    }
}

impl fmt::Debug for TlsStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsStream").field(&self.0.sock).finish()
    }
}

impl Read for TlsStream {
    fn read(&mut self, buffer: &mut [u8]) -> IoResult<usize> {
        self.0.read(buffer)
    }
}

impl Write for TlsStream {
    fn write(&mut self, bytes: &[u8]) -> IoResult<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> IoResult<()> {
        self.0.flush()
    }
}

impl Drop for TlsStream {
    fn drop(&mut self) {
        self.0.conn.send_close_notify();
        // Who has hung up does not mind.
        self.0.flush().ok();
    }
}

impl Internet {
    /// As [`Internet::serve`], by TLS: the handler gets the connection when the client has accepted the certificate. That is
    /// signed by an authority of the lab's own, which programs in its hosts trust that read the machine's bundle of authorities or heed
    /// `SSL_CERT_FILE`; others refuse, which is printed.
    ///
    /// # Errors
    ///
    /// As [`Internet::serve`], and when no keys can be made.
    pub fn serve_tls(
        &self,
        who: &str,
        port: u16,
        handler: impl Fn(TlsStream, Asked) + Send + Sync + 'static,
    ) -> Result<()> {
        self.serve_tls_as(who, port, &[], handler)
    }

    /// As [`Internet::serve_tls`], and offers these protocols in the handshake (ALPN, RFC 7301), the one liked best first: `h2`, `http/1.1`.
    /// The handler learns by [`TlsStream::protocol`] on which the two agree, and speaks it. A client that asks for others only is
    /// refused; one that does not ask is served.
    ///
    /// # Errors
    ///
    /// As [`Internet::serve_tls`], and when a protocol's name is empty or longer than 255 bytes.
    pub fn serve_tls_as(
        &self,
        who: &str,
        port: u16,
        protocols: &[&str],
        handler: impl Fn(TlsStream, Asked) + Send + Sync + 'static,
    ) -> Result<()> {
        if let Some(wrong) = protocols.iter().find(|name| !(1..=255).contains(&name.len())) {
            let cause = format!("{wrong:?} is no name of a protocol, which has 1 to 255 bytes");
            return Err(Error::new(super::attempt(who, port), cause).remedy("write `h2` or `http/1.1`"));
        }
        let offered: Vec<Vec<u8>> = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        let authority = self.host.lab().outside().authority()?;
        self.serve(who, port, move |stream, asked| match authority.accept(stream, &asked, &offered) {
            Ok(stream) => handler(stream, asked),
            Err(error) => {
                eprintln!("isotest: {} and the lab's internet, as {asked}, don't speak TLS: {error}", asked.from)
            }
        })
    }

    /// The certificate of the authority that signs, in PEM: for clients that are told whom to trust.
    ///
    /// # Errors
    ///
    /// When no keys can be made.
    pub fn certificate(&self) -> Result<String> {
        Ok(self.host.lab().outside().authority()?.certificate().to_owned())
    }
}

/// Who signs.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    certificate: String,
    /// One for all servers.
    key: KeyPair,
    provider: Arc<CryptoProvider>,
    signed: Mutex<HashMap<String, Arc<CertifiedKey>>>,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Authority {
    pub(crate) fn new() -> Result<Authority> {
        Authority::make().map_err(|error| Error::new("making keys for the lab's internet", error.to_string()))
    }

    fn make() -> std::result::Result<Authority, rcgen::Error> {
        let mut itself = CertificateParams::default();
        itself.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        itself.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        itself.distinguished_name.push(DnType::CommonName, "isotest's pretend internet");
        let own_key = KeyPair::generate()?;
        let certificate = itself.self_signed(&own_key)?.pem();
        Ok(Authority {
            issuer: Issuer::new(itself, own_key),
            certificate,
            key: KeyPair::generate()?,
            provider: Arc::new(ring::default_provider()),
            signed: Mutex::default(),
        })
    }

    pub(crate) fn certificate(&self) -> &str {
        &self.certificate
    }

    /// The server's part of the handshake.
    fn accept(
        self: &Arc<Self>,
        mut stream: TcpStream,
        asked: &Asked,
        offered: &[Vec<u8>],
    ) -> std::result::Result<TlsStream, Failure> {
        let address = asked.address.ip().to_string();
        let nameless = asked.name.clone().unwrap_or(address);
        let resolver = Arc::new(Resolver { authority: Arc::clone(self), nameless });
        let config = ServerConfig::builder_with_provider(Arc::clone(&self.provider));
        let config = config.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = config.with_cert_resolver(resolver);
        config.alpn_protocols = offered.to_vec();
        let mut connection = ServerConnection::new(Arc::new(config))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(TlsStream(StreamOwned::new(connection, stream)))
    }

    /// A certificate for a name or an address.
    fn sign(&self, name: &str) -> std::result::Result<Arc<CertifiedKey>, Failure> {
        let mut signed = self.signed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = signed.get(name) {
            return Ok(Arc::clone(known));
        }
        let mut server = CertificateParams::new([name.to_owned()])?;
        server.distinguished_name.push(DnType::CommonName, name);
        server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        server.use_authority_key_identifier_extension = true;
        let certificate = server.signed_by(&self.key, &self.issuer)?;
        let key = PrivateKeyDer::Pkcs8(self.key.serialize_der().into());
        let key = self.provider.key_provider.load_private_key(key)?;
        let made = Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key));
        signed.insert(name.to_owned(), Arc::clone(&made));
        Ok(made)
    }
}

/// Chooses the certificate for one connection.
#[derive(Debug)]
struct Resolver {
    authority: Arc<Authority>,
    /// Whom the client has come to, if it does not say.
    nameless: String,
}

impl ResolvesServerCert for Resolver {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        self.authority.sign(hello.server_name().unwrap_or(&self.nameless)).ok()
    }
}
