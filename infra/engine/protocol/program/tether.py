"""``python tether.py PID COMMAND...``: the command, which ends when the engine with that pid does.

A provider plugin may be any program; so the kernel is asked on its behalf, before it is one. This file is
handed to an interpreter as a script: of this project it can import nothing.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; it outlasts exec


def main() -> None:
    """Become the command. Exit code 127 if that can't be run."""
    engine, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != int(engine):
            sys.exit("the engine has ended")
    try:
        os.execvp(command[0], command)  # noqa: S606  # to be that program is the point
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


if __name__ == "__main__":
    main()
