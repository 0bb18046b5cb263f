"""The box's home: its ports, ids and secrets, kept in `box.json` from the first start on."""

import hashlib
import json
import os
import secrets
import uuid
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from local.box import ports
from local.box.errors import BoxError

ACCOUNT = "devstoreaccount1"
# Azurite's well-known key: public, the same everywhere (https://learn.microsoft.com/azure/storage/common/storage-use-azurite).
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
PREFERRED_PORTS = {
    "blob": 10000,
    "queue": 10001,
    "identity": 10002,
    "azureml": 10003,
    "eventgrid": 10004,
    "functions": 7071,
}


@dataclass(frozen=True)
class BoxConfig:
    """What `box.json` holds. Secrets stay out of its `repr`."""

    home: Path
    ports: dict[str, int]
    subscription: str
    tenant: str
    workspace_id: str
    object_id: str
    secrets: dict[str, str] = field(repr=False)
    settings: dict[str, str] = field(default_factory=dict)
    instances: int = 1
    time_scale: float = 0.0
    resource_group: str = "droptune-box"
    workspace: str = "droptune-box"
    location: str = "eastus"
    registry: str = "azureml"

    def url(self, service: str) -> str:
        """Return the base URL of a service; for `blob` and `queue` it ends in the account's name."""
        base = f"https://127.0.0.1:{self.ports[service]}"
        return f"{base}/{ACCOUNT}" if service in ("blob", "queue") else base

    @property
    def control_token(self) -> str:
        """The secret of the Azure ML emulator's control API; a box of an older version has none of its own, so it follows."""
        return hashlib.sha256(f"control:{self.secrets['identity']}".encode()).hexdigest()

    @property
    def ca(self) -> Path:
        """The folder of certificates and of the identity's keys."""
        return self.home / "ca"

    @property
    def workspace_scope(self) -> str:
        """The ARM id of the workspace."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
            f"/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"
        )

    @property
    def storage_suffix(self) -> str:
        """What the SDK puts after `ACCOUNT.blob.`; the `@` makes it call 127.0.0.1 (BOX_FACTS 1)."""
        return f"x@127.0.0.1:{self.ports['blob']}/{ACCOUNT}"


def load(home: Path) -> BoxConfig:
    """Read the box at `home`.

    Raises:
        BoxError: there is none, or its file is damaged.
    """
    path = home.absolute() / "box.json"
    if not path.is_file():
        raise BoxError(f"there is no box at {home}; start one with: droptune box up --home {home}")
    try:
        return BoxConfig(home=home.absolute(), **json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, TypeError) as error:
        raise BoxError(f"{path} cannot be read ({error}); start afresh with: droptune box reset") from error


def create(home: Path) -> BoxConfig:
    """Make a new box's identity: free ports, ids and secrets (not written yet)."""
    names = ("identity", "functions_master", "functions_eventgrid", "droptune")
    return BoxConfig(
        home=home.absolute(),
        ports=ports.choose(PREFERRED_PORTS),
        subscription=f"00000000-0000-0000-0000-{secrets.randbelow(10**8):08d}d407",
        tenant=str(uuid.uuid4()),
        workspace_id=str(uuid.uuid4()),
        object_id=str(uuid.uuid4()),
        secrets={name: secrets.token_urlsafe(32) for name in names}
        | {f"topic_{topic}": secrets.token_urlsafe(32) for topic in ("storage", "azureml", "droptune")},
    )


def save(config: BoxConfig) -> None:
    """Write `box.json`, readable by its owner only, in one step."""
    config.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    values = {name: value for name, value in asdict(config).items() if name != "home"}
    temporary = config.home / "box.json.new"
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(values, file, indent=2)
    temporary.replace(config.home / "box.json")


def load_or_create(home: Path) -> BoxConfig:
    """Return the box at `home`, new where there is none; ports that others took meanwhile are replaced, and all are claimed."""
    config = load(home) if (home / "box.json").is_file() else create(home)
    config = replace(config, ports=ports.choose(config.ports))
    save(config)
    return config
