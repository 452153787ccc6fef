"""What a machine says to pip reaches pip and uv alike."""

import subprocess
import sys

import pytest

from ci.host_settings import BadHostSetting, main, read


@pytest.fixture
def home(tmp_path):
    return {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"}


def pip_conf(tmp_path, text):
    file = tmp_path / "own.conf"
    file.write_text(text)
    return {"HOME": str(tmp_path / "nobody"), "PIP_CONFIG_FILE": str(file)}


def test_a_machine_without_settings_has_none(home):
    settings = read(home)
    assert settings.variables == {}
    assert settings.ca_bundle is None
    assert settings.exports(None) == ""


def test_pips_variables_are_said_to_uv_too(home):
    variables = read(home | {"PIP_INDEX_URL": "http://a/simple", "PIP_TRUSTED_HOST": "a b"}).variables
    assert variables == {
        "PIP_INDEX_URL": "http://a/simple",
        "UV_DEFAULT_INDEX": "http://a/simple",
        "PIP_TRUSTED_HOST": "a b",
        "UV_INSECURE_HOST": "a b",
    }


def test_an_extra_index_is_searched_as_pip_searches_it(home):
    variables = read(home | {"PIP_EXTRA_INDEX_URL": "http://b\nhttp://c"}).variables
    assert variables["UV_INDEX"] == "http://b http://c"
    assert variables["UV_INDEX_STRATEGY"] == "unsafe-best-match"


def test_pips_configuration_file_counts_but_less_than_the_environment(tmp_path):
    environ = pip_conf(
        tmp_path, "[global]\nindex-url = http://file\ntimeout = 9\n[install]\ntrusted-host = t\n"
    )
    variables = read(environ).variables
    assert variables["UV_DEFAULT_INDEX"] == "http://file"
    assert variables["PIP_DEFAULT_TIMEOUT"] == "9"
    assert variables["UV_INSECURE_HOST"] == "t"
    assert read(environ | {"PIP_INDEX_URL": "http://env"}).variables["UV_DEFAULT_INDEX"] == "http://env"


def test_uvs_own_variables_count_most_for_uv(home):
    variables = read(home | {"PIP_INDEX_URL": "http://pip", "UV_INDEX_URL": "http://uv"}).variables
    assert variables["UV_DEFAULT_INDEX"] == "http://uv"
    assert variables["PIP_INDEX_URL"] == "http://pip"


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy"])
def test_a_proxy_is_given_under_both_names(home, name):
    assert read(home | {name: "http://p:3128"}).variables == {
        "HTTPS_PROXY": "http://p:3128",
        "https_proxy": "http://p:3128",
    }


def test_a_ca_bundle_is_exported_where_it_will_be_found(home, tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.write_text("certificate")
    settings = read(home | {"SSL_CERT_FILE": str(bundle)})
    assert settings.ca_bundle == bundle
    assert "export PIP_CERT=/there\n" in settings.exports("/there")
    assert "export SSL_CERT_FILE=/there\n" in settings.exports("/there")


def test_exports_survive_the_shell(home):
    awkward = "http://u:p'w$d@h/simple"
    exports = read(home | {"PIP_INDEX_URL": awkward}).exports(None)
    said = subprocess.run(
        ["sh", "-c", f'{exports}printf %s "$UV_DEFAULT_INDEX"'], capture_output=True, text=True, check=True
    )
    assert said.stdout == awkward


def test_a_ca_bundle_that_is_not_there_is_one_clear_error(home, monkeypatch, capsys):
    with pytest.raises(BadHostSetting, match=r"PIP_CERT names a CA bundle that cannot be read: /no/ca\.pem"):
        read(home | {"PIP_CERT": "/no/ca.pem"})
    monkeypatch.setenv("PIP_CERT", "/no/ca.pem")
    assert main() == 2
    assert capsys.readouterr().err.startswith("shipway: PIP_CERT names")


def test_a_broken_pip_configuration_is_named(tmp_path):
    with pytest.raises(BadHostSetting, match=r"own\.conf is broken"):
        read(pip_conf(tmp_path, "no section\n"))


def test_it_runs_before_anything_is_installed():
    subprocess.run([sys.executable, "-I", "-S", "ci/host_settings.py"], check=True, capture_output=True)
