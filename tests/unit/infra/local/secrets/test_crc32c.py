"""CRC32C, by the examples of RFC 3720, B.4."""

import pytest

from infra.local.control.secrets.crc32c import crc32c


@pytest.mark.parametrize(
    ("data", "checksum"),
    [(bytes(32), 0x8A9136AA), (b"\xff" * 32, 0x62A8AB43), (bytes(range(32)), 0x46DD794E), (b"", 0)],
)
def test_checksums_are_those_of_the_rfc(data, checksum):
    assert crc32c(data) == checksum
