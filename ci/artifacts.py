"""Exports what the stages made to a folder of this machine; what is there already is left alone."""

import json
from collections.abc import Mapping
from pathlib import Path

import anyio
import dagger

from ci.report.failure import describe
from ci.session import EngineTrouble

NOTES = ".exported.json"


async def export(artifacts: Mapping[str, dagger.File | dagger.Directory], output: Path) -> dict[str, str]:
    """Write files and directories below ``output``; returns name -> path.

    A file (the image is a large one) is written only when its digest, its size or its time of change is
    another than after the last export. A directory is replaced.

    Raises:
        EngineTrouble: the engine could not make or write one of them.
    """
    try:
        return await _export(artifacts, output)
    except* dagger.DaggerError as errors:
        reason = describe(errors, "").message
        raise EngineTrouble(f"the artifacts could not be written to {output}. {reason}") from None


async def _export(artifacts: Mapping[str, dagger.File | dagger.Directory], output: Path) -> dict[str, str]:
    await anyio.Path(output).mkdir(parents=True, exist_ok=True)
    notes_path = anyio.Path(output / NOTES)
    notes = _read(await notes_path.read_text()) if await notes_path.exists() else {}
    known: dict[str, list[object]] = {}

    async def write_file(name: str, file: dagger.File) -> None:
        path = output / name
        digest = await file.digest()
        if not path.is_file() or notes.get(name) != [digest, *_stat(path)]:
            await file.export(str(path.resolve()))
        known[name] = [digest, *_stat(path)]

    async def write_directory(name: str, directory: dagger.Directory) -> None:
        await directory.export(str((output / name).resolve()), wipe=True)

    async with anyio.create_task_group() as tasks:
        for name, artifact in artifacts.items():
            if isinstance(artifact, dagger.File):
                tasks.start_soon(write_file, name, artifact)
            else:
                tasks.start_soon(write_directory, name, artifact)
    await notes_path.write_text(json.dumps(notes | known))
    return {name: str(output / name) for name in artifacts}


def _stat(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_size, stat.st_mtime_ns]


def _read(text: str) -> dict[str, list[object]]:
    try:
        notes = json.loads(text)
    except ValueError:
        return {}
    return notes if isinstance(notes, dict) else {}
