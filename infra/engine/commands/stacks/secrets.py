"""``pulumi stack change-secrets-provider``: the stack's secrets under another passphrase."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.commands import vaults
from infra.engine.commands.projects.configuration import encrypted_anew
from infra.engine.commands.session import snapshot_of
from infra.engine.project import stackfile
from infra.engine.state import serialize
from infra.engine.state.backend import Checkpoint
from infra.engine.state.journal import provider_of

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def change(call: Invocation) -> None:
    """Encrypt configuration and state anew, under a passphrase that is asked for."""
    vaults.check_provider(call.words[0])
    stack = call.stack
    with call.backend.locks(stack).hold():
        file, old = vaults.of_file(call, stack, call.stack_file(stack))
        _ = old.crypter
        snapshot = snapshot_of(call, stack, old)
        new = vaults.rotated_vault(call)
        print("Migrating old configuration and state to new secrets provider")
        config = {
            key: encrypted_anew(value, lambda text: old.decrypt(text, text), new.crypter.encrypt)
            for key, value in file.config.items()
        }
        # The state first: should this be cut short, the old passphrase still opens the configuration.
        moved = replace(snapshot, secrets_provider=provider_of(new.state))
        deployment, features = serialize.deployment_json(moved, new)
        call.backend.write(stack, Checkpoint.of(deployment, features))
        stackfile.save(replace(file, config=config, encryption_salt=new.state), call.project.name)
