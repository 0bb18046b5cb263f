"""What the workspace's region offers: sizes of machines, of which some are retired and some suit no model."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.azure.outside import outside, remembered
from shared.azure.seen import Size
from shared.errors import ServiceError, UserError

SIZES_SECONDS = 3600.0
# NC (K80) since August 2023, NCv2 and ND (P100, P40) since August 2023, NCv3 (V100) since September 2025:
# learn.microsoft.com/azure/virtual-machines/sizes/retirement (the NCv3 note: AZUREML_CONTRACT section 0, fact 6).
_RETIRED = re.compile(r"standard_nc(6|12|24)r?(s_v[23])?(_promo)?|standard_nd(6|12|24)r?s")


def sizes() -> dict[str, Size]:
    """The sizes of the region by their names in lower case, asked for once an hour.

    Raises:
        DeniedError: the identity may not see them.
    """
    found: list[Size] = remembered("sizes", SIZES_SECONDS, lambda: outside().computes.sizes())
    return {size.name.lower(): size for size in found}


def retired(size: str) -> bool:
    """Whether Azure has taken a size out of service, whatever a listing still says.

    >>> retired("Standard_NC6s_v3"), retired("Standard_NC24ads_A100_v4")
    (True, False)
    """
    return bool(_RETIRED.fullmatch(size.lower()))


def checked(what: str, size: str, suited: Iterable[str] | None, field: str) -> Size:
    """The size as the region offers it.

    `what` is to have it; `suited` are the sizes (lower case) that the base model may have there, None: any.

    Raises:
        UserError: it is retired, the model is not made for it, or the region has none; `fix` names those that will do.
        DeniedError: the sizes may not be seen.
    """
    wanted, known = size.lower(), list(suited) if suited is not None else None
    if retired(wanted):
        raise UserError(f"{what}: {size} has been retired by Azure", _instead(known), field)
    if known is not None and wanted not in known:
        raise UserError(f"{what}: {size} is not on the base model's list", _instead(known), field)
    offered = sizes()
    if wanted not in offered:
        raise UserError(f"{what}: the region does not offer {size}", _instead(known), field)
    return offered[wanted]


def _instead(suited: list[str] | None) -> str:
    try:
        offered = sizes()
    except ServiceError:  # what is wrong is known already; this would only have made the advice better
        offered = {name: Size(name, "", 0, 1) for name in suited or []}
    names = [name for name, size in offered.items() if size.gpus] if suited is None else suited
    lasting = [name for name in names if not retired(name)]
    good = [offered[name].name for name in lasting if name in offered]
    if good:
        return "use one of " + ", ".join(good)
    return "use a workspace in a region that offers " + (", ".join(lasting) or "sizes with a GPU")
