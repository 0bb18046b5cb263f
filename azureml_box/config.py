"""What one emulator is told at its start: a frozen record, filled in by the command line only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Config:
    """Addresses, ids and secrets of one emulator; keys, tokens and the header must never be logged."""

    home: Path
    base_url: str
    port: int
    subscription: str
    resource_group: str
    workspace: str
    workspace_id: str
    location: str
    tenant: str
    storage_url: str
    storage_account: str
    storage_key: str = field(repr=False)
    storage_suffix: str
    registries: dict[str, Path]
    events_url: str | None = None
    events_key: str | None = field(default=None, repr=False)
    signing_key: Path | None = None
    token_public_key: Path | None = None
    control_token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)
    identity_header: str | None = field(default=None, repr=False)
    loose: bool = False
    provisioning: dict[str, str] = field(default_factory=dict)
    time_scale: float = 1.0
    passed_variables: tuple[str, ...] = ()
    environments: str = "build"
    public_data_seconds: float = 600.0
    public_data_bytes: int = 10 * 2**30

    @property
    def group_scope(self) -> str:
        """ARM id of the resource group."""
        return f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"

    @property
    def workspace_scope(self) -> str:
        """ARM id of the workspace; every workspace route lies below it."""
        return f"{self.group_scope}/providers/Microsoft.MachineLearningServices/workspaces/{self.workspace}"

    def registry_scope(self, registry: str) -> str:
        """ARM id of a registry, as registry discovery makes the SDK address it."""
        return f"{self.group_scope}/providers/Microsoft.MachineLearningServices/registries/{registry}"
