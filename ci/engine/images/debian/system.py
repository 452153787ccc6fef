"""What the basic packages' maintainer scripts do on a first installation, done to a Root instead.

The scripts themselves want to be root (or have a range of uids), and write what differs from run to run; what
they come to, for the packages of a base image, is this. Each function says whose script it stands for.
"""

import posixpath
import re

from ci.engine.images.debian.root import Root

_DAY_NS = 86_400 * 1_000_000_000
_TIMEZONE = "Etc/UTC"


def settle(root: Root) -> None:
    """Everything that makes unpacked packages a system."""
    _directories(root)
    _defaults(root)
    _accounts(root)
    _shells(root)
    _pam(root)
    _time_zone(root)
    _certificates(root)
    _container(root)


def _directories(root: Root) -> None:
    """base-files."""
    for path in ("mnt", "srv", "opt", "etc/opt", "var/opt", "media", "usr/local"):
        root.directory(path)
    for name in (
        "share",
        "share/man",
        "bin",
        "games",
        "lib",
        "include",
        "sbin",
        "src",
        "etc",
        "share/ca-certificates",
    ):
        root.directory(f"usr/local/{name}")
    root.symlink("usr/local/man", "share/man")
    root.directory("var/mail", 0o2775, gid=_group(root, "mail"))
    root.symlink("var/spool/mail", "../mail")
    root.symlink("var/run", "/run")
    root.symlink("var/lock", "/run/lock")
    for path in ("tmp", "var/tmp", "run/lock"):
        root.directory(path, 0o1777)
    root.directory("root", 0o700)
    utmp = _group(root, "utmp")
    root.file("var/log/wtmp", "", 0o664, utmp)
    root.file("var/log/btmp", "", 0o660, utmp)
    root.file("var/log/lastlog", "", 0o664, utmp)
    if "etc/dpkg/origins/debian" in root:
        root.symlink("etc/dpkg/origins/default", "debian")


def _defaults(root: Root) -> None:
    """base-files, libc-bin, login: files that are the administrator's afterwards."""
    copies = {
        "usr/share/base-files/dot.profile": "root/.profile",
        "usr/share/base-files/dot.bashrc": "root/.bashrc",
        "usr/share/base-files/profile": "etc/profile",
        "usr/share/base-files/motd": "etc/motd",
        "usr/share/base-files/nsswitch.conf": "etc/nsswitch.conf",
        "usr/share/libc-bin/nsswitch.conf": "etc/nsswitch.conf",
    }
    for source, target in copies.items():
        content = root.read(source)
        if content is not None and target not in root:
            root.file(target, content)
    for path in ("etc/subuid", "etc/subgid", "var/log/faillog"):
        root.file(path, "")
    if "bin/sh" not in root:
        root.symlink("usr/bin/sh", "dash")


def _group(root: Root, name: str) -> int:
    found = re.search(
        rf"^{name}:[^:]*:(\d+)", root.need("usr/share/base-passwd/group.master").decode(), re.MULTILINE
    )
    return int(found[1]) if found else 0


def _accounts(root: Root) -> None:
    """base-passwd, passwd (shadowconfig) and apt."""
    passwd = root.need("usr/share/base-passwd/passwd.master").decode()
    group = root.need("usr/share/base-passwd/group.master").decode()
    if not re.search("^_apt:", passwd, re.MULTILINE):
        passwd += "_apt:*:100:65534::/nonexistent:/usr/sbin/nologin\n"
    changed = root.mtime // _DAY_NS
    users = [line.split(":")[0] for line in passwd.splitlines()]
    groups = [line.split(":")[0] for line in group.splitlines()]
    shadow = _group(root, "shadow")
    root.file("etc/passwd", re.sub(r"^([^:]+):\*:", r"\1:x:", passwd, flags=re.MULTILINE))
    root.file("etc/group", re.sub(r"^([^:]+):\*:", r"\1:x:", group, flags=re.MULTILINE))
    root.file("etc/shadow", "".join(f"{name}:*:{changed}:0:99999:7:::\n" for name in users), 0o640, shadow)
    root.file("etc/gshadow", "".join(f"{name}:*::\n" for name in groups), 0o640, shadow)


def _shells(root: Root) -> None:
    """Debianutils (update-shells)."""
    lines = (
        (root.read("usr/share/debianutils/shells") or b"# /etc/shells: valid login shells\n/bin/sh\n")
        .decode()
        .splitlines()
    )
    for path in root.files("usr/share/debianutils/shells.d"):
        lines += root.need(path).decode().splitlines()
    for shell in ("/bin/sh", "/bin/bash", "/bin/rbash", "/bin/dash"):
        lines += [path for path in (shell, f"/usr{shell}") if shell in root]
    root.file("etc/shells", "".join(f"{line}\n" for line in dict.fromkeys(lines) if line))


def _pam(root: Root) -> None:
    """libpam-runtime (pam-auth-update), for the one profile a base system has: Unix passwords."""
    modules = {
        "auth_primary": "auth\t[success=1 default=ignore]\tpam_unix.so nullok",
        "account_primary": "account\t[success=1 new_authtok_reqd=done default=ignore]\tpam_unix.so",
        "password_primary": "password\t[success=1 default=ignore]\tpam_unix.so obscure yescrypt",
        "session_primary": "session\t[default=1]\tpam_permit.so",
        "session_nonint_primary": "session\t[default=1]\tpam_permit.so",
        "session_additional": "session\trequired\tpam_unix.so",
        "session_nonint_additional": "session\trequired\tpam_unix.so",
    }
    for name in ("account", "auth", "password", "session", "session-noninteractive"):
        template = root.read(f"usr/share/pam/common-{name}")
        if template is not None:
            text = re.sub(
                r"^\$(\w+)$", lambda match: modules.get(match[1], ""), template.decode(), flags=re.MULTILINE
            )
            root.file(f"etc/pam.d/common-{name}", text)


def _time_zone(root: Root) -> None:
    """Tzdata."""
    if f"usr/share/zoneinfo/{_TIMEZONE}" in root:
        root.symlink("etc/localtime", f"/usr/share/zoneinfo/{_TIMEZONE}")
        root.file("etc/timezone", f"{_TIMEZONE}\n")


def _certificates(root: Root) -> None:
    """ca-certificates (update-ca-certificates), without the links by hash: OpenSSL finds the bundle."""
    folder = "usr/share/ca-certificates"
    names = [path.removeprefix(f"{folder}/") for path in root.files(folder) if path.endswith(".crt")]
    if not names:
        return
    bundle = []
    for name in names:
        bundle.append(root.need(f"{folder}/{name}").decode().rstrip("\n") + "\n")
        link = posixpath.basename(name).removesuffix(".crt").translate(str.maketrans(" (),", "_==_"))
        root.symlink(f"etc/ssl/certs/{link}.pem", f"/{folder}/{name}")
    root.file("etc/ssl/certs/ca-certificates.crt", "".join(bundle))
    root.file("etc/ca-certificates.conf", "".join(f"{name}\n" for name in names))


def _container(root: Root) -> None:
    """No package's: what images of Debian have because nothing boots in a container."""
    root.file(
        "usr/sbin/policy-rc.d",
        "#!/bin/sh\n# No init runs here: services are not started.\nexit 101\n",
        0o755,
    )
    root.file(
        "etc/apt/apt.conf.d/container",
        "// Translations and caches are of no use here, and with one uid nothing can become _apt.\n"
        'Acquire::Languages "none";\n'
        'Acquire::GzipIndexes "true";\n'
        'APT::Sandbox::User "root";\n'
        'Apt::AutoRemove::SuggestsImportant "false";\n'
        'Dir::Cache::pkgcache "";\n'
        'Dir::Cache::srcpkgcache "";\n'
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb"; };\n',
    )
    # Places for a runtime to bind its own files to.
    for path in ("etc/hosts", "etc/hostname", "etc/resolv.conf"):
        root.file(path, "")
