"""What the host knows about reaching the outside - proxies, package indexes, CA bundles - for steps.

Steps get these as environment variables that are in no cache key, layer or image configuration.
Sources: pip's configuration files ("pip config" in its documentation) and the usual variables.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

#: Where a step finds the host's CA bundle: below /dev, which is never part of a layer.
CA_TARGET = "/dev/.ca-certificates.crt"

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "FTP_PROXY")
_PLAIN = (
    *_PROXIES,
    *(name.lower() for name in _PROXIES),
    "PIP_INDEX_URL",
    "PIP_EXTRA_INDEX_URL",
    "PIP_TRUSTED_HOST",
    "PIP_PROXY",
    "PIP_DEFAULT_TIMEOUT",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INSECURE_HOST",
    "UV_NATIVE_TLS",
    "UV_SYSTEM_CERTS",
    "UV_HTTP_TIMEOUT",
    "npm_config_registry",
    "GOPROXY",
)
_BUNDLES = (
    "SSL_CERT_FILE",
    "PIP_CERT",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "GIT_SSL_CAINFO",
    "NODE_EXTRA_CA_CERTS",
)
_PIP = {
    "index-url": "PIP_INDEX_URL",
    "extra-index-url": "PIP_EXTRA_INDEX_URL",
    "trusted-host": "PIP_TRUSTED_HOST",
}
_LOOPBACK = re.compile(r"(https?)://(?:[^/@\s]*@)?(?:localhost|127\.\d+\.\d+\.\d+)(?::(\d+))?(?=[/\s]|$)")
_PORTS = {"http": 80, "https": 443}
_CREDENTIALS = re.compile(r"://([^/@\s]+)@")


@dataclass(frozen=True)
class HostSettings:
    """Variables for steps, the CA bundle to show them, and what in the values is secret."""

    variables: tuple[tuple[str, str], ...] = ()
    bundle: Path | None = None
    secrets: tuple[bytes, ...] = ()
    #: Where the values lead to on this host itself.
    loopback_ports: frozenset[int] = frozenset()


def read(environ: Mapping[str, str] = os.environ, home: Path | None = None) -> HostSettings:
    """The settings of this host, by its environment and pip's configuration files."""
    found = {name: environ[name] for name in _PLAIN if environ.get(name)}
    pip = _pip_config(environ, home or Path.home())
    for option, name in _PIP.items():
        if option in pip:
            found.setdefault(name, " ".join(pip[option].split()))
    bundles = {name: environ[name] for name in _BUNDLES if environ.get(name)}
    if pip.get("cert"):
        bundles.setdefault("PIP_CERT", pip["cert"])
    bundle = next((Path(bundles[name]) for name in _BUNDLES if Path(bundles.get(name, "")).is_file()), None)
    if bundle is not None:
        found.update(dict.fromkeys((*bundles, "SSL_CERT_FILE"), CA_TARGET))
    secrets = {match.encode() for value in found.values() for match in _CREDENTIALS.findall(value)}
    secrets |= {secret.partition(b":")[2] for secret in secrets if b":" in secret}
    ports = {
        int(port or _PORTS[scheme]) for value in found.values() for scheme, port in _LOOPBACK.findall(value)
    }
    return HostSettings(tuple(sorted(found.items())), bundle, tuple(sorted(secrets)), frozenset(ports))


def _pip_config(environ: Mapping[str, str], home: Path) -> dict[str, str]:
    config_home = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    files = [Path("/etc/pip.conf"), home / ".pip" / "pip.conf", config_home / "pip" / "pip.conf"]
    named = environ.get("PIP_CONFIG_FILE")
    if named == os.devnull:
        return {}
    if named:
        files.append(Path(named))
    parser = configparser.RawConfigParser()
    try:
        parser.read(files, encoding="utf-8")
    except (configparser.Error, UnicodeDecodeError):
        return {}
    return dict(parser.items("global")) if parser.has_section("global") else {}
