"""Who may call: a signed token with one of our audiences, on every path but the few that Azure leaves open."""

from __future__ import annotations

import hmac
import ipaddress
import logging
from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from azureml_box.config import Config
from azureml_box.errors import Unauthorized

_log = logging.getLogger(__name__)
# Open in Azure too, or guarded by what their own callers hold: an endpoint's keys, the identity's header.
CONTROL = "/_emulator/"
_OPEN = ("/healthz", "/metadata/", "/registrymanagement/", "/discovery", "/endpoints/", "/identity/")


class TokenCheck:
    """Verifies signature, times and audience; without a public key nothing is verified, which the log says."""

    def __init__(self, config: Config) -> None:
        base = config.base_url
        fixed = (
            "https://management.azure.com",
            "https://management.azure.com/",
            "https://ml.azure.local",
            "https://ml.azure.com",
        )
        self._audiences = [base, f"{base}/", *fixed]
        self._control_token = config.control_token
        self._key = load_pem_public_key(config.token_public_key.read_bytes()) if config.token_public_key else None
        if self._key is None:
            _log.warning("no --token-public-key: tokens are not verified")

    def check(self, path: str, headers: Mapping[str, str]) -> None:
        """Raise Unauthorized unless the request may pass."""
        if self._key is None or path.startswith(_OPEN):
            return
        token = _bearer(headers)
        if not token:
            raise Unauthorized(
                "Authentication failed. The 'Authorization' header is missing a bearer token.", "AuthenticationFailed"
            )
        self._verify(token)

    def check_control(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        """Raise Unauthorized unless the control API may be called: to read, any token of ours will do."""
        if self._controls(scope, headers):
            return
        if scope["method"] != "GET":
            raise Unauthorized("The control API wants its own bearer token, from this machine.", "AuthenticationFailed")
        self.check(CONTROL, headers)

    def _controls(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> bool:
        """Tell whether the caller is on this machine and has the token that the emulator was started with."""
        host = (scope.get("client") or ("0.0.0.0", 0))[0]
        local = ipaddress.ip_address(host).is_loopback
        return local and hmac.compare_digest(_bearer(headers).encode(), self._control_token.encode())

    def _verify(self, token: str) -> None:
        assert isinstance(self._key, RSAPublicKey), "the public key of tokens must be RSA"
        try:
            jwt.decode(
                token,
                self._key,
                algorithms=["RS256"],
                audience=self._audiences,
                options={"require": ["exp", "aud"]},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthorized("The access token expired.", "ExpiredAuthenticationToken") from None
        except jwt.InvalidAudienceError:
            message = (
                f"The access token has been obtained for the wrong audience. Accepted: {', '.join(self._audiences)}"
            )
            raise Unauthorized(message, "InvalidAuthenticationTokenAudience") from None
        except jwt.PyJWTError as error:
            raise Unauthorized(f"The access token is invalid: {error}") from None


def _bearer(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
