"""A certificate authority of our own, the services' certificate, and the key that signs tokens."""

import datetime
import ipaddress
import os
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_VALID = datetime.timedelta(days=3652)
_FILES = ("ca.pem", "ca.key", "server.pem", "server.key", "identity.key", "identity.pub", "bundle.pem")
_Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def ensure(folder: Path, authority: str = "azureml_box CA") -> None:
    """Make everything in `folder` unless it is all there; the bundle follows the shell's own each time."""
    if not all((folder / name).is_file() for name in _FILES):
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make_certificates(folder, authority)
        _make_identity(folder)
    write_bundle(folder)


def write_bundle(folder: Path) -> None:
    """Write `bundle.pem`: the bundle that this shell trusts (else certifi's) and our CA, so that pip goes on working."""
    bundle = folder / "bundle.pem"
    named = [path for path in _shell_bundles() if path.is_file()]
    # A shell that was pointed to a box names that box's bundle: it tells nothing new.
    if bundle.is_file() and any(_is_a_box(path) for path in named):
        return
    before = next((path for path in named if not _is_a_box(path)), None) or _certifi()
    text = before.read_text(encoding="utf-8") + "\n" + (folder / "ca.pem").read_text(encoding="utf-8")
    temporary = folder / "bundle.pem.new"
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(bundle)


def _shell_bundles() -> list[Path]:
    names = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
    return [Path(os.environ[name]) for name in names if os.environ.get(name)]


def _certifi() -> Path:
    import certifi

    return Path(certifi.where())


def _is_a_box(path: Path) -> bool:
    return (path.parent / "identity.pub").is_file()


def _make_certificates(folder: Path, authority: str) -> None:
    ca_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, authority)])
    ca = _certificate(ca_name, ca_name, ca_key, ca_key, is_ca=True)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    leaf = _certificate(name, ca_name, key, ca_key, is_ca=False)
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem) + ca.public_bytes(pem))
    _write_key(folder / "ca.key", ca_key)
    _write_key(folder / "server.key", key)


def _certificate(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePrivateKey,
    signer: ec.EllipticCurvePrivateKey,
    *,
    is_ca: bool,
) -> x509.Certificate:
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # A clock that is set back a little must not refuse what was made just now.
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + _VALID)
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=0 if is_ca else None), critical=True)
        .add_extension(_usage(is_ca), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )
    if not is_ca:
        names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    return builder.sign(signer, hashes.SHA256())


def _usage(is_ca: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=is_ca,
        crl_sign=is_ca,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _make_identity(folder: Path) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    _write_key(folder / "identity.key", key)
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (folder / "identity.pub").write_bytes(public)


def _write_key(path: Path, key: _Key) -> None:
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
