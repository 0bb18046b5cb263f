"""The box's own certificate authority, the services' certificate, and the identity's signing key."""

from pathlib import Path

from azureml_box.alone import certificates
from azureml_box.alone.certificates import write_bundle

__all__ = ["ensure", "write_bundle"]


def ensure(folder: Path) -> None:
    """Make everything in `folder` unless it is all there; the bundle follows the shell's own each time."""
    certificates.ensure(folder, "droptune box CA")
