"""Which secrets provider a stack has, and its passphrase: from the variables, or by asking."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.project import stackfile
from infra.engine.project.stackfile import StackFile
from infra.engine.state import secrets
from infra.engine.state.errors import PassphraseError
from infra.engine.state.reference import Reference
from infra.engine.state.secrets import Vault

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation

SERVED = ("", "default", "passphrase")


def check_provider(name: str) -> None:
    """Raise ExitError unless the secrets provider is one that is served here."""
    if name.partition("://")[0] not in SERVED:
        raise ExitError(
            f"unknown secrets provider type '{name}': the embedded engine keeps secrets under a"
            " passphrase alone; use"
            " --secrets-provider passphrase, or install the Pulumi CLI for those of clouds"
        )


def asker(call: Invocation, stack: Reference) -> Callable[[], str]:
    """A function that gets the passphrase of a stack that has one."""

    def ask() -> str:
        known = secrets.passphrase_from(call.variables)
        if known is not None:
            return known
        if not call.interactive:
            raise PassphraseError(
                "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
                " environment"
                " variables"
            )
        return _type(
            f"Enter your passphrase to unlock config/secrets for stack {stack.name}\n"
            "    (set PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE to remember)"
        )

    return ask


def new_vault(call: Invocation) -> Vault:
    """A new provider under the passphrase that the variables give, or that is typed twice."""
    passphrase = secrets.passphrase_from(call.variables)
    return _fresh(passphrase if passphrase is not None else _choose(call, "passphrase"))


def rotated_vault(call: Invocation) -> Vault:
    """A new provider under a new passphrase, that is typed, or the first line of standard input."""
    if not call.interactive:
        return _fresh(sys.stdin.readline().strip())
    return _fresh(_choose(call, "new passphrase"))


def _fresh(passphrase: str) -> Vault:
    state, crypter = secrets.fresh(passphrase)
    return Vault.opened(state, crypter)


def _choose(call: Invocation, what: str) -> str:
    if not call.interactive:
        raise PassphraseError(
            "passphrase must be set with PULUMI_CONFIG_PASSPHRASE or PULUMI_CONFIG_PASSPHRASE_FILE"
            " environment"
            " variables"
        )
    while True:
        first = _type(f"Enter your {what} to protect config/secrets")
        if first == _type(f"Re-enter your {what} to confirm"):
            return first
        print("error: passphrases do not match", file=sys.stderr)


def _type(prompt: str) -> str:
    from getpass import getpass

    return getpass(f"{prompt}: ")


def of_deployment(call: Invocation, stack: Reference, deployment: dict[str, Any] | None) -> Vault | None:
    """The provider that a stack's state is encrypted under, None if it has none."""
    provider = (deployment or {}).get("secrets_providers")
    if not provider or not provider.get("type"):
        return None
    if provider["type"] != "passphrase":
        raise ExitError(
            f"stack '{stack.name}' keeps its secrets with the provider '{provider['type']}', which the"
            " embedded engine"
            " does not serve: change it with `pulumi stack change-secrets-provider passphrase` of the"
            " Pulumi CLI"
        )
    return Vault((provider.get("state") or {}).get("salt", ""), asker(call, stack))


def of_file(call: Invocation, stack: Reference, file: StackFile) -> tuple[StackFile, Vault]:
    """The provider of a stack's configuration.

    Where it has none yet the state's, or a new one, which is saved.
    """
    check_provider(file.secrets_provider)
    if file.encryption_salt:
        return file, Vault(file.encryption_salt, asker(call, stack))
    vault = of_deployment(call, stack, call.backend.read(stack).deployment) or new_vault(call)
    file = replace(file, encryption_salt=vault.state)
    stackfile.save(file, call.project.name)
    return file, vault
