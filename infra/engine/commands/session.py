"""What an operation on a stack works with: its state and configuration, decrypted, and the program."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field, replace
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

from infra.engine.commands import vaults
from infra.engine.commands.errors import ExitError
from infra.engine.project import stackfile, values
from infra.engine.project.stackfile import StackFile
from infra.engine.state import serialize
from infra.engine.state.errors import PassphraseError, StateError
from infra.engine.state.journal import provider_of
from infra.engine.state.model import Snapshot
from infra.engine.state.reference import Reference
from infra.engine.state.secrets import Vault
from infra.engine.values import Properties

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.deploy.contract import Program
    from infra.engine.protocol.program.launcher import Launcher


@dataclass(frozen=True, slots=True)
class Session:
    """One stack at work. ``config`` is plain text by full key, ``secret`` names the keys that are secret.

    What is ``excluded`` an operation leaves as it is; ``blinded`` are the secret ones as they may be shown.
    ``launcher`` is the program's interpreter, where it has been started already.
    """

    stack: Reference
    file: StackFile
    vault: Vault
    config: Mapping[str, str]
    secret: frozenset[str]
    snapshot: Snapshot
    excluded: tuple[str, ...] = ()
    blinded: Mapping[str, str] = field(default_factory=dict)
    launcher: Launcher | None = None


def open_session(call: Invocation) -> Session:
    """Read the stack and its configuration, saving what ``--config`` gives. Raises errors for the user."""
    stack, project = call.stack, call.project
    if stack.project and stack.project != project.name:
        raise ExitError(
            f'provided project name "{stack.project}" doesn\'t match Pulumi.yaml ("{project.name}")'
        )
    file = _with_given(call, call.stack_file(stack))
    # The engine is imported while the key is stretched, which leaves the interpreter to others.
    Thread(target=import_module, args=("infra.engine.deploy.update",), daemon=True).start()
    try:
        file, vault = vaults.of_file(call, stack, file)
        _ = vault.crypter  # a wrong passphrase is told before anything is begun
    except PassphraseError as error:
        raise ExitError(f"getting stack configuration: get stack secrets manager: {error}") from error
    checked = not call.flags.get("skip-config-validation")
    config = stackfile.effective(project, stack.name, file, validate=checked)
    plain = {
        key: values.as_text(values.decrypted(value, lambda text: vault.decrypt(text, text)))
        for key, value in config.items()
    }
    secret = frozenset(key for key, value in config.items() if values.has_secret(value))
    blinded = {
        key: values.as_text(values.decrypted(config[key], lambda _: "[secret]")) for key in sorted(secret)
    }
    return Session(stack, file, vault, plain, secret, snapshot_of(call, stack, vault), blinded=blinded)


def _with_given(call: Invocation, file: StackFile) -> StackFile:
    words = call.flags.get("config") or []
    if not words:
        return file
    file = replace(
        file, config=values.given(file.config, words, call.project.name, paths=call.flags["config-path"])
    )
    stackfile.save(file, call.project.name)
    return file


def snapshot_of(call: Invocation, stack: Reference, vault: Vault | None) -> Snapshot:
    """The stack's state, decrypted by ``vault`` or, where that is of another key, by a vault of its own."""
    deployment = call.backend.read(stack).deployment
    own = vaults.of_deployment(call, stack, deployment)
    if vault is not None and (own is None or own.state == vault.state):
        own = vault
    if deployment is None:
        return Snapshot(secrets_provider=provider_of(own.state) if own else None)
    try:
        return serialize.parse_deployment(deployment, own)
    except PassphraseError as error:
        raise StateError(f"could not decrypt the state of stack '{stack.name}': {error}") from error


def program_of(call: Invocation) -> Program:
    """The project's program; with ``--client`` one that another process runs when asked at that address."""
    from infra.engine.deploy.contract import Program

    project = call.project
    if project.runtime != "python":
        raise ExitError(
            f"failed to load language plugin {project.runtime}: the embedded engine runs Python programs"
            " alone;"
            " install the Pulumi CLI for other languages"
        )
    return Program(
        project=project.name,
        root=Path(project.root),
        main=project.main,
        options=project.options,
        environment=dict(os.environ),
        plugins=project.plugins,
        address=call.flags.get("client") or "",
    )


@contextmanager
def launched(call: Invocation, again: bool) -> Iterator[Launcher | None]:
    """The program's interpreter, to get ready along with the engine; None where a run has to tell why not."""
    from infra.engine.deploy.errors import DeploymentError
    from infra.engine.protocol.program.launcher import Launcher

    try:
        program = program_of(call)
        launcher = None if program.address else Launcher(program, again)
    except DeploymentError:
        launcher = None
    with launcher or nullcontext():
        yield launcher


class Stacks:
    """Other stacks of the backend, for ``pulumi.StackReference``."""

    def __init__(self, call: Invocation) -> None:
        self._call = call
        self._known: dict[str, Snapshot] = {}

    def _read(self, name: str) -> Snapshot:
        if name not in self._known:
            try:
                stack = self._call.reference(name)
                self._known[name] = snapshot_of(self._call, stack, None)
            except StateError as error:
                raise LookupError(f"unknown stack {name!r}: {error}".replace("'", '"', 2)) from error
        return self._known[name]

    async def outputs(self, name: str) -> Properties:
        """The root outputs of a stack, secrets marked."""
        root = self._read(name).root
        return root.outputs if root else {}

    async def resource_outputs(self, name: str) -> Properties:
        """URN to type and outputs for each resource of a stack."""
        return {
            resource.urn: {"type": resource.type, "outputs": dict(resource.outputs)}
            for resource in self._read(name).resources
            if not resource.delete
        }
