"""Virtual machine sizes and what they cost.

Prices are US dollars an hour, Linux, pay as you go, East US: estimates from SkyPilot's catalogue of Azure's retail prices
(skypilot-org/skypilot-catalog, catalogs/v5/azure/az_ml_vms.csv); those of the CPU sizes are list prices of 2024. Cores,
memory and disks: learn.microsoft.com/azure/virtual-machines/sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class VmSize:
    """One size; memory in GB, the temporary disk in MB, `price` in USD an hour."""

    name: str
    family: str
    cores: int
    gpus: int
    memory: float
    disk: int
    price: float

    def document(self) -> dict[str, Any]:
        """The size as GET …/vmSizes lists it."""
        price = {"retailPrice": self.price, "osType": "Linux", "vmTier": "Standard"}
        return {
            "name": self.name,
            "family": self.family,
            "vCPUs": self.cores,
            "gpus": self.gpus,
            "osVhdSizeMB": 1047552,
            "maxResourceVolumeMB": self.disk,
            "memoryGB": self.memory,
            "lowPriorityCapable": True,
            "premiumIO": True,
            "estimatedVMPrices": {"billingCurrency": "USD", "unitOfMeasure": "OneHour", "values": [price]},
            "supportedComputeTypes": ["AmlCompute", "ComputeInstance"],
        }


_A100 = "standardNCADSA100v4Family"
_H100 = "standardNCadsH100v5Family"
_T4 = "standardNCASv3_T4Family"
_V100 = "standardNCSv3Family"

_ALL = (
    VmSize("Standard_DS2_v2", "standardDSv2Family", 2, 0, 7, 14336, 0.146),
    VmSize("Standard_DS3_v2", "standardDSv2Family", 4, 0, 14, 28672, 0.293),
    VmSize("Standard_DS4_v2", "standardDSv2Family", 8, 0, 28, 57344, 0.585),
    VmSize("Standard_DS5_v2", "standardDSv2Family", 16, 0, 56, 114688, 1.17),
    VmSize("Standard_DS12_v2", "standardDSv2Family", 4, 0, 28, 57344, 0.371),
    VmSize("Standard_D12_v2", "standardDv2Family", 4, 0, 28, 204800, 0.371),
    VmSize("Standard_D13_v2", "standardDv2Family", 8, 0, 56, 409600, 0.741),
    VmSize("Standard_D2s_v3", "standardDSv3Family", 2, 0, 8, 16384, 0.096),
    VmSize("Standard_D4s_v3", "standardDSv3Family", 4, 0, 16, 32768, 0.192),
    VmSize("Standard_E2s_v3", "standardESv3Family", 2, 0, 16, 32768, 0.126),
    VmSize("Standard_E4s_v3", "standardESv3Family", 4, 0, 32, 65536, 0.252),
    VmSize("Standard_E8s_v3", "standardESv3Family", 8, 0, 64, 131072, 0.504),
    VmSize("Standard_F4s_v2", "standardFSv2Family", 4, 0, 8, 32768, 0.169),
    VmSize("Standard_NC4as_T4_v3", _T4, 4, 1, 28, 180224, 0.526),
    VmSize("Standard_NC8as_T4_v3", _T4, 8, 1, 56, 360448, 0.752),
    VmSize("Standard_NC16as_T4_v3", _T4, 16, 1, 110, 360448, 1.204),
    VmSize("Standard_NC64as_T4_v3", _T4, 64, 4, 440, 2883584, 4.352),
    VmSize("Standard_NC6s_v3", _V100, 6, 1, 112, 344064, 3.06),
    VmSize("Standard_NC12s_v3", _V100, 12, 2, 224, 688128, 6.12),
    VmSize("Standard_NC24s_v3", _V100, 24, 4, 448, 1376256, 12.24),
    VmSize("Standard_NC24rs_v3", _V100, 24, 4, 448, 1376256, 13.464),
    VmSize("Standard_NC24ads_A100_v4", _A100, 24, 1, 220, 65536, 3.673),
    VmSize("Standard_NC48ads_A100_v4", _A100, 48, 2, 440, 131072, 7.346),
    VmSize("Standard_NC96ads_A100_v4", _A100, 96, 4, 880, 262144, 14.692),
    VmSize("Standard_ND40rs_v2", "standardNDrSv2Family", 40, 8, 672, 2969600, 22.032),
    VmSize("Standard_ND96asr_v4", "standardNDASv4_A100Family", 96, 8, 900, 6144000, 27.197),
    VmSize("Standard_ND96amsr_A100_v4", "standardNDAMSv4_A100Family", 96, 8, 1900, 6553600, 32.77),
    VmSize("Standard_NC40ads_H100_v5", _H100, 40, 1, 320, 131072, 6.98),
    VmSize("Standard_NC80adis_H100_v5", _H100, 80, 2, 640, 262144, 13.96),
    VmSize("Standard_ND96isr_H100_v5", "standardNDSH100v5Family", 96, 8, 1900, 28672000, 98.32),
)
SIZES = {size.name.lower(): size for size in _ALL}
# For these managed endpoints keep no fifth back for their upgrades ("Skip 20% Reservation").
UNRESERVED = {
    "standard_nc24ads_a100_v4",
    "standard_nc48ads_a100_v4",
    "standard_nc96ads_a100_v4",
    "standard_nd96asr_v4",
    "standard_nd96amsr_a100_v4",
    "standard_nc40ads_h100_v5",
    "standard_nc80adis_h100_v5",
    "standard_nd96isr_h100_v5",
    "standard_nd40rs_v2",
}


def find_size(name: str) -> VmSize | None:
    """The size by its name; case does not count."""
    return SIZES.get(name.lower())
