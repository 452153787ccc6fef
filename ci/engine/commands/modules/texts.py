"""What the help of the commands about modules says."""

CALL = "Call one or more functions, one on the result of the other"
CORE = "Call a function of Dagger's own"

MOD = "The module: a local path (default: the one that the current directory is in)"
NO_MOD = "Use no module (not together with --mod)"
ALLOW_LLM = "Modules that may use a language model; this engine has none"
SOURCE = "The directory of its source code (default: the module's own)"
LICENSE = "The license to add, by its SPDX identifier"
DEPENDENCY_NAME = "Name of the dependency in the module (default: its own)"
INCLUDE = (
    "More paths to load with the module, if its code needs them, relative to the directory of its dagger.json"
)

FUNCTIONS = """\
List the functions of a module, or of what its functions give.

It is like `dagger call --help`, without all else that there is to say.
"""

INIT = """\
Make a new module at a path.

A dagger.json is written there, which makes the directory the root of a module. With --sdk there is also a
first implementation; `dagger develop` can add it later.
"""

DEVELOP = """\
Have all that is needed to work on a module: its SDK, an implementation to begin with, and generated code.

- A module without an SDK gets one with --sdk, and an implementation to begin with.
- After a fresh checkout an editor finds the generated code that it completes names from.
- A module with local dependencies gets new bindings to them.
- After a change of the engine the module is made for its version.

It can be run at any time, and changes nothing when there is nothing to change.
"""

CHECK = """\
Check a project by running its tests, linters and so on: the functions of its module that are checks.

Examples:
  dagger check                    # Run all checks
  dagger check -l                 # List all checks
  dagger check go:lint            # Run one check, and those below it
"""

GENERATE = """\
Generate assets of a project: run the functions of its module that are generators, and apply what they change.

Examples:
  dagger generate                 # Run all generators, and ask before anything is changed
  dagger generate -y              # Run all generators, and do not ask
  dagger generate -l              # List all generators
  dagger generate go:bin          # Run one generator, and those below it
"""

UP = """\
Start the services of a project: the functions of its module that are marked so. Their ports are open on the
host until Ctrl-C.

Examples:
  dagger up                       # Start all services
  dagger up -l                    # List all services
  dagger up web                   # Start one service, and those below it
"""
