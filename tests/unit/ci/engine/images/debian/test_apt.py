"""The host's own package sources, in both of apt's formats."""

import pytest

from ci.engine.images import BootstrapFailed
from ci.engine.images.debian.apt import Source, host_sources
from ci.engine.images.debian.archive import debian_sources


@pytest.fixture
def etc(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_one_line_sources(etc):
    (etc / "sources.list").write_text(
        "# deb http://commented bookworm main\n"
        "deb http://mirror/debian/ bookworm main contrib # the main one\n"
        "deb-src http://mirror/debian bookworm main\n"
        "deb [arch=amd64 signed-by=/k.gpg] https://mirror/debian-security bookworm-security main\n"
        "deb cdrom:[Debian]/ bookworm main\n"
        "deb http://flat ./\n"
        "nonsense\n"
    )
    assert host_sources(etc) == (
        Source("http://mirror/debian", "bookworm", ("main", "contrib")),
        Source("https://mirror/debian-security", "bookworm-security", ("main",)),
    )


def test_deb822_sources(etc):
    (etc / "sources.list.d/debian.sources").write_text(
        "Types: deb deb-src\n# a comment\nURIs: http://a/debian/ http://b/debian\nSuites: trixie\n"
        " trixie-updates\n"
        "Components: main\nSigned-By:\n -----BEGIN\n .\n -----END\n\n"
        "Enabled: no\nTypes: deb\nURIs: http://off\nSuites: trixie\nComponents: main\n\n"
        "types: deb-src\nuris: http://src\nsuites: trixie\ncomponents: main\n"
    )
    assert host_sources(etc) == tuple(
        Source(uri, suite, ("main",))
        for uri in ("http://a/debian", "http://b/debian")
        for suite in ("trixie", "trixie-updates")
    )


def test_other_files_and_no_files_are_no_sources(etc, tmp_path):
    (etc / "sources.list.d/old.list.save").write_text("deb http://mirror/debian bookworm main\n")
    assert host_sources(etc) == ()
    assert host_sources(tmp_path / "none") == ()


def test_other_vendors_are_left_out():
    ours = Source("http://mirror/debian", "bookworm", ("main",))
    others = [
        Source("https://vendor/apt", "cloud-sdk-bookworm", ("main",)),
        Source("https://vendor/docker", "bookworm", ("stable",)),
        Source("https://vendor/node", "nodistro", ("main",)),
    ]
    assert debian_sources([*others, ours]) == (ours,)


def test_a_host_without_debian_sources_is_told_so():
    with pytest.raises(BootstrapFailed, match="no Debian mirror in /etc/apt"):
        debian_sources([Source("http://ubuntu", "noble", ("main",))])
    with pytest.raises(BootstrapFailed, match="no Debian mirror"):
        debian_sources([Source("http://mirror/debian-security", "bookworm-security", ("main",))])


def test_a_password_in_a_source_is_not_public():
    assert Source("http://me:secret@mirror:80/debian", "sid", ()).public_uri == "http://mirror:80/debian"
