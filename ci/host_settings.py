"""What this machine says about downloads - package indexes, proxies, a CA bundle - in pip's and uv's words.

Standard library only: `make setup` runs it before anything is installed. `python ci/host_settings.py`
prints the settings as shell exports.
"""

import configparser
import os
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
CA_BUNDLES = ("PIP_CERT", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE")
#: Those that tools read a CA bundle's path from; pip, then uv and everything on OpenSSL, then requests.
CA_BUNDLE_READERS = ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE")
#: pip's setting -> uv's for the same thing.
UV_NAMES = {
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_TRUSTED_HOST": "UV_INSECURE_HOST",
    "PIP_DEFAULT_TIMEOUT": "UV_HTTP_TIMEOUT",
}
#: Older names that uv still understands.
UV_SYNONYMS = {"UV_INDEX_URL": "UV_DEFAULT_INDEX", "UV_EXTRA_INDEX_URL": "UV_INDEX"}


class BadHostSetting(Exception):
    """A setting of this machine that cannot work; the text says which, and what to do."""


@dataclass(frozen=True, slots=True)
class HostSettings:
    """Environment variables for pip and uv, and the CA bundle to trust when it isn't the system's own."""

    variables: Mapping[str, str]
    ca_bundle: Path | None

    def exports(self, ca_bundle: str | None) -> str:
        """The settings as a POSIX shell's export lines, the CA bundle being found at ``ca_bundle``."""
        variables = dict(self.variables)
        if ca_bundle:
            variables |= dict.fromkeys(CA_BUNDLE_READERS, ca_bundle)
        return "".join(f"export {name}={shlex.quote(value)}\n" for name, value in sorted(variables.items()))


def read(environ: Mapping[str, str]) -> HostSettings:
    """This machine's settings: the environment's, then what pip's configuration files add.

    Raises:
        BadHostSetting: a CA bundle is named that cannot be read, or a configuration file is broken.
    """
    pip = {**_pip_files(environ), **{name: environ[name] for name in UV_NAMES if environ.get(name)}}
    variables = {name: " ".join(value.split()) for name, value in pip.items() if name in UV_NAMES}
    variables |= {UV_NAMES[name]: value for name, value in variables.items()}
    for name in PROXIES:
        if value := environ.get(name) or environ.get(name.lower()):
            variables |= {name: value, name.lower(): value}
    for name in (*UV_SYNONYMS, *UV_NAMES.values(), "UV_INDEX_STRATEGY"):
        if value := environ.get(name):
            variables[UV_SYNONYMS.get(name, name)] = value
    if (
        "UV_INDEX" in variables
    ):  # as pip does: any index may have the file, the lock's hash says which is right
        variables.setdefault("UV_INDEX_STRATEGY", "unsafe-best-match")
    return HostSettings(variables, _ca_bundle(environ, pip))


def _ca_bundle(environ: Mapping[str, str], pip: Mapping[str, str]) -> Path | None:
    named = [(name, environ[name]) for name in CA_BUNDLES if environ.get(name)]
    if "PIP_CERT" in pip:
        named.append(("pip's `cert` setting", pip["PIP_CERT"]))
    if not named:
        return None
    name, value = named[0]
    path = Path(value).expanduser().resolve()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise BadHostSetting(
            f"{name} names a CA bundle that cannot be read: {value}. Correct it or unset it."
        )
    return path


def _pip_files(environ: Mapping[str, str]) -> dict[str, str]:
    """Settings from pip's configuration files, weakest first, under the names of their variables."""
    home = Path(environ.get("HOME", "~")).expanduser()
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
        home / ".pip/pip.conf",
        user / "pip/pip.conf",
    ]
    if own := environ.get("PIP_CONFIG_FILE"):
        files = [] if own == os.devnull else [*files, Path(own)]
    found: dict[str, str] = {}
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, encoding="utf-8")
        except (configparser.Error, UnicodeDecodeError) as error:
            raise BadHostSetting(f"pip's configuration file {file} is broken: {error}") from None
        for section in ("global", "install"):
            if parser.has_section(section):
                found |= {_variable(key): value for key, value in parser.items(section) if value}
    return found


def _variable(key: str) -> str:
    name = "PIP_" + key.replace("-", "_").upper()
    return "PIP_DEFAULT_TIMEOUT" if name == "PIP_TIMEOUT" else name


def main() -> int:
    """Print the shell exports for this machine; 2 when a setting cannot work."""
    try:
        settings = read(os.environ)
    except BadHostSetting as error:
        print(f"shipway: {error}", file=sys.stderr)
        return 2
    print(settings.exports(str(settings.ca_bundle) if settings.ca_bundle else None), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
