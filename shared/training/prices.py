"""What Azure sizes cost an hour: Linux, pay as you go, USD; estimates (source: AZUREML_CONTRACT section 6, eastus)."""

from __future__ import annotations

HOURLY_USD = {
    "standard_nc24ads_a100_v4": 3.673,
    "standard_nc48ads_a100_v4": 7.346,
    "standard_nc96ads_a100_v4": 14.692,
    "standard_nd96asr_v4": 27.197,
    "standard_nd96amsr_a100_v4": 32.77,
    "standard_nc40ads_h100_v5": 6.98,
    "standard_nc80adis_h100_v5": 13.96,
    "standard_nd96isr_h100_v5": 98.32,
    "standard_nd40rs_v2": 22.032,
    "standard_nc4as_t4_v3": 0.526,
    "standard_nc8as_t4_v3": 0.752,
    "standard_nc16as_t4_v3": 1.204,
    "standard_nc64as_t4_v3": 4.352,
    "standard_nc6s_v3": 3.06,
    "standard_nc12s_v3": 6.12,
    "standard_nc24s_v3": 12.24,
}


def hourly(size: str) -> float | None:
    """USD an hour of a size, or None where no price is known."""
    return HOURLY_USD.get(size.lower())


def cost(size: str, seconds: float, instances: int = 1) -> float:
    """USD for so many seconds; 0 where no price is known."""
    return (hourly(size) or 0.0) * seconds / 3600 * instances
