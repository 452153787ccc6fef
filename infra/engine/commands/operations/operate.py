"""``pulumi preview|up|refresh|destroy|import``: foretold, asked for, and done."""

from __future__ import annotations

import sys
import time
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.commands.operations import history, plans
from infra.engine.commands.session import Session, Stacks, launched, open_session, program_of
from infra.engine.deploy import urns
from infra.engine.display.options import Options, View
from infra.engine.state.backend import is_truthy

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation
    from infra.engine.deploy.contract import Kind, Outcome, Plan, PreviewOf, UpdateRequest
    from infra.engine.display.events import Event

NO_CHANGES_EXPECTED = 7
BAD_INVOCATION = 2
CANCELLED = 8
_DOING = {"update": "Updating", "refresh": "Refreshing", "destroy": "Destroying", "import": "Importing"}
_HISTORY_KINDS = {"import": "resource-import"}
_UNCHANGED = frozenset({"same", "read", "discard", "read-replacement", "discard-replaced"})


def preview(call: Invocation) -> int:
    """Show what an update would do."""
    with launched(call, again=False) as launcher:
        session = replace(open_session(call), launcher=launcher)
        outcome, _ = _foretell(call, session, "update")
    _save_plan(call, session, outcome)
    if call.flags["import-file"]:
        from infra.engine.commands.operations.imports import write_creates

        write_creates(call.flags["import-file"], session.snapshot, outcome)
    return _code(call, outcome, "preview")


def up(call: Invocation) -> int:
    """Make the stack what the program says."""
    return operate(call, "update")


def refresh(call: Invocation) -> int:
    """Make the state what the cloud says."""
    return operate(call, "refresh")


def import_(call: Invocation) -> int:
    """Take resources that exist into the state."""
    return operate(call, "import")


def operate(call: Invocation, kind: PreviewOf, excluded: tuple[str, ...] = ()) -> int:
    """Foretell, ask, and do; what is ``excluded`` stays as it is. Returns the exit code."""
    flags = call.flags
    skip = flags["skip-preview"] or is_truthy(call.variables.get("PULUMI_SKIP_PREVIEW"))
    only = flags.get("preview-only", False)
    approved = flags["yes"] or is_truthy(call.variables.get("PULUMI_SKIP_CONFIRMATIONS"))
    if not (call.interactive or approved or skip or only):
        raise ExitError(
            "--yes or --skip-preview or --preview-only must be passed in to proceed when running in"
            " non-interactive mode",
            1 if kind == "refresh" else BAD_INVOCATION,
        )
    if skip and only:
        raise ExitError("--skip-preview cannot be used with --preview-only", BAD_INVOCATION)
    plan = plans.read(call) if flags.get("plan") else None
    with ExitStack() as held:
        runs = kind == "update" or flags.get("run-program", False)
        launcher = held.enter_context(launched(call, again=not (skip or only))) if runs else None
        if not only:
            held.enter_context(call.backend.locks(call.stack).hold())
        session = replace(open_session(call), excluded=excluded, launcher=launcher)
        if kind == "refresh":
            from infra.engine.commands.operations import creates

            session = creates.settle(call, session)
        if not skip or only:
            outcome, events = _foretell(call, session, kind, plan)
            if only or outcome.result != "succeeded":
                return _code(call, outcome, "preview" if only else kind)
            if not approved:
                _ask(call, kind, events)
        outcome = _apply(call, session, kind, plan)
    return _code(call, outcome, kind)


def _code(call: Invocation, outcome: Outcome, kind: str) -> int:
    if outcome.result == "cancelled":
        return CANCELLED
    if outcome.result == "failed":
        return 1
    changed = any(count for op, count in outcome.changes.items() if op not in _UNCHANGED)
    if call.flags["expect-no-changes"] and changed:
        verb = "proposed" if kind == "preview" else "made"
        ending = f"no changes were expected for {kind} but changes were {verb}"
        raise ExitError(
            ending if kind == "preview" else "no changes were expected but changes occurred",
            NO_CHANGES_EXPECTED,
        )
    return 0


def _foretell(
    call: Invocation, session: Session, kind: PreviewOf, plan: Plan | None = None
) -> tuple[Outcome, list[Event]]:
    events: list[Event] = []
    request = request_for(call, session, "preview", kind, plan)
    started = time.monotonic()
    if call.flags["json"]:
        from infra.engine.display.digest import Digest

        digest = Digest(options(call, kind))
        outcome = perform(call, session, request, [digest])
        print(digest.text(session.snapshot, outcome.snapshot, time.monotonic() - started))
    else:
        print(f"Previewing {kind} ({call.shown(session.stack)}):", flush=True)
        outcome = perform(call, session, request, [_view(call, session, kind), events.append])
    return outcome, events


def _apply(call: Invocation, session: Session, kind: PreviewOf, plan: Plan | None) -> Outcome:
    request = request_for(call, session, kind, kind, plan)
    started = int(time.time())
    if call.flags["json"]:
        from infra.engine.display.log import Lines

        outcome = perform(call, session, request, [], Lines(sys.stdout))
    else:
        print(f"{_DOING[kind]} ({call.shown(session.stack)}):", flush=True)
        outcome = perform(call, session, request, [_view(call, session, kind)])
    entry = history.entry(call, session, _HISTORY_KINDS.get(kind, kind), started, outcome)
    call.backend.add_history(session.stack, entry)
    return outcome


def _save_plan(call: Invocation, session: Session, outcome: Outcome) -> None:
    path = call.flags["save-plan"]
    if not path or outcome.result != "succeeded":
        return
    plans.write(path, outcome, session, show_secrets=call.flags["show-secrets"])
    if not call.flags["json"]:
        print(
            f"Update plan written to '{path}'\n"
            f"Run `pulumi up --plan='{path}'` to constrain the update to the operations planned by this"
            " preview",
            file=sys.stderr,
        )


def _ask(call: Invocation, kind: str, events: list[Event]) -> None:
    """Ask whether to go on; "details" shows the preview as ``--diff`` does."""
    from infra.engine.display.diff import DiffView

    choices = {"yes": "yes", "no": "no", "details": "details"}
    while True:
        answer = prompts.pick(f"Do you want to perform this {kind}?", choices)
        if answer == "yes":
            return
        if answer == "no":
            print(f"confirmation declined, not proceeding with the {kind}")
            raise ExitError
        view = DiffView(options(call, kind))
        for event in events:
            view(event)


def options(call: Invocation, kind: str) -> Options:
    """What the command line asks a view to show."""
    flags = call.flags
    return Options(
        out=sys.stdout,
        err=sys.stderr,
        color=call.color,
        debug=flags.get("debug", False),
        refresh=kind == "refresh",
        show_config=flags.get("show-config", False),
        show_reads=flags.get("show-reads", False),
        show_replacement_steps=flags.get("show-replacement-steps", False),
        show_sames=flags.get("show-sames", False),
        show_urns=flags.get("urns", False),
        suppress_outputs=flags.get("suppress-outputs", False),
        suppress_progress=flags.get("suppress-progress", False),
    )


def _view(call: Invocation, session: Session, kind: str) -> View:
    if call.flags["diff"]:
        from infra.engine.display.diff import DiffView

        return DiffView(options(call, kind))
    from infra.engine.display.progress import ProgressView

    return ProgressView(options(call, kind), urns.root(session.stack.name, call.project.name))


def request_for(
    call: Invocation, session: Session, kind: Kind, of: PreviewOf, plan: Plan | None
) -> UpdateRequest:
    """The request that the command line makes."""
    from infra.engine.commands.operations.imports import given_imports
    from infra.engine.deploy.contract import UpdateRequest

    flags = call.flags
    both = tuple(flags.get("target-replace") or ())
    refresh_first = flags.get("refresh") or (
        "true" if call.project.options.get("refresh") == "always" else ""
    )
    return UpdateRequest(
        kind=kind,
        stack=session.stack.name,
        project=call.project.name,
        snapshot=session.snapshot,
        program=program_of(call),
        launcher=session.launcher,
        preview_of=of,
        config=session.config,
        secret_config=session.secret,
        blinded_config=session.blinded,
        targets=(*flags.get("target", ()), *both),
        target_dependents=flags.get("target-dependents", False),
        replaces=(*(flags.get("replace") or ()), *both),
        excludes=(*(flags.get("exclude") or ()), *session.excluded),
        exclude_dependents=flags.get("exclude-dependents", False),
        refresh=is_truthy(refresh_first),
        run_program=flags.get("run-program", False),
        parallel=max(1, flags["parallel"]),
        continue_on_error=flags.get("continue-on-error", False)
        or is_truthy(call.variables.get("PULUMI_CONTINUE_ON_ERROR")),
        ignore_protect=flags.get("ignore-protect", False),
        imports=given_imports(call) if of == "import" else (),
        plan=plan,
        generate_plan=bool(flags.get("save-plan")),
        stacks=Stacks(call),
        debug=flags.get("debug", False),
        show_secrets=flags.get("show-secrets", False),
    )


def perform(
    call: Invocation, session: Session, request: UpdateRequest, views: list[Any], log: View | None = None
) -> Outcome:
    """Run a request, showing its events; what it changes is journalled unless it is a preview.

    A ``log`` is given the engine's own affairs too.
    """
    import anyio

    from infra.engine.display.events import is_internal
    from infra.engine.display.log import EventLog

    place = call.flags.get("event-log")
    with ExitStack() as open_logs:
        logs = [each for each in (log, open_logs.enter_context(EventLog(place)) if place else None) if each]

        def emit(event: Event) -> None:
            for listener in logs if is_internal(event) else [*views, *logs]:
                listener(event)

        outcome: Outcome = anyio.run(partial(_perform, call, session, request, emit))
        from infra.engine.display.events import CancelEvent

        emit(CancelEvent())
        return outcome


async def _perform(call: Invocation, session: Session, request: UpdateRequest, emit: Any) -> Outcome:
    import anyio

    from infra.engine.commands.version import version_of_engine
    from infra.engine.deploy.update import update
    from infra.engine.state.journal import provider_of, recording

    interrupt = anyio.Event()
    async with anyio.create_task_group() as group:
        group.start_soon(_watch_signals, interrupt, group.cancel_scope)
        try:
            if request.kind == "preview":
                return await update(request, _NoJournal(), emit, interrupt)
            snapshot = session.snapshot
            if snapshot.secrets_provider is None:
                snapshot = replace(snapshot, secrets_provider=provider_of(session.vault.state))
            version = version_of_engine()
            async with recording(call.backend, session.stack, snapshot, session.vault, version) as journal:
                return await update(request, journal, emit, interrupt)
        finally:
            group.cancel_scope.cancel()
    raise ExitError(
        "the operation was interrupted; what was under way is pending, see `pulumi stack`", CANCELLED
    )


async def _watch_signals(interrupt: Any, scope: Any) -> None:
    """The first Ctrl-C asks to stop, the second stops."""
    import signal

    import anyio

    with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            if interrupt.is_set():
                scope.cancel()
                return
            interrupt.set()
            print(
                "^C received; cancelling. If you would like to terminate immediately, press ^C again.\n"
                "Note that terminating immediately may lead to orphaned resources and other inconsistencies.",
                file=sys.stderr,
            )


class _NoJournal:
    """The journal of a preview, which changes nothing."""

    async def begin(self, operation: Any) -> None:
        """Nothing is recorded."""

    async def end(self, operation: Any, change: Any) -> None:
        """Nothing is recorded."""

    async def rewrite(self, snapshot: Any) -> None:
        """Nothing is recorded."""
