"""The box's own key for the function app, with all scopes: what `box env` exports as DROPTUNE_KEY."""

from local.box.config import BoxConfig
from shared.access import SCOPES, make_key

CONTAINER = "access"


class _Written:
    """Keeps what `make_key` writes, for whoever puts it into the storage."""

    def __init__(self) -> None:
        self.blobs: dict[str, bytes] = {}

    def read(self, path: str) -> tuple[bytes, str]:
        return self.blobs[path], ""

    def write(self, path: str, data: bytes) -> str:
        self.blobs[path] = data
        return ""


def box_key(config: BoxConfig) -> tuple[str, dict[str, bytes]]:
    """Return the key, and the blobs of the container `access` that make it known."""
    store = _Written()
    key = make_key(store, SCOPES, "box", config.secrets["droptune"])
    return key, store.blobs
