"""Payloads of secrets where they are stored."""

import pytest

from infra.local.control.secrets.vault import Vault
from infra.local.state import Store

NAME = "projects/1/secrets/s/versions/1"


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "cloud.db")
    yield store
    store.close()


@pytest.fixture
def vault(store, tmp_path):
    return Vault(store, tmp_path / "secrets.key")


def test_what_is_kept_is_given_back(vault):
    vault.put(NAME, b"hunter2")
    assert vault.get(NAME) == b"hunter2"


def test_nothing_on_disk_has_the_payload_in_it(vault, tmp_path):
    vault.put(NAME, b"hunter2-hunter2")
    assert not [file for file in tmp_path.iterdir() if b"hunter2" in file.read_bytes()]


def test_the_key_is_for_its_owner_alone(vault, tmp_path):
    vault.put(NAME, b"hunter2")
    assert {file.name: file.stat().st_mode & 0o077 for file in tmp_path.iterdir()} == {
        "cloud.db": 0,
        "cloud.db-shm": 0,
        "cloud.db-wal": 0,
        "secrets.key": 0,
    }


def test_a_payload_is_bound_to_its_version(vault, store):
    vault.put(NAME, b"hunter2")
    other = NAME.replace("/1", "/2")
    row = store.read("secret-payload", NAME)
    store.write("secret-payload", other, row.body)
    with pytest.raises(LookupError, match="does not open"):
        vault.get(other)


def test_a_payload_that_was_removed_is_gone(vault):
    vault.put(NAME, b"hunter2")
    vault.remove(NAME)
    with pytest.raises(LookupError, match="no payload"):
        vault.get(NAME)
