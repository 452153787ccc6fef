"""From a revision or a task and its image to a container: what Cloud Run's runtime contract says it finds.

https://cloud.google.com/run/docs/container-contract
"""

from pathlib import Path

from ci.engine.sandbox import Data, Mount, Overlay, Spec, Tmpfs
from infra.local.runtime.contract import DeployFailed, RevisionSpec
from infra.local.runtime.network import METADATA
from infra.local.runtime.rootfs import Prepared

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_HOSTS = f"127.0.0.1 localhost\n::1 localhost\n{METADATA} metadata.google.internal metadata\n".encode()
_RESOLVER = f"nameserver {METADATA}\n".encode()


def container(spec: RevisionSpec, prepared: Prepared, folder: Path, more: dict[str, str]) -> Spec:
    """The sandbox's container: changes to files go to `folder`; `more` are variables of the platform's own.

    Raises DeployFailed when there is no command, or a secret is no text.
    """
    config, who = prepared.image.config, prepared.account
    command = spec.command or config.entrypoint or ()
    # As in Kubernetes: a command of one's own leaves the image's arguments out.
    args = spec.args or (() if spec.command else config.cmd or ())
    if not (*command, *args):
        raise DeployFailed("CONTAINER_MISSING", f"Image '{spec.image}' has no command to run.")
    variables = {"PATH": _PATH, "HOME": who.home}
    variables |= dict(item.partition("=")[::2] for item in config.env)
    variables |= {**spec.env, **_texts(spec), **more}
    mounts: list[Mount] = [Data(_HOSTS, "/etc/hosts", 0o444), Data(_RESOLVER, "/etc/resolv.conf", 0o444)]
    mounts += [Tmpfs(path, size or spec.memory, 0o777) for path, size in spec.empty_dirs.items()]
    mounts += [Data(content, path, 0o444, who.uid, who.gid) for path, content in spec.files.items()]
    upper = folder / "upper"
    upper.mkdir()
    upper.chmod(0o755)
    return Spec(
        Overlay(prepared.layers, upper, folder / "work"),
        (*command, *args),
        tuple(variables.items()),
        spec.working_dir or config.workdir or "/",
        who.uid,
        who.gid,
        who.groups,
        tuple(mounts),
        hostname="localhost",
        own_network=True,
    )


def _texts(spec: RevisionSpec) -> dict[str, str]:
    texts = {}
    for name, content in spec.secret_env.items():
        try:
            texts[name] = content.decode()
        except UnicodeDecodeError:
            message = f"The secret for the environment variable {name} is not valid UTF-8."
            raise DeployFailed("SECRETS_ACCESS_CHECK_FAILED", message) from None
    return texts
