"""``dagger query``: a GraphQL query from a file or stdin, its answer as JSON on stdout."""

import json
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ci.engine.commands.globals import Settings
from ci.engine.commands.graphql import QueryError
from ci.engine.commands.modules.asking import asking, serve

_UNKNOWN = re.compile(r'Cannot query field "\w+" on type "Query"')


def query(
    document: str | None,
    operation: str | None,
    variables: Mapping[str, Any],
    settings: Settings,
    *,
    module: str | None = None,
    alone: bool = False,
) -> int:
    """Send a query, the one in the file ``document`` or on stdin, and print its data.

    It may call the functions of ``module``, or of the one that the work is done in; ``alone``: of none.

    Raises:
        QueryError: there is no query, or an error is the answer.
        ModuleError: the module that was named does not exist.
        NoEngineError: there is no session to be had.
    """
    text = _text(document)
    with asking(settings) as client:
        if module:
            serve(client, module)
        try:
            answer = client.ask(text, variables, operation)
        except QueryError as error:
            # A module takes its time to load: it is, once it is known to be asked for.
            if alone or module or not _UNKNOWN.match(str(error)) or serve(client, None) is None:
                raise
            answer = client.ask(text, variables, operation)
    print(json.dumps(answer, indent=4, ensure_ascii=False))
    return 0


def read_variables(pairs: Sequence[str], document: str | None) -> dict[str, Any]:
    """Return the query's variables: the JSON object in ``document``, or else ``pairs`` of ``name=value``.

    Raises:
        QueryError: they are malformed.
    """
    if document:
        try:
            found = json.loads(document)
        except ValueError as error:
            raise QueryError(f"--var-json is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise QueryError("--var-json must be a JSON object")
        return found
    split = [pair.partition("=") for pair in pairs]
    if wrong := [name for name, equals, _ in split if not equals]:
        raise QueryError(f'--var "{wrong[0]}" is not of the form name=value')
    return {name: value for name, _, value in split}


def _text(document: str | None) -> str:
    if document in {None, "-"}:
        if sys.stdin.isatty():
            raise QueryError("no query: name a file with --doc, or write it to stdin")
        return sys.stdin.read()
    try:
        return Path(str(document)).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise QueryError(f"cannot read {document}: {error}") from None
