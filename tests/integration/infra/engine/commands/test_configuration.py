"""`pulumi config`, as the Pulumi CLI answers (recorded from it)."""

import json

import pytest

pytestmark = pytest.mark.usefixtures("dev")


def file(shell, stack="dev"):
    return (shell.project / f"Pulumi.{stack}.yaml").read_text(encoding="utf-8")


def test_values_are_set_shown_and_removed(shell):
    shell.run("config", "set", "size", "4")
    shell.run("config", "set", "pw", "hunter2", "--secret")
    shell.run("config", "set", "--path", "a.b[0]", "x")
    shell.run("config", "set", "gcp:project", "p")
    assert shell.run("config") == (
        "KEY          VALUE\n"
        'gcp:project  p\na            {"b":["x"]}\npw           [secret]\nsize         4\n'
    )
    assert json.loads(shell.run("config", "--json")) == {
        "gcp:project": {"value": "p", "secret": False},
        "shop:a": {"value": '{"b":["x"]}', "objectValue": {"b": ["x"]}, "secret": False},
        "shop:pw": {"secret": True},
        "shop:size": {"value": "4", "secret": False},
    }
    assert "hunter2" not in file(shell)
    assert shell.run("config", "get", "pw") == "hunter2\n"
    assert shell.run("config", "get", "--path", "a.b[0]") == "x\n"
    assert json.loads(shell.run("config", "get", "--json", "pw")) == {"value": "hunter2", "secret": True}
    shell.run("config", "rm", "size")
    shell.run("config", "rm", "nope")
    assert "configuration key 'size' not found for stack 'dev'" in shell.run("config", "get", "size", code=1)


def test_a_value_may_start_with_a_dash_after_the_dashes(shell):
    shell.run("config", "set", "n", "--plaintext", "--", "-3")
    assert shell.run("config", "get", "n") == "-3\n"


def test_many_are_set_and_removed_at_once(shell):
    shell.run("config", "set-all", "--plaintext", "q=1", "--secret", "w=2", "--plaintext", "r=a=b")
    assert [shell.run("config", "get", key) for key in "qwr"] == ["1\n", "2\n", "a=b\n"]
    shell.run("config", "set-all", "--json", '{"shop:z":{"value":"9","secret":true}}')
    assert shell.run("config", "get", "z") == "9\n"
    shell.run("config", "rm-all", "q", "w", "z")
    assert shell.run("config") == "KEY  VALUE\nr    a=b\n"


def test_a_copy_is_encrypted_under_the_other_stacks_salt(shell):
    shell.run("config", "set", "pw", "hunter2", "--secret")
    shell.run("stack", "init", "two", "--no-select")
    shell.run("config", "cp", "--dest", "two")
    assert shell.run("config", "get", "pw", "--stack", "two") == "hunter2\n"
    ciphertext = file(shell).split("secure: ")[1].strip()
    assert ciphertext not in file(shell, "two")
    assert "no stack named 'nope' found" in shell.run("config", "cp", "--dest", "nope", code=6)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("config", "set", "--path", "l[2]", "1"), "could not set config: l[2]: array index out of range"),
        (
            ("config", "set", "k", "v", "--type", "nope"),
            'invalid type "nope"; must be one of string, int, bool, or float',
        ),
        (("config", "set", "k", "x", "--type", "int"), "cannot convert 'x' to type int"),
        (("config", "set", "a:b:c:d", "e"), "could not parse a:b:c:d as a configuration key"),
        (
            ("config", "set", "--secret", "--plaintext", "k", "v"),
            "if any flags in the group [secret plaintext type]",
        ),
        (("config", "refresh"), "getting latest configuration: no previous deployment"),
        (("config", "env", "ls"), "needs Pulumi Cloud"),
    ],
)
def test_what_cannot_be_set_is_told(shell, words, message):
    assert message in shell.run(*words, code=1)


def test_the_wrong_passphrase_is_told_and_changes_nothing(shell, monkeypatch):
    shell.run("config", "set", "pw", "v", "--secret")
    before = file(shell)
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "other")
    assert shell.run("config", "set", "--secret", "x", "y", code=1) == "error: incorrect passphrase\n"
    told = "error: getting stack configuration: get stack secrets manager: incorrect passphrase\n"
    assert shell.run("preview", code=1).endswith(told)
    monkeypatch.delenv("PULUMI_CONFIG_PASSPHRASE")
    assert "passphrase must be set with PULUMI_CONFIG_PASSPHRASE" in shell.run("preview", code=1)
    assert file(shell) == before


def test_a_value_of_the_wrong_type_stops_the_update(shell):
    text = "name: shop\nruntime: python\nconfig:\n  size:\n    type: integer\n"
    (shell.project / "Pulumi.yaml").write_text(text, encoding="utf-8")
    assert "Stack 'dev' is missing configuration value 'size'" in shell.run("preview", code=1)
    shell.run("config", "set", "size", "big")
    assert "'size' must be of type 'integer'" in shell.run("preview", code=1)
