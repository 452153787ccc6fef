"""Kubernetes' quantities, as in resource limits: "500m" of a CPU, "512Mi" of memory.

Format: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

import re

_NUMBER = re.compile(r"(?P<number>\d{1,9}(?:\.\d{1,9})?|\.\d{1,9})(?P<unit>[a-zA-Z]*)")
_BYTES = {
    "": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30, "Ti": 1 << 40,
}  # fmt: skip


def cpu(text: str) -> float:
    """Cores. Raises ValueError."""
    number, unit = _split(text)
    if unit not in {"", "m"}:
        raise ValueError(f"{text!r} is not a number of CPUs: write 2 or 500m")
    return number / 1000 if unit else number


def memory(text: str) -> int:
    """Bytes. Raises ValueError."""
    number, unit = _split(text)
    if unit not in _BYTES:
        raise ValueError(f"{text!r} is not an amount of memory: write 512Mi or 2Gi")
    return int(number * _BYTES[unit])


def _split(text: str) -> tuple[float, str]:
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is not a quantity: write a number and a unit")
    return float(found["number"]), found["unit"]
