//! What a server's certificate is checked against.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use crate::Result;

/// Where systems keep all trusted certificates in one file.
const FILES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];
/// Or each in a file of its own.
const DIRECTORY: &str = "/etc/ssl/certs";

/// Trusts the certificates of `$SSL_CERT_FILE`, `$SSL_CERT_DIR`, or the system.
pub fn of_system() -> Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    match (std::env::var_os("SSL_CERT_FILE"), std::env::var_os("SSL_CERT_DIR")) {
        (Some(file), _) => add_file(&mut roots, Path::new(&file))?,
        (None, Some(directory)) => add_directory(&mut roots, Path::new(&directory))?,
        (None, None) => match FILES.iter().map(Path::new).find(|path| path.exists()) {
            Some(file) => add_file(&mut roots, file)?,
            None => add_directory(&mut roots, Path::new(DIRECTORY))?,
        },
    }
    if roots.is_empty() {
        return Err(format!("no trusted certificates in {DIRECTORY}"));
    }
    Ok(builder()?.with_root_certificates(roots).with_no_client_auth())
}

/// Trusts every certificate: who listens on the way can read and change all.
pub fn unchecked() -> Result<ClientConfig> {
    let verifier = Arc::new(Unchecked(ring::default_provider()));
    Ok(builder()?.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth())
}

fn builder() -> Result<rustls::ConfigBuilder<ClientConfig, rustls::WantsVerifier>> {
    let provider = Arc::new(ring::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())
}

/// A certificate that cannot be read makes no other one untrusted.
fn add_file(roots: &mut RootCertStore, file: &Path) -> Result<()> {
    let certificates = CertificateDer::pem_file_iter(file).map_err(|error| format!("{}: {error}", file.display()))?;
    roots.add_parsable_certificates(certificates.filter_map(std::result::Result::ok));
    Ok(())
}

fn add_directory(roots: &mut RootCertStore, directory: &Path) -> Result<()> {
    let shown = |error: std::io::Error| format!("{}: {error}", directory.display());
    for entry in std::fs::read_dir(directory).map_err(shown)? {
        let path: PathBuf = entry.map_err(shown)?.path();
        if path.is_file() {
            add_file(roots, &path)?;
        }
    }
    Ok(())
}

/// Why a certificate is not trusted.
pub fn reason(error: &CertificateError) -> &'static str {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => "its certificate has expired",
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "its certificate is not valid yet"
        }
        CertificateError::UnknownIssuer => "its certificate is signed by nobody who is trusted",
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "its certificate is for another name"
        }
        CertificateError::BadSignature => "its certificate has a wrong signature",
        // For example one that signs itself.
        _ => "its certificate is not one of a server, or cannot be read",
    }
}

/// Takes any certificate, but checks that the server has its key.
#[derive(Debug)]
struct Unchecked(CryptoProvider);

impl ServerCertVerifier for Unchecked {
    fn verify_server_cert(
        &self,
        _certificate: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
