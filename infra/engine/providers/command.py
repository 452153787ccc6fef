"""The package ``command``: local commands run as resources come and go, as pulumi-command runs them."""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import anyio

from infra.engine.providers.comparison import compared
from infra.engine.providers.contract import (
    Called,
    Checked,
    Created,
    Diff,
    Failure,
    Found,
    Provider,
    ProviderError,
    Target,
)
from infra.engine.values import UNKNOWN, Properties
from infra.engine.values.compare import contains_unknown

_COMMAND = "command:local:Command"
_RUN = "command:local:run"
_SHELL = ("/bin/sh", "-c")


class Command(Provider):
    """Serves ``command.local``; what a command prints are its outputs."""

    package = "command"
    previews = True

    async def check(self, target: Target, olds: Properties, news: Properties, seed: bytes) -> Checked:
        if target.type != _COMMAND:
            raise ProviderError(
                f"{target.type} is not served by the embedded engine, which has {_COMMAND}; "
                "use the Pulumi CLI"
            )
        refused = [key for key in ("assetPaths", "archivePaths") if news.get(key)]
        return Checked(news, tuple(Failure(key, "is not served by the embedded engine") for key in refused))

    async def diff(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
    ) -> Diff:
        found = compared(old_inputs, news, ignored=ignored, replacing=lambda key: key == "triggers")
        return replace(found, delete_before_replace=bool(found.replaces))

    async def create(self, target: Target, inputs: Properties, preview: bool) -> Created:
        if preview or contains_unknown(inputs):
            return Created("", {**inputs, "stdout": UNKNOWN, "stderr": UNKNOWN})
        printed = await _run(inputs.get("create"), inputs, {})
        return Created(f"{target.name}{secrets.token_hex(4)}", {**inputs, **printed})

    async def read(self, target: Target, id: str, inputs: Properties, state: Properties) -> Found:
        return Found(id, state, inputs)

    async def update(
        self,
        target: Target,
        id: str,
        old_inputs: Properties,
        old_outputs: Properties,
        news: Properties,
        ignored: Sequence[str],
        preview: bool,
    ) -> Properties:
        if preview or contains_unknown(news):
            return {**news, "stdout": UNKNOWN, "stderr": UNKNOWN}
        return {**news, **await _run(news.get("update") or news.get("create"), news, old_outputs)}

    async def delete(self, target: Target, id: str, inputs: Properties, outputs: Properties) -> None:
        await _run(inputs.get("delete"), inputs, outputs)

    async def invoke(self, token: str, arguments: Properties) -> Called:
        if token != _RUN:
            return await super().invoke(token, arguments)
        return Called({**arguments, **await _run(arguments.get("command"), arguments, {})})


async def _run(command: Any, given: Properties, previous: Properties) -> Properties:
    """Run ``command`` and answer what it printed; none, and there is nothing to run."""
    if not command:
        return {"stdout": "", "stderr": ""}
    interpreter = given.get("interpreter")
    words = [
        *([str(word) for word in interpreter] if isinstance(interpreter, list) and interpreter else _SHELL),
        str(command),
    ]
    environment = dict(os.environ)
    if given.get("addPreviousOutputInEnv") is not False and previous:
        environment["PULUMI_COMMAND_STDOUT"] = str(previous.get("stdout", ""))
        environment["PULUMI_COMMAND_STDERR"] = str(previous.get("stderr", ""))
    extra = given.get("environment")
    if isinstance(extra, dict):
        environment.update({key: str(value) for key, value in extra.items()})
    stdin, directory = given.get("stdin"), given.get("dir")
    try:
        done = await anyio.run_process(
            words,
            input=str(stdin).encode() if stdin is not None else None,
            stdin=None if stdin is not None else subprocess.DEVNULL,
            cwd=str(directory) if directory else None,
            env=environment,
            check=False,
        )
    except OSError as error:
        raise ProviderError(f"could not run {words[0]}: {error}") from error
    stdout, stderr = (text.decode(errors="replace").rstrip("\r\n") for text in (done.stdout, done.stderr))
    if done.returncode:
        raise ProviderError(f"exit status {done.returncode}: running {str(command)!r}:\n{stderr or stdout}")
    return {"stdout": stdout, "stderr": stderr}


def provider() -> Provider:
    """A new provider of commands."""
    return Command()
