"""The passphrase provider (vectors made by the Pulumi CLI: `stack init` and `config set --secret`)."""

import pytest

from infra.engine.state import secrets
from infra.engine.state.errors import PassphraseError
from infra.engine.state.secrets import Vault

# `pulumi stack init dev; pulumi config set --secret pw hunter2` with PULUMI_CONFIG_PASSPHRASE=secret1
SALT = "v1:YVF4kqhrPSw=:v1:4PQ2WNdr6tPUBW44:up3ptqVrrhM+8WIXdSIr1TpKrwVlaA=="
CIPHERTEXT = "v1:hzFq6ig/AAlRtBC3:1npAl9zKg3gPaQdSAlq9rfZ4HmDAnqs="


def test_what_the_real_cli_encrypted_is_decrypted():
    assert secrets.unlock("secret1", SALT).decrypt(CIPHERTEXT) == "hunter2"


def test_a_new_provider_opens_with_its_passphrase_alone():
    state, crypter = secrets.fresh("p")
    assert secrets.unlock("p", state).decrypt(crypter.encrypt("é")) == "é"
    with pytest.raises(PassphraseError, match=r"^incorrect passphrase$"):
        secrets.unlock("q", state)


@pytest.mark.parametrize(("state", "message"), [("v1", "malformed"), ("v2:a:b", "unknown state version")])
def test_a_state_that_is_none_is_refused(state, message):
    with pytest.raises(PassphraseError, match=message):
        secrets.unlock("p", state)


def test_a_passphrase_is_asked_for_once_and_only_when_needed():
    asked = []
    vault = Vault(SALT, lambda: asked.append(1) or "secret1")
    assert not asked
    assert vault.decrypt(CIPHERTEXT, "a") == "hunter2"
    vault.encrypt("x", "b")
    assert len(asked) == 1


def test_a_secret_that_did_not_change_keeps_its_ciphertext():
    vault = Vault(SALT, lambda: "secret1")
    plaintext = vault.decrypt(CIPHERTEXT, "here")
    assert vault.encrypt(plaintext, "here") == CIPHERTEXT
    assert vault.encrypt(plaintext, "there") != CIPHERTEXT


def test_where_the_passphrase_comes_from(tmp_path):
    file = tmp_path / "pass"
    file.write_text("from file\n", encoding="utf-8")
    both = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}
    assert secrets.passphrase_from(both) == ""
    assert secrets.passphrase_from({"PULUMI_CONFIG_PASSPHRASE_FILE": str(file)}) == "from file"
    assert secrets.passphrase_from({}) is None
    with pytest.raises(PassphraseError, match="unable to read PULUMI_CONFIG_PASSPHRASE_FILE"):
        secrets.passphrase_from({"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "none")})
