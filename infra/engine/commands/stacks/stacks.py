"""``pulumi stack init|select|unselect|ls|rm|rename`` and ``pulumi cancel``."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.engine.commands import vaults
from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.commands.line.text import age, json_text, milliseconds, parse_time, table
from infra.engine.commands.version import version_of_engine
from infra.engine.project import stackfile
from infra.engine.state import serialize
from infra.engine.state.backend import Checkpoint
from infra.engine.state.errors import NoSuchStackError
from infra.engine.state.journal import provider_of
from infra.engine.state.model import timestamp
from infra.engine.state.reference import Reference
from infra.engine.state.secrets import Vault

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def init(call: Invocation) -> None:
    """Make a stack, and select it."""
    if call.words and call.flags["stack"]:
        raise ExitError("only one of --stack or argument stack name may be specified, not both")
    name = call.words[0] if call.words else call.flags["stack"]
    if not name:
        if not call.interactive or call.flags["yes"]:
            raise ExitError("missing stack name")
        name = prompts.ask("Please enter your desired stack name", "dev")
    create(call, name, call.flags["secrets-provider"])
    if call.flags["copy-config-from"]:
        from infra.engine.commands.projects.configuration import copy_between

        copy_between(call, call.existing(call.flags["copy-config-from"]), call.existing(name), None)


def create(call: Invocation, name: str, provider: str) -> Reference:
    """Make the stack ``name`` with a secrets provider of its own, and select it unless told not to."""
    vaults.check_provider(provider)
    stack = call.reference(name)
    project = call.project
    if stack.project and stack.project != project.name:
        raise ExitError(
            f"provided project name {stack.project!r} doesn't match Pulumi.yaml: {project.name!r}".replace(
                "'", '"'
            )
        )
    call.backend.create(stack)
    file = call.stack_file(stack)
    if file.encryption_salt:
        vault = Vault(file.encryption_salt, vaults.asker(call, stack))
    else:
        vault = vaults.new_vault(call)
        stackfile.save(replace(file, encryption_salt=vault.state), project.name)
    deployment = {
        "manifest": serialize.manifest_json(timestamp(), version_of_engine()),
        "secrets_providers": serialize.provider_json(provider_of(vault.state)),
        "metadata": {},
    }
    call.backend.write(stack, Checkpoint(3, (), deployment))
    if not call.flags.get("no-select"):
        call.select(stack)
    print(f"Created stack '{call.shown(stack)}'", file=sys.stderr)
    return stack


def select(call: Invocation) -> None:
    """Select a stack, with ``--create`` a new one if there is none."""
    if call.words and call.flags["stack"]:
        raise ExitError("only one of --stack or argument stack name may be specified, not both")
    name = call.words[0] if call.words else call.flags["stack"]
    if not name:
        if not call.interactive:
            raise ExitError("no stack selected; specify a stack name with --stack", 6)
        stacks = {call.shown(stack): stack for stack in _of_project(call)}
        call.select(prompts.pick("Please choose a stack:", stacks))
        return
    stack = call.reference(name)
    if not call.backend.exists(stack):
        if not call.flags["create"]:
            raise NoSuchStackError(f"no stack named '{name}' found")
        create(call, name, call.flags["secrets-provider"])
        return
    call.select(stack)


def _of_project(call: Invocation) -> list[Reference]:
    return [
        stack for stack in call.backend.stacks() if not stack.project or stack.project == call.project_name
    ]


def unselect(call: Invocation) -> None:
    """Select no stack."""
    if call.selected is not None:
        call.select(None)
        print("Stack was unselected", file=sys.stderr)


def list_(call: Invocation) -> None:
    """List the project's stacks, or all of them."""
    if call.flags["all"] and call.flags["project"]:
        raise ExitError("only one of --all and --project may be specified")
    wanted = call.flags["project"] or (None if call.flags["all"] else call.project_name)
    if wanted is None and not call.flags["all"]:
        _ = call.project  # the error that there is none
    stacks = [
        stack
        for stack in call.backend.stacks()
        if wanted is None or not stack.project or stack.project == wanted
    ]
    if tag := call.flags["tag"]:
        name, equals, value = tag.partition("=")
        tags = {stack: call.backend.tags(stack) for stack in stacks}
        stacks = [s for s in stacks if name in tags[s] and (not equals or tags[s][name] == value)]
    selected = call.selected
    rows, entries = [], []
    for stack in stacks:
        deployment = call.backend.read(stack).deployment
        moment = parse_time((deployment or {}).get("manifest", {}).get("time", ""))
        count = len((deployment or {}).get("resources") or ())
        entry: dict[str, object] = {"name": call.shown(stack), "current": stack == selected}
        if moment is not None:
            entry["lastUpdate"] = milliseconds(moment)
        entries.append(entry | ({"resourceCount": count} if deployment is not None else {}))
        shown = call.shown(stack) + ("*" if stack == selected else "")
        known = deployment is not None
        rows.append((shown, age(moment) if moment else "n/a", str(count) if known else "n/a"))
    if call.json:
        print(json_text(entries))
    else:
        print(table(("NAME", "LAST UPDATE", "RESOURCE COUNT"), rows))


def remove(call: Invocation) -> None:
    """Remove a stack and, unless told not to, its configuration file."""
    if call.words and call.flags["stack"]:
        raise ExitError("only one of --stack or argument stack name may be specified, not both")
    stack = call.existing(call.words[0]) if call.words else call.stack
    shown = call.shown(stack)
    call.confirm(f"This will permanently remove the '{shown}' stack!", shown)
    if not call.flags["force"]:
        resources = (call.backend.read(stack).deployment or {}).get("resources") or []
        if any(resource["type"] != "pulumi:pulumi:Stack" for resource in resources):
            raise ExitError(
                f"'{shown}' still has resources; removal rejected. Possible actions:\n"
                f"- Make sure that '{shown}' is the stack that you want to destroy\n"
                "- Run `pulumi destroy` to delete the resources, then run `pulumi stack rm`\n"
                "- Run `pulumi stack rm --force` to override this error"
            )
    forget(call, stack, preserve_config=call.flags["preserve-config"])
    print(f"Stack '{shown}' has been removed!")


def forget(call: Invocation, stack: Reference, *, preserve_config: bool) -> None:
    """Remove what there is of a stack."""
    project = call.project_or_none
    was_selected = call.selected == stack
    call.backend.remove(
        stack, force=bool(call.flags.get("force")), keep_backups=not call.flags.get("remove-backups")
    )
    if project is not None and stack.project in {"", project.name}:
        if not preserve_config:
            project.stack_file(stack.name).unlink(missing_ok=True)
        if was_selected:
            call.select(None)


def rename(call: Invocation) -> None:
    """Give the stack another name, its configuration file too."""
    old, new = call.stack, call.reference(call.words[0])
    before = call.shown(old)
    selected = call.selected == old
    call.backend.rename(old, new)
    project = call.project_or_none
    if project is not None:
        file = project.stack_file(old.name)
        if file.exists() and new.project in {"", project.name}:
            file.rename(file.with_name(f"Pulumi.{new.name}{file.suffix}"))
        if selected:
            call.select(new)
    print(f"Renamed {before} to {call.shown(new)}")


def cancel(call: Invocation) -> None:
    """Take the stack's locks away."""
    stack = call.existing(call.words[0]) if call.words else call.stack
    shown = call.shown(stack)
    if call.interactive:
        call.confirm(
            f"This will irreversibly cancel the currently running update for '{shown}'!"
            " The process that holds the lock is not ended by this.",
            shown,
        )
    call.backend.locks(stack).remove_all()
    from infra.engine.state.watch import fold

    fold(call.backend.root, stack)
    print(f"The currently running update for '{shown}' has been canceled!")
