"""What this host's own files say of registries: Docker's, and those of Podman, Buildah and Skopeo.

Formats: https://docs.docker.com/reference/cli/dockerd/ (daemon.json), .../engine/security/certificates/ and
https://github.com/containers/image/tree/main/docs (containers-registries.conf, containers-certs.d).
"""

import ipaddress
import json
import os
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ci.engine.images.errors import RegistryUnreachable

MIRRORS = "SHIPWAY_REGISTRY_MIRRORS"


@dataclass(frozen=True, slots=True)
class Mirror:
    """Another place for what is below a prefix; `pull` is "all", "digest-only" or "tag-only"."""

    location: str
    insecure: bool
    pull: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What registries.conf says of the images whose names begin with `prefix`."""

    prefix: str
    location: str
    insecure: bool
    blocked: bool
    mirrors: tuple[Mirror, ...]
    file: Path

    def rest(self, name: str) -> str:
        """What of an image's name comes after the prefix; of `*.example.com` it is what follows the host."""
        if self.prefix.startswith("*."):
            host, slash, rest = name.partition("/")
            del host
            return slash + rest
        return name.removeprefix(self.prefix)

    def covers(self, name: str) -> bool:
        """Whether the rule is for this image."""
        if self.prefix.startswith("*."):
            return name.partition("/")[0].partition(":")[0].endswith(self.prefix[1:])
        return name == self.prefix or name.startswith(f"{self.prefix}/")


class Settings:
    """This host's settings, read from files below `root` and `home` when they are asked for."""

    def __init__(
        self, environ: Mapping[str, str] = os.environ, root: Path = Path("/"), home: Path | None = None
    ) -> None:
        self._environ = environ
        self._root = root
        self._home = home or Path(environ.get("HOME") or "/nowhere")
        self._rules: list[Rule] | None = None

    def hub_mirrors(self) -> tuple[str, ...]:
        """URLs of mirrors of Docker Hub.

        They are those of $SHIPWAY_REGISTRY_MIRRORS (with commas between), or else of Docker's daemon.json.
        """
        if named := self._environ.get(MIRRORS, ""):
            return tuple(url.strip().rstrip("/") for url in named.split(",") if url.strip())
        return tuple(url.rstrip("/") for url in self._daemon("registry-mirrors"))

    def insecure(self, registry: str) -> bool:
        """Whether Docker's daemon.json lets a registry do without a certificate that can be trusted."""
        host = registry.rpartition(":")[0] or registry
        for named in self._daemon("insecure-registries"):
            if named in (registry, host):
                return True
            try:
                if ipaddress.ip_address(host) in ipaddress.ip_network(named):
                    return True
            except ValueError:
                continue
        return False

    def rule(self, name: str) -> Rule | None:
        """What registries.conf says of an image ("registry/repository"): its longest prefix counts."""
        if self._rules is None:
            self._rules = list(self._read_rules())
        fitting = [rule for rule in self._rules if rule.covers(name)]
        # A drop-in comes after the main file, and takes the place of what it says of the same prefix.
        return max(reversed(fitting), key=lambda rule: len(rule.prefix), default=None)

    def secured(self, registry: str) -> bool:
        """Whether there are certificates for this registry."""
        return any(folder.is_dir() for folder in self._certificates(registry))

    def trust(self, registry: str) -> ssl.SSLContext | None:
        """What to trust, and to show, at a registry that has certificates of its own; None without any.

        Raises RegistryUnreachable, which names the file, when one cannot be read.
        """
        context: ssl.SSLContext | None = None
        for folder in self._certificates(registry):
            for file in sorted(folder.glob("*")) if folder.is_dir() else ():
                if file.suffix not in (".crt", ".cert"):
                    continue
                context = context or ssl.create_default_context()
                try:
                    if file.suffix == ".crt":
                        context.load_verify_locations(file)
                    else:
                        context.load_cert_chain(file, file.with_suffix(".key"))
                except (OSError, ssl.SSLError) as error:
                    raise RegistryUnreachable(
                        f"the certificate {file} for {registry} cannot be used ({error}): "
                        "check that it is PEM and that its .key is beside it"
                    ) from error
        return context

    def _certificates(self, registry: str) -> Iterator[Path]:
        for place in ("docker", "containers"):
            yield self._root / "etc" / place / "certs.d" / registry
            yield self._config() / place / "certs.d" / registry

    def _config(self) -> Path:
        named = self._environ.get("XDG_CONFIG_HOME")
        return Path(named) if named else self._home / ".config"

    def _daemon(self, name: str) -> tuple[str, ...]:
        for folder in (self._root / "etc", self._config()):
            try:
                found = json.loads((folder / "docker/daemon.json").read_bytes()).get(name)
            except (OSError, ValueError, AttributeError):
                continue
            if isinstance(found, list) and found:
                return tuple(str(each) for each in found)
        return ()

    def _files(self) -> list[Path]:
        if named := self._environ.get("CONTAINERS_REGISTRIES_CONF"):
            return [Path(named)]
        system, users = self._root / "etc/containers", self._config() / "containers"
        main = users / "registries.conf"
        files = [main if main.exists() else system / "registries.conf"]
        for folder in (system, users):
            files += sorted((folder / "registries.conf.d").glob("*.conf"))
        return files

    def _read_rules(self) -> Iterator[Rule]:
        import tomllib

        for file in self._files():
            try:
                registries = tomllib.loads(file.read_text(encoding="utf-8")).get("registry") or ()
            except OSError:
                continue
            except ValueError as error:
                raise RegistryUnreachable(f"{file} cannot be read ({error}): correct that file") from error
            for entry in registries:
                # Files of the first version have a table here, which tools do not read any more either.
                if isinstance(entry, dict) and (rule := _rule(entry, file)):
                    yield rule


def _rule(entry: Mapping[str, Any], file: Path) -> Rule | None:
    location = str(entry.get("location", "")).rstrip("/")
    prefix = str(entry.get("prefix") or location).rstrip("/")
    if not prefix:
        return None
    by_digest = "digest-only" if entry.get("mirror-by-digest-only") else "all"
    mirrors = tuple(
        Mirror(
            str(each["location"]).rstrip("/"),
            bool(each.get("insecure")),
            str(each.get("pull-from-mirror") or by_digest),
        )
        for each in entry.get("mirror") or ()
        if isinstance(each, dict) and each.get("location")
    )
    insecure, blocked = bool(entry.get("insecure")), bool(entry.get("blocked"))
    return Rule(prefix, location, insecure, blocked, mirrors, file)
