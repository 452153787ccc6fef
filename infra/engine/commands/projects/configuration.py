"""``pulumi config``: a stack's configuration, shown and changed."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from infra.engine.commands import vaults
from infra.engine.commands.errors import ExitError
from infra.engine.commands.line import prompts
from infra.engine.commands.line.text import json_text, table
from infra.engine.project import stackfile, values
from infra.engine.project.errors import ProjectError
from infra.engine.project.stackfile import StackFile
from infra.engine.state.reference import Reference
from infra.engine.state.secrets import Vault

if TYPE_CHECKING:
    from infra.engine.commands.line.invocation import Invocation


def show(call: Invocation) -> None:
    """List the configuration, secrets blinded unless asked for."""
    file = call.stack_file(call.stack)
    config = stackfile.effective(call.project, call.stack.name, file, validate=False)
    plain = call.flags["show-secrets"]
    decrypt = _decrypter(call, call.stack, file) if plain else None
    if call.json:
        print(json_text({key: entry(config[key], decrypt) for key in sorted(config)}))
        return
    project = call.project.name
    keys = sorted(config, key=lambda key: (key.startswith(f"{project}:"), key))
    rows = [(values.shown_key(key, project), _text(config[key], decrypt)) for key in keys]
    print(table(("KEY", "VALUE"), rows))


def _decrypter(call: Invocation, stack: Reference, file: StackFile) -> Callable[[str], str]:
    vault = Vault(file.encryption_salt, vaults.asker(call, stack))
    return lambda ciphertext: vault.decrypt(ciphertext, ciphertext)


def _text(value: Any, decrypt: Callable[[str], str] | None) -> str:
    return values.as_text(values.decrypted(value, decrypt) if decrypt else values.blinded(value))


def entry(value: Any, decrypt: Callable[[str], str] | None) -> dict[str, Any]:
    """A configuration value as ``--json`` has it; without ``decrypt`` a secret one has no value."""
    secret = values.has_secret(value)
    if secret and decrypt is None:
        return {"secret": True}
    plain = values.decrypted(value, decrypt) if decrypt else value
    result = {"value": values.as_text(plain)}
    if values.is_object(value):
        result["objectValue"] = _sorted(plain)
    return result | {"secret": secret}


def _sorted(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def get(call: Invocation) -> None:
    """Print one value, a secret in plain."""
    stack = call.stack
    file = call.stack_file(stack)
    key, path = _key(call, call.words[0])
    there, value = values.get_in(
        stackfile.effective(call.project, stack.name, file, validate=False), [key, *path]
    )
    if not there:
        raise ExitError(f"configuration key '{call.words[0]}' not found for stack '{call.shown(stack)}'")
    decrypt = _decrypter(call, stack, file)
    print(json_text(entry(value, decrypt)) if call.json else _text(value, decrypt))


def _key(call: Invocation, text: str, *, path: bool | None = None) -> tuple[str, list[str | int]]:
    """The full key that ``text`` names, and the path inside its value."""
    if not (call.flags["path"] if path is None else path):
        return values.parse_key(text, call.project.name), []
    head, *rest = values.parse_path(text)
    return values.parse_key(str(head), call.project.name), rest


def set_one(call: Invocation) -> None:
    """Set one value: the second argument, or standard input, or what the user types."""
    stack = call.stack
    if call.flags["secret"] and call.flags["plaintext"]:
        raise ExitError(
            "if any flags in the group [secret plaintext type] are set none of the others can be;"
            " [plaintext secret]"
            " were all set"
        )
    text = call.words[1] if len(call.words) > 1 else _read(call)
    if call.flags["secret"]:
        value: Any = text
    else:
        value = _as_type(text, call.flags["type"], inside=call.flags["path"])
    _set(call, stack, [(call.words[0], value, call.flags["secret"])], path=call.flags["path"])


def _read(call: Invocation) -> str:
    if call.interactive:
        from getpass import getpass

        return getpass("value: ") if call.flags["secret"] else prompts.ask("value")
    text = sys.stdin.read()
    return text if call.flags["raw"] else text.rstrip("\r\n")


def _as_type(text: str, kind: str, *, inside: bool) -> Any:
    """The value to store.

    Without a type, text inside a path is stored as what it reads as, other text as text.
    """
    if not kind:
        return values.typed(text) if inside else text
    try:
        if kind == "bool" and text in {"true", "false"}:
            return text == "true" if inside else text
        if kind in {"int", "float"}:
            number = int(text) if kind == "int" else float(text)
            return number if inside else text
    except ValueError:
        pass
    if kind == "string":
        return text
    if kind not in {"bool", "int", "float"}:
        raise ExitError(f'invalid type "{kind}"; must be one of string, int, bool, or float')
    raise ExitError(f"cannot convert '{text}' to type {kind}")


def _set(call: Invocation, stack: Reference, entries: list[tuple[str, Any, bool]], *, path: bool) -> None:
    """Set values; those marked secret are encrypted."""
    file = call.stack_file(stack)
    if any(secret for _, _, secret in entries):
        file, vault = vaults.of_file(call, stack, file)
        entries = [
            (key, {"secure": vault.crypter.encrypt(str(value))} if secret else value, secret)
            for key, value, secret in entries
        ]
    config: Any = dict(file.config)
    for text, value, _ in entries:
        key, inner = _key(call, text, path=path)
        try:
            config[key] = values.set_in(config.get(key) if inner else None, inner, value, text)
        except ProjectError as error:
            raise ExitError(f"could not set config: {error}") from error
    stackfile.save(replace(file, config=config), call.project.name)


def set_all(call: Invocation) -> None:
    """Set many values at once, of ``key=value`` words or of JSON."""
    stack = call.stack
    if call.flags["json"]:
        if call.flags["plaintext"] or call.flags["secret"]:
            raise ExitError("the --json option cannot be used with the --plaintext or --secret options")
        _set(call, stack, _from_json(call.flags["json"]), path=False)
        return
    entries = []
    for name, secret in (("plaintext", False), ("secret", True)):
        for word in call.flags[name]:
            key, equals, value = word.partition("=")
            if not equals:
                raise ExitError(f"config value for {key} must be given as key=value")
            entries.append((key, values.typed(value) if call.flags["path"] and not secret else value, secret))
    _set(call, stack, entries, path=call.flags["path"])


def _from_json(text: str) -> list[tuple[str, Any, bool]]:
    try:
        document = json.loads(text)
        return [
            (
                key,
                item["objectValue"] if "objectValue" in item else item.get("value", ""),
                bool(item.get("secret")),
            )
            for key, item in document.items()
        ]
    except (ValueError, AttributeError, TypeError) as error:
        raise ExitError(f"could not parse --json argument: {error}") from error


def remove(call: Invocation) -> None:
    """Remove values; one that is not there is no error."""
    stack = call.stack
    file = call.stack_file(stack)
    config: Any = dict(file.config)
    for text in call.words:
        key, path = _key(call, text)
        config = values.remove_in(config, [key, *path])
    stackfile.save(replace(file, config=config), call.project.name)


def copy(call: Invocation) -> None:
    """Copy one value, or all, to another stack."""
    stack = call.stack
    if not call.flags["dest"]:
        raise ExitError("a destination stack is needed: --dest NAME")
    target = call.existing(call.flags["dest"])
    if target == stack:
        raise ExitError("current stack and destination stack are the same")
    copy_between(call, stack, target, call.words[0] if call.words else None)


def copy_between(call: Invocation, source: Reference, target: Reference, text: str | None) -> None:
    """Copy one key, or all, encrypting secrets anew under the other stack's passphrase."""
    file, other = call.stack_file(source), call.stack_file(target)
    chosen: Any = dict(sorted(file.config.items()))
    path: list[str | int] = []
    if text is not None:
        key, inner = _key(call, text)
        path = [key, *inner]
        there, value = values.get_in(chosen, path)
        if not there:
            raise ExitError(f"configuration key '{text}' not found for stack '{call.shown(source)}'")
        chosen = values.set_in({}, path, value, text)
    if values.has_secret(list(chosen.values())):
        decrypt = _decrypter(call, source, file)
        other, vault = vaults.of_file(call, target, other)
        chosen = encrypted_anew(chosen, decrypt, vault.crypter.encrypt)
    config: Any = dict(other.config)
    if text is None:
        config |= chosen
    else:
        config = values.set_in(config, path, values.get_in(chosen, path)[1], text)
    stackfile.save(replace(other, config=config), call.project.name)


def encrypted_anew(value: Any, decrypt: Callable[[str], str], encrypt: Callable[[str], str]) -> Any:
    """``value`` with its secrets encrypted by another provider."""
    if values.is_secure(value):
        return {"secure": encrypt(decrypt(value["secure"]))}
    if isinstance(value, dict):
        return {key: encrypted_anew(item, decrypt, encrypt) for key, item in value.items()}
    return [encrypted_anew(item, decrypt, encrypt) for item in value] if isinstance(value, list) else value


def refresh(call: Invocation) -> None:
    """Make the configuration file what the last update was given."""
    stack = call.stack
    updates = call.backend.history(stack)
    if not updates:
        raise ExitError("getting latest configuration: no previous deployment")
    file = call.stack_file(stack)
    latest = dict(updates[0].get("config") or {})
    if dict(file.config) != latest and file.path.exists() and not call.flags["force"]:
        backup = file.path.with_name(file.path.name + ".bak")
        backup.write_bytes(file.path.read_bytes())
        print(f"backed up existing stack configuration file to {backup}")
    stackfile.save(replace(file, config=latest), call.project.name)
    print(f"refreshed configuration for stack '{call.shown(stack)}'")
