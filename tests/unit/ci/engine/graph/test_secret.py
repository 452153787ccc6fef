"""Secrets and where they come from."""

import pytest

from ci.engine.graph.secret import Secret, SecretError, Secrets


async def test_a_secret_that_was_set_is_kept_by_name_and_the_last_value_counts():
    secrets = Secrets()
    secret = secrets.set("token", b"1")
    secrets.set("token", b"\xff2")
    assert await secrets.plaintext(secret) == b"\xff2"


def test_neither_digest_nor_text_of_a_secret_tells_its_value():
    one, other = Secrets().set("token", b"hunter2"), Secrets().set("token", b"other")
    assert one == other
    assert one.digest == other.digest
    assert "hunter2" not in repr(one)


async def test_providers_are_the_environment_files_and_commands(monkeypatch, tmp_path):
    monkeypatch.setenv("A_SECRET", "from env")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").write_bytes(b"\x00from file\n")
    secrets = Secrets()
    uris = ["env://A_SECRET", f"file://{tmp_path}/file", "file://~/file", "cmd://printf 'a b'"]
    values = [await secrets.plaintext(secrets.refer(uri)) for uri in uris]
    assert values == [b"from env", b"\x00from file\n", b"\x00from file\n", b"a b"]


def test_a_cache_key_stands_in_for_the_uri_in_what_a_step_depends_on():
    one, other = Secrets().refer("env://A", "key"), Secrets().refer("env://B", "key")
    assert one.name == other.name == "key"
    assert one.digest != other.digest
    assert Secrets().refer("env://A").name == "env://A"


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("plain", 'parse "plain": malformed id'),
        ("ftp://x", 'unsupported secret provider: "ftp"'),
        ("vault://x", 'secret provider "vault" is not served by the embedded engine; use env, file or cmd'),
    ],
)
def test_a_uri_without_a_provider_is_refused_at_once(uri, message):
    with pytest.raises(SecretError) as refused:
        Secrets().refer(uri)
    assert refused.value.message == message


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("env://hunter2hunter2", 'secret env var not found: "hun..."'),
        (
            "file:///not/there",
            'failed to read secret file "/not/there": open /not/there: no such file or directory',
        ),
        ("cmd://exit 3", 'failed to run secret command "exit 3": exit status 3'),
    ],
)
async def test_a_secret_that_cannot_be_had_is_told_by_name(uri, message):
    secrets = Secrets()
    with pytest.raises(SecretError) as failed:
        await secrets.plaintext(secrets.refer(uri))
    assert failed.value.message == message


async def test_a_name_that_was_not_set_here_is_told():
    with pytest.raises(SecretError, match='secret "other" is not set'):
        await Secrets().plaintext(Secret("other"))
