#!/usr/bin/env bash
# Makes .venv, or brings it up to date, from the hash-locked files beside this one. Does nothing, in a few
# milliseconds, when it is up to date.
#
#     requirements/setup.sh pipeline|workshop|everything [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."

level=${1:?which lock file to install}
lock=requirements/$level.txt
stamp=.venv/shipway-$level
# Stale when the lock changed, or what installing this project itself depends on.
wanted=$(sed -n '/^\[project/,/^\[dependency-groups\]/p' pyproject.toml | cat "$lock" requirements/installer.txt - | sha256sum)

if [[ -x .venv/bin/python && -f $stamp && $(<"$stamp") == "$wanted" ]]; then
    exit 0
fi

fail() {
    printf 'shipway: %s\n' "$@" >&2
    exit 1
}

supported() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    for candidate in "${1:-}" python3.11 python3 python3.13 python3.12; do
        if [[ -n $candidate ]] && supported "$candidate"; then
            command -v "$candidate"
            return
        fi
    done
    fail "Python 3.11 or newer is needed and was not found. On Debian: apt-get install python3 python3-venv"
}

make_venv() {
    echo "shipway: making .venv with $1" >&2
    rm -rf .venv
    if "$1" -m pip --version >/dev/null 2>&1; then
        # The interpreter's own pip fills it: quicker, and works where Debian's python3-venv is not installed.
        "$1" -m venv --without-pip .venv
        pip=("$1" -m pip --python "$PWD/.venv/bin/python")
    elif "$1" -c 'import ensurepip' 2>/dev/null; then
        "$1" -m venv .venv
        pip=(.venv/bin/python -m pip)
    else
        fail "$1 has neither pip nor ensurepip, so nothing can be installed with it." \
            "On Debian: apt-get install python3-venv"
    fi
    "${pip[@]}" install --quiet --disable-pip-version-check --no-compile --require-hashes -r requirements/installer.txt
}

if [[ ! -x .venv/bin/uv ]] || ! supported .venv/bin/python; then
    python=$(find_python "${2:-}")
    make_venv "$python"
fi

settings=$("$PWD/.venv/bin/python" ci/host_settings.py)
eval "$settings"
unset PYTHONDONTWRITEBYTECODE # an install without bytecode starts half as fast, every time
install=(.venv/bin/uv pip install --quiet --python .venv/bin/python)
echo "shipway: installing $lock" >&2
"${install[@]}" --compile-bytecode --require-hashes -r "$lock"
"${install[@]}" --no-deps --no-build-isolation --editable .
printf '%s\n' "$wanted" >"$stamp"
