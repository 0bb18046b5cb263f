from pathlib import Path

import jwt
import pytest
from starlette.testclient import TestClient

from local.box import certificates
from local.identity.app import application
from local.identity.tokens import Signer, TokenCache


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("identity") / "ca"
    certificates.ensure(made)
    return made


@pytest.fixture(scope="module")
def signer(folder: Path) -> Signer:
    return Signer((folder / "identity.key").read_bytes(), "tenant", "object")


def test_a_token_is_for_the_resource_as_asked_and_begins_a_little_in_the_past(folder: Path, signer: Signer) -> None:
    token = signer.token("https://storage.azure.com/", lifetime=100, now=1000.0)
    public = (folder / "identity.pub").read_bytes()
    options = {"verify_exp": False, "verify_nbf": False, "verify_iat": False}
    claims = jwt.decode(token, public, ["RS256"], audience="https://storage.azure.com/", options=options)
    assert (claims["nbf"], claims["iat"], claims["exp"]) == (990, 1000, 1100)
    assert claims["iss"] == "https://sts.windows.net/tenant/"


def test_a_token_is_kept_for_half_its_life(signer: Signer) -> None:
    cache = TokenCache(signer, lifetime=100)
    first = cache.get("r", 1000.0)
    assert cache.get("r", 1049.0) == first
    assert cache.get("r", 1051.0) != first


def test_the_endpoint_answers_as_app_service_does(signer: Signer) -> None:
    client = TestClient(application(signer, "secret"))
    query = {"api-version": "2019-08-01", "resource": "https://storage.azure.com"}
    answer = client.get("/identity/token", params=query, headers={"X-IDENTITY-HEADER": "secret"}).json()
    assert set(answer) == {"access_token", "expires_on", "resource", "token_type"}
    assert answer["expires_on"].isdigit()


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [
        ("wrong", {"api-version": "2019-08-01", "resource": "r"}, 401),
        ("secret", {"api-version": "2010-01-01", "resource": "r"}, 400),
        ("secret", {"api-version": "2019-08-01"}, 400),
    ],
)
def test_a_wrong_request_gets_no_token(signer: Signer, header: str, query: dict[str, str], status: int) -> None:
    client = TestClient(application(signer, "secret"))
    answer = client.get("/identity/token", params=query, headers={"X-IDENTITY-HEADER": header})
    assert answer.status_code == status
    assert "access_token" not in answer.text


def test_the_key_set_verifies_a_token(signer: Signer) -> None:
    document = TestClient(application(signer, "secret")).get("/identity/keys").json()
    key = jwt.PyJWKSet.from_dict(document).keys[0]
    token = signer.token("r", lifetime=100, now=__import__("time").time())
    assert jwt.decode(token, key, ["RS256"], audience="r")["oid"] == "object"
