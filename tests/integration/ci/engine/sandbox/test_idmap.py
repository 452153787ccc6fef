"""An ordinary user to whom the host lends ids (subuid(5)): steps have users, and files have owners."""

import os
import pwd
import shutil
import subprocess
from pathlib import Path

import pytest

from ci.engine.sandbox.idmap import FULL_RANGE, lent, listed


@pytest.fixture(scope="module")
def lender():
    """A user with ids to lend, other than root."""
    if os.geteuid() != 0 or shutil.which("newuidmap") is None or shutil.which("setpriv") is None:
        pytest.skip("takes root to become somebody else, and Debian's uidmap")
    for user in pwd.getpwall():
        if user.pw_uid and lent("uid", user.pw_uid) and lent("gid", user.pw_uid):
            return user
    pytest.skip("no user of this host has ids in /etc/subuid and /etc/subgid")


def test_ids_are_lent_by_name_or_number_and_only_when_there_are_enough():
    text = f"# none\njoe:5:7\njoe:100000:{FULL_RANGE}\n77:300000:70000\n"
    assert listed(text, {"joe", "1001"}) == (100000, FULL_RANGE)
    assert listed(text, {"ann", "77"}) == (300000, 70000)
    assert listed(text, {"eve", "78"}) is None


def test_a_step_of_an_ordinary_users_has_users_and_owners(lender, rootfs, tmp_path_factory):
    program = (
        "import os, sys\n"
        "from ci.engine import sandbox\n"
        "host = sandbox.enter()\n"
        "os.chown(sys.argv[1], 33, 44)\n"
        "print(host.rootless, host.uid_range, os.getuid(), os.stat(sys.argv[1]).st_uid)\n"
    )
    folder = tmp_path_factory.mktemp("lent")
    file = folder / "file"
    file.touch()
    for each in (file, folder):
        os.chown(each, lender.pw_uid, lender.pw_gid)
    for parent in folder.parents:  # pytest's own folders are root's alone
        if parent.stat().st_uid == 0 and not parent.stat().st_mode & 0o001 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    python = shutil.which("python3.11", path="/usr/bin:/usr/local/bin")
    if python is None:
        pytest.skip("this Python is where another user may not read it, and there is no other of 3.11")
    import anyio

    paths = os.pathsep.join((str(Path(__file__).parents[5]), str(Path(anyio.__file__).parents[1])))
    user = ["setpriv", f"--reuid={lender.pw_uid}", f"--regid={lender.pw_gid}", "--clear-groups", "--"]
    done = subprocess.run(
        [*user, "env", f"PYTHONPATH={paths}", python, "-c", program, str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stderr == ""
    assert done.stdout.split() == ["True", "True", "0", "33"]
    assert file.stat().st_uid == lent("uid", lender.pw_uid)[0] + 32
