"""Mirrors, certificates and logins come from where Docker's and Podman's users have written them."""

import base64
import json

import pytest

from ci.engine.images import RegistryDenied, RegistryUnreachable, parse_reference
from ci.engine.images.registry import Credentials
from ci.engine.images.registry.credentials import Login
from ci.engine.images.registry.endpoints import own, places
from ci.engine.images.registry.settings import Settings


@pytest.fixture
def host(tmp_path):
    """Write files of a host: `host({"etc/docker/daemon.json": ...}, NAME=value)` are its settings."""

    def make(files=None, **environ) -> Settings:
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        return Settings(environ, tmp_path, tmp_path / "home")

    return make


def bases(text: str, settings: Settings) -> list[str]:
    return [f"{place.base}/v2/{place.repository}" for place in places(parse_reference(text), settings)]


def test_mirrors_are_named_in_the_environment(host):
    assert host(SHIPWAY_REGISTRY_MIRRORS="https://a/, http://b").hub_mirrors() == ("https://a", "http://b")


@pytest.mark.parametrize("file", ["etc/docker/daemon.json", "home/.config/docker/daemon.json"])
def test_dockers_mirrors_come_before_docker_hub_and_no_other_registry(host, file):
    settings = host({file: json.dumps({"registry-mirrors": ["https://mirror.example/"]})})
    assert bases("python:3.11", settings) == [
        "https://mirror.example/v2/library/python",
        "https://registry-1.docker.io/v2/library/python",
    ]
    assert bases("ghcr.io/a/b", settings) == ["https://ghcr.io/v2/a/b"]


REGISTRIES = """
unqualified-search-registries = ["docker.io"]

[[registry]]
location = "docker.io"
[[registry.mirror]]
location = "mirror.example:5000/hub"
insecure = true

[[registry]]
prefix = "docker.io/library/golden"
location = "internal.example/golden"

[[registry]]
prefix = "*.old.example"
location = "new.example"

[[registry]]
prefix = "evil.example"
location = "evil.example"
blocked = true

[[registry]]
location = "quay.io"
mirror-by-digest-only = true
[[registry.mirror]]
location = "pinned.example"
"""


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("python:3", ["mirror.example:5000/v2/hub/library/python", "registry-1.docker.io/v2/library/python"]),
        ("golden:1", ["internal.example/v2/golden"]),
        ("golden/more:1", ["mirror.example:5000/v2/hub/golden/more", "registry-1.docker.io/v2/golden/more"]),
        ("a.old.example/x/y", ["new.example/v2/x/y"]),
        ("quay.io/a/b:1", ["quay.io/v2/a/b"]),
        (f"quay.io/a/b@sha256:{'0' * 64}", ["pinned.example/v2/a/b", "quay.io/v2/a/b"]),
        ("docker.io.example/x", ["docker.io.example/v2/x"]),
    ],
)
def test_registries_conf_says_where_to_look(host, text, found):
    settings = host({"etc/containers/registries.conf": REGISTRIES})
    assert bases(text, settings) == [f"https://{each}" for each in found]


def test_a_mirror_may_be_insecure_where_its_registry_is_not(host):
    settings = host({"etc/containers/registries.conf": REGISTRIES})
    assert [each.insecure for each in places(parse_reference("python"), settings)] == [True, False]


def test_a_blocked_registry_is_refused_with_the_file_that_says_so(host, tmp_path):
    settings = host({"etc/containers/registries.conf": REGISTRIES})
    with pytest.raises(RegistryDenied, match=f"evil.example is blocked in {tmp_path}/etc/containers"):
        places(parse_reference("evil.example/x"), settings)


def test_a_users_file_comes_before_the_systems_and_a_drop_in_before_both(host):
    system, users = '[[registry]]\nlocation = "a.example"\nblocked = true\n', '[[registry]]\nlocation = "b"\n'
    settings = host(
        {
            "etc/containers/registries.conf": system,
            "home/.config/containers/registries.conf": users,
            "etc/containers/registries.conf.d/1.conf": '[[registry]]\nprefix = "b"\nlocation = "c.example"\n',
        }
    )
    assert bases("a.example/x", settings) == ["https://a.example/v2/x"]
    assert settings.rule("b/x").location == "c.example"


def test_a_registries_conf_that_is_no_toml_is_named(host, tmp_path):
    with pytest.raises(
        RegistryUnreachable, match=rf"{tmp_path}/etc/containers/registries.conf cannot be read"
    ):
        host({"etc/containers/registries.conf": "[[registry"}).rule("a/b")


@pytest.mark.parametrize(
    ("registry", "found"),
    [("10.1.2.3:5000", True), ("10.2.0.1", False), ("r.example:5000", True), ("r.example", False)],
)
def test_docker_says_which_registries_may_be_insecure(host, registry, found):
    listed = {"insecure-registries": ["10.1.0.0/16", "r.example:5000"]}
    settings = host({"etc/docker/daemon.json": json.dumps(listed)})
    assert own(parse_reference(f"{registry}/x"), settings).insecure is found


def test_a_certificate_that_cannot_be_used_is_named(host, tmp_path):
    settings = host({"etc/docker/certs.d/r.example/ca.crt": "no certificate"})
    with pytest.raises(RegistryUnreachable, match=rf"{tmp_path}/etc/docker/certs.d/r.example/ca.crt for r"):
        settings.trust("r.example")
    assert settings.trust("other.example") is None


def _auth(text: str) -> dict[str, str]:
    return {"auth": base64.b64encode(text.encode()).decode()}


def test_podmans_logins_are_found_where_docker_has_none(tmp_path, monkeypatch):
    monkeypatch.setenv("DOCKER_CONFIG", str(tmp_path / "docker"))
    monkeypatch.delenv("REGISTRY_AUTH_FILE", raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "run"))
    (tmp_path / "run/containers").mkdir(parents=True)
    (tmp_path / "run/containers/auth.json").write_text(json.dumps({"auths": {"r.example": _auth("me:pod")}}))
    assert Credentials().login("r.example") == Login("me", "pod")
    (tmp_path / "docker").mkdir()
    (tmp_path / "docker/config.json").write_text(json.dumps({"auths": {"r.example": _auth("me:dock")}}))
    assert Credentials().login("r.example") == Login("me", "dock")


def test_a_login_for_a_part_of_a_registry_is_for_what_is_below_it(tmp_path):
    file = tmp_path / "auth.json"
    file.write_text(json.dumps({"auths": {"quay.io": _auth("all:1"), "quay.io/team": _auth("team:2")}}))
    logins = Credentials(config=file)
    assert logins.login("quay.io", "team/app").user == "team"
    assert logins.login("quay.io", "teams/app").user == "all"
