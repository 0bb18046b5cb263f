import ssl
import stat
from pathlib import Path

import pytest
from cryptography import x509

from local.box import certificates


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("box") / "ca"
    certificates.ensure(made)
    return made


def test_the_leaf_is_for_this_machine_only_and_lasts_for_years(folder: Path) -> None:
    leaf = x509.load_pem_x509_certificates((folder / "server.pem").read_bytes())[0]
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert (leaf.not_valid_after_utc - leaf.not_valid_before_utc).days > 3000


def test_the_leaf_verifies_with_the_bundle_also_under_strict_rules(folder: Path) -> None:
    context = ssl.create_default_context(cafile=str(folder / "bundle.pem"))
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(folder / "server.pem", folder / "server.key")
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        context.wrap_bio(to_client, to_server, server_hostname="127.0.0.1"),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for _ in range(4):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
    assert ends[0].getpeercert()


def test_private_keys_are_for_their_owner_only(folder: Path) -> None:
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.glob("*.key")} == {0o600}


def test_what_is_there_is_kept(folder: Path) -> None:
    before = (folder / "ca.pem").read_bytes()
    certificates.ensure(folder)
    assert (folder / "ca.pem").read_bytes() == before


def test_the_shells_own_bundle_is_kept_in_ours(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "corporate.pem").write_text("# the company's CA\n")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "corporate.pem"))
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    certificates.write_bundle(folder)
    text = (folder / "bundle.pem").read_text()
    assert text.startswith("# the company's CA")
    assert (folder / "ca.pem").read_text() in text
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "bundle.pem"))
    certificates.write_bundle(folder)
    assert (folder / "bundle.pem").read_text() == text
