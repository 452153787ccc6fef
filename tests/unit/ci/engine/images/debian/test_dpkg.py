"""What maintainer scripts say about alternatives, and what becomes of it."""

import pytest

from ci.engine.images import Member
from ci.engine.images.debian import dpkg
from ci.engine.images.debian.deb import Deb
from ci.engine.images.debian.root import Root

MAWK = r"""#!/bin/sh
if [ "$1" = "configure" ]; then
        update-alternatives --install /usr/bin/awk awk /usr/bin/mawk 5 \
            --slave /usr/share/man/man1/awk.1.gz awk.1.gz /usr/share/man/man1/mawk.1.gz \
            --slave /usr/bin/nawk nawk /usr/bin/mawk || true
        update-alternatives --install $LINK x /usr/bin/x 1
        update-alternatives --remove y /usr/bin/y
fi
"""


@pytest.fixture
def root() -> Root:
    made = Root(0)
    for name in ("mawk", "gawk"):
        made.file(f"usr/bin/{name}", name, 0o755)
    made.symlink("bin", "usr/bin")
    return made


def deb(name: str, script: str = "", **fields: str) -> Deb:
    return Deb(
        {"Package": name, "Version": "1", "Architecture": "amd64", **fields},
        {"postinst": script.encode()},
        (),
    )


def test_an_installation_over_several_lines_is_one(root):
    (choice,) = dpkg.choices(MAWK)
    assert (choice.name, choice.link, choice.path, choice.priority) == (
        "awk",
        "/usr/bin/awk",
        "/usr/bin/mawk",
        5,
    )
    assert ("nawk", "/usr/bin/nawk", "/usr/bin/mawk") in choice.slaves


def test_links_lead_to_the_alternative_of_the_highest_priority(root):
    gawk = "update-alternatives --install /usr/bin/awk awk /bin/gawk 10"
    dpkg.alternatives(root, [deb("mawk", MAWK), deb("gawk", gawk)])
    assert root.read("usr/bin/awk") == b"gawk"
    assert root.read("bin/awk") == b"gawk"


def test_a_slave_whose_file_is_not_there_is_left_out(root):
    dpkg.alternatives(root, [deb("mawk", MAWK)])
    assert root.read("usr/bin/nawk") == b"mawk"
    assert "usr/share/man/man1/awk.1.gz" not in root
    record = "auto\n/usr/bin/awk\nnawk\n/usr/bin/nawk\n\n/usr/bin/mawk\n5\n/usr/bin/mawk\n\n"
    assert root.need("var/lib/dpkg/alternatives/awk").decode() == record


def test_an_alternative_that_is_not_installed_is_none(root):
    dpkg.alternatives(root, [deb("x", "update-alternatives --install /usr/bin/awk awk /usr/bin/nothing 99")])
    assert "usr/bin/awk" not in root


def test_the_status_has_every_package_as_installed(root):
    same = {"Multi-Arch": "same"}
    dpkg.record(root, [deb("a"), deb("libb", **same)])
    status = root.need("var/lib/dpkg/status").decode()
    assert status.count("Status: install ok installed\n") == 2
    assert "var/lib/dpkg/info/libb:amd64.list" in root
    assert "var/lib/dpkg/info/a.postinst" in root


def test_a_merged_system_has_one_place_for_what_packages_put_in_two():
    made = Root(0)
    made.install(
        [
            Member("bin", "dir", 0o755),
            Member("bin/sh", "symlink", link="dash"),
            Member("usr", "dir", 0o755),
            Member("usr/bin", "dir", 0o755),
        ]
    )
    made.file("usr/bin/dash", "dash")
    assert made.read("bin/sh") == b"dash"
    assert [m.path for m in made.members() if m.path.endswith("/sh")] == ["usr/bin/sh"]
