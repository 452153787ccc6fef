"""Patterns: what glob, include, exclude and .gitignore files take."""

from tests.parity.world import Room, World

PATHS = (
    ".env",
    ".git/config",
    "a.py",
    "b.txt",
    "src/a.py",
    "src/deep/er/c.py",
    "src/deep/d.txt",
    "docs/",
    "x[1].txt",
)


def _glob(pattern: str):
    return lambda w: w.tree(*PATHS).glob(pattern)


def _exclude(*patterns: str):
    return lambda w: w.directory().with_directory("", w.tree(*PATHS), exclude=list(patterns)).glob("**")


def _include(*patterns: str):
    return lambda w: w.directory().with_directory("", w.tree(*PATHS), include=list(patterns)).glob("**")


async def _ignored(world: World, *rules: str) -> list[str]:
    made = world.tree(*PATHS).with_new_file(".gitignore", "\n".join(rules))
    return await world.directory().with_directory("", made, gitignore=True).glob("**")


GLOBS = (
    "*", "**", "**/*.py", "*.py", "src/*", "src/**", "src/**/*.py", "**/deep", "**/deep/**", "s*", "?.py",
    "[ab].*", "[!a].*", "[^a].*", "{a,b}.*", ".*", "*/", "src/", "./a.py", "/a.py", "", ".", "..", "!a.py",
    "x\\[1\\].txt", "[", "a[", "nope", "***", "src/**/c.py", "src/deep/../a.py",
)  # fmt: skip
EXCLUDES = (
    ("*.py",), ("**/*.py",), ("src",), ("src/",), ("/src",), ("src/*", "!src/a.py"), ("**", "!**/*.txt"),
    ("!a.py",), ("deep",), ("**/deep",), (".*",), ("[",), ("!",), ("",), ("docs/",), ("./src",),
    ("src/deep/**", "!src/deep/d.txt"), ("*", "!src/a.py"), ("../src",), ("src\\deep",),
)  # fmt: skip
INCLUDES = (
    ("*.py",), ("**/*.py",), ("src",), ("src/",), ("/src",), ("src/*",), ("!a.py",), ("*", "!src"),
    ("src", "!src/deep"), ("docs",), ("nope",), ("src/deep/d.txt", "a.py"), ("./src",), ("",), ("**/er",),
    ("[",), ("src/**/c.py",),
)  # fmt: skip
IGNORES = (
    ("*.py",), ("/a.py",), ("src/",), ("src/*", "!src/a.py"), ("deep",), ("# a.py", "", "b.txt"),
    ("*.txt", "!d.txt"), ("src/**/c.py",), ("docs",), ("\\#", "a.py  "), ("[",), ("**",),
)  # fmt: skip


PIPELINES: Room = {
    **{f"glob {pattern!r}": _glob(pattern) for pattern in GLOBS},
    **{f"exclude {', '.join(patterns)}": _exclude(*patterns) for patterns in EXCLUDES},
    **{f"include {', '.join(patterns)}": _include(*patterns) for patterns in INCLUDES},
    **{
        f"gitignore {', '.join(rules)}": (lambda w, rules=rules: _ignored(w, *rules))  # type: ignore[misc]
        for rules in IGNORES
    },
    "exclude and include together": lambda w: (
        w.directory().with_directory("", w.tree(*PATHS), include=["src"], exclude=["**/*.txt"]).glob("**")
    ),
    "a filter": lambda w: w.tree(*PATHS).filter(include=["**/*.py"], exclude=["src/deep"]).glob("**"),
    "a filter of a sub-directory": lambda w: (
        w.tree(*PATHS).directory("src").filter(exclude=["*.py"]).glob("**")
    ),
    "glob in a sub-directory": lambda w: w.tree(*PATHS).directory("src").glob("**/*.py"),
    "an ignore file below holds below": lambda w: (
        w.directory()
        .with_directory("", w.tree(*PATHS).with_new_file("src/.gitignore", "a.py\n"), gitignore=True)
        .glob("**")
    ),
    "a copy of a directory alone leaves out its empty ones": lambda w: (
        w.directory().with_directory("", w.tree("a/b/", "a/c"), exclude=["a/c"]).glob("**")
    ),
}
