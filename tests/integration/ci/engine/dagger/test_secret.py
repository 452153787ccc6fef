"""Secret, as Dagger's own integration tests (secret_test.go, secretprovider_test.go) have it."""

import dagger
import pytest

pytestmark = [pytest.mark.embedded, pytest.mark.anyio]


async def refused(awaitable) -> str:
    """The message that something asked for is refused with."""
    with pytest.raises(dagger.QueryError) as problem:
        await awaitable
    return str(problem.value)


async def test_a_secret_that_is_set_has_its_name_and_value_and_no_uri(dag):
    secret = dag.set_secret("aws_key", "very-secret-text")
    assert (await secret.name(), await secret.plaintext(), await secret.uri()) == (
        "aws_key",
        "very-secret-text",
        "",
    )


async def test_a_name_may_be_empty_and_a_value_anything(dag):
    assert await dag.set_secret("", "x").plaintext() == "x"
    assert await dag.set_secret("lines", "a\nb\n\t").plaintext() == "a\nb\n\t"
    assert await dag.set_secret("nothing", "").plaintext() == ""


async def test_an_id_does_not_give_the_value_away(dag):
    import base64

    identity = await dag.set_secret("name", "very-secret-text").id()
    assert "very-secret-text" not in identity
    assert b"very-secret-text" not in base64.urlsafe_b64decode(identity + "==")


async def test_the_value_set_last_counts(dag):
    first = dag.set_secret("twice", "1")
    assert await first.plaintext() == "1"
    assert await dag.set_secret("twice", "2").plaintext() == "2"


async def test_a_provider_gives_a_value_by_uri_and_no_name(dag, tmp_path, workdir):
    (tmp_path / "secret").write_text("from a file\n")
    (workdir / "relative").write_text("nearby")
    for uri, value in {
        "env://ENGINE_TEST_SECRET": "from-the-environment",
        f"file://{tmp_path}/secret": "from a file\n",
        "file://relative": "nearby",
        "cmd://echo -n $((40 + 2)) | cat": "42",
    }.items():
        secret = dag.secret(uri)
        assert (await secret.plaintext(), await secret.uri(), await secret.name()) == (value, uri, "")


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("env://NOT_SET_ANYWHERE", 'secret env var not found: "NOT..."'),
        ("env://NO", 'secret env var not found: "NO"'),
        ("file:///not/there", "no such file or directory"),
        ("cmd://echo leaked; exit 3", "failed to run secret command"),
        ("wtf://foobar", 'unsupported secret provider: "wtf"'),
        ("wtf", "malformed id"),
        ("vault://x", 'secret provider "vault" is not served by the embedded engine'),
    ],
)
async def test_a_secret_that_cannot_be_had_is_refused(dag, uri, reason):
    message = await refused(dag.secret(uri).plaintext())
    assert reason in message


async def test_a_command_that_fails_does_not_leak_what_it_printed(dag):
    message = await refused(dag.secret("cmd://printf 'hid''den'; exit 1").plaintext())
    assert "exit status 1" in message
    assert "hidden" not in message
