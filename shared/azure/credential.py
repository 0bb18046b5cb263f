"""One credential for the process: managed identity in Azure, the box's identity endpoint locally."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential


@lru_cache(maxsize=1)
def credential() -> TokenCredential:
    """`DefaultAzureCredential`, which caches its tokens."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential()
