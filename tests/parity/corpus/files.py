"""Files: contents by lines, names, digests, replacements, JSON and env files in them."""

from tests.parity.world import Room, World

LINES = "one\ntwo\nthree\nfour\n"


def _file(world: World, text: str = LINES, mode: int = 0o644):
    return world.directory().with_new_file("dir/name.txt", text, permissions=mode).file("dir/name.txt")


async def _stat(world: World) -> list[object]:
    found = _file(world, mode=0o640).stat()
    return [await found.name(), await found.size(), await found.permissions(), await found.file_type()]


async def _variables(world: World, text: str, *, expand: bool = False) -> list[str]:
    variables = await _file(world, text).as_env_file(expand=expand).variables()
    return [f"{await variable.name()}={await variable.value()}" for variable in variables]


async def _found(world: World) -> list[list[object]]:
    results = await _file(world).search("t.*o|f")
    return [[await r.file_path(), await r.line_number(), await r.matched_lines()] for r in results]


PIPELINES: Room = {
    "contents": lambda w: _file(w).contents(),
    "contents from a line on": lambda w: _file(w).contents(offset_lines=2),
    "some lines of the contents": lambda w: _file(w).contents(offset_lines=1, limit_lines=2),
    "lines beyond the end": lambda w: _file(w).contents(offset_lines=9),
    "no lines at all": lambda w: _file(w).contents(limit_lines=0),
    "a negative offset": lambda w: _file(w).contents(offset_lines=-1),
    "lines of a file without a newline at its end": lambda w: _file(w, "a\nb").contents(limit_lines=2),
    "contents that are no text": lambda w: w.shell(
        "true", w.base.with_exec(["sh", "-c", "printf '\\377\\376' > /f"])
    ),
    "contents that are not UTF-8": lambda w: (
        w.base.with_exec(["sh", "-c", "printf 'a\\377b' > /f"]).file("/f").contents()
    ),
    "size": lambda w: _file(w, "zwölf").size(),
    "name": lambda w: _file(w).name(),
    "another name": lambda w: _file(w).with_name("other.txt").name(),
    "a name with a path": lambda w: _file(w).with_name("a/b").name(),
    "stat": _stat,
    "digest": lambda w: _file(w).digest(),
    "digest without metadata": lambda w: _file(w).digest(exclude_metadata=True),
    "digest without metadata, of another mode": lambda w: _file(w, mode=0o600).digest(exclude_metadata=True),
    "a file of the client": lambda w: w.dag.file("a.txt", "x", permissions=0o600).stat().permissions(),
    "a file of the client in a folder": lambda w: w.dag.file("a/b.txt", "x").name(),
    "a file of the client without a name": lambda w: w.dag.file("", "x").name(),
    "replaced once": lambda w: _file(w, "a a").with_replaced("a", "b").contents(),
    "replaced everywhere": lambda w: _file(w, "a a").with_replaced("a", "b", all=True).contents(),
    "replaced, but not there": lambda w: _file(w).with_replaced("nope", "x").contents(),
    "replaced, but not clear": lambda w: _file(w, "a\na\n").with_replaced("a", "b").contents(),
    "replaced from a line on": lambda w: (
        _file(w, "a\na\na\n").with_replaced("a", "b", first_from=2).contents()
    ),
    "replaced everywhere, none there": lambda w: _file(w).with_replaced("nope", "x", all=True).contents(),
    "nothing is replaced": lambda w: _file(w).with_replaced("", "x").contents(),
    "as JSON": lambda w: _file(w, '{"b": [1, 2.5, null], "a": "x"}').as_json().contents(),
    "as JSON, but it is none": lambda w: _file(w, "{nope").as_json().contents(),
    "as an env file": lambda w: _variables(w, "A=1\n# no\nB='two words'\nC=\"$A\"\nexport D=4\n"),
    "as an env file, expanded": lambda w: _variables(w, "A=1\nB=${A}2\nC='$A'\n", expand=True),
    "an env file that makes no sense": lambda w: _variables(w, "nonsense\n"),
    "an env file with spaces": lambda w: _variables(w, " A = 1 \n"),
    "an env file with comments behind": lambda w: _variables(w, "A=1 # one\nB='x#y'\n"),
    "searched": _found,
    "an owner": lambda w: w.shell("stat -c '%u:%g' /f", w.base.with_file("/f", _file(w).chown("12:34"))),
    "timestamps": lambda w: w.shell(
        "stat -c '%Y' /f", w.base.with_file("/f", _file(w).with_timestamps(1_000_000_000))
    ),
    "as a file of a container": lambda w: w.base.file("/etc/debian_version").name(),
    "a container's file that is not there": lambda w: w.base.file("/nope").contents(),
    "a container's file by a relative path": lambda w: w.base.with_workdir("/etc").file("hostname").name(),
}
