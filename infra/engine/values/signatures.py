"""The marks by which a marked value is told on the wire and at rest (sdk/go/common/resource/sig/sig.go)."""

from __future__ import annotations

from typing import Final

KEY: Final = "4dabf18193072939515e22adb298388d"
"""An object with this key is no plain object: the entry says which kind it is."""

ASSET: Final = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE: Final = "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET: Final = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a mark, no password
RESOURCE: Final = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT: Final = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
BYTES: Final = "803fd3297a5875dc03ca845dda5d2a98"
