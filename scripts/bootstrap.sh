#!/bin/sh
# Makes .venv ready: finds a CPython that Tellerline runs on, then hands over to bootstrap.py.
# Nothing is installed outside this checkout, unless uv has to fetch a Python (then into uv's own folder).
set -eu

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
root=$(dirname -- "$here")

# A Python that was built without these cannot make the environment or run in it, whatever its version.
works='
import sys
if sys.implementation.name != "cpython" or sys.version_info[:2] not in ((3, 10), (3, 11)):
    sys.exit(1)
import bz2, ctypes, ensurepip, lzma, sqlite3, ssl, venv
print(sys.executable)
'

try() {
    # pyenv puts stubs on the path that fail unless that version is selected: running it is the only test.
    found=$("$1" -c "$works" 2>/dev/null) && [ -n "$found" ]
}

find_python() {
    if [ -n "${TELLERLINE_PYTHON:-}" ]; then
        try "$TELLERLINE_PYTHON" && return 0
        echo "TELLERLINE_PYTHON is not a complete CPython 3.11 or 3.10: $TELLERLINE_PYTHON" >&2
        exit 1
    fi
    for version in 3.11 3.10; do
        try "python$version" && return 0
        for candidate in "${PYENV_ROOT:-${HOME:-/nonexistent}/.pyenv}"/versions/"$version".*/bin/python; do
            try "$candidate" && return 0
        done
    done
    try python3 && return 0
    try python && return 0
    if command -v uv >/dev/null 2>&1; then
        echo "No Python 3.11 here; fetching one with uv"
        uv python install 3.11 && try "$(uv python find 3.11)" && return 0
    fi
    return 1
}

# The environment's own Python serves when it still works, so that a ready checkout costs no search.
if [ -x "$root/.venv/bin/python" ] && try "$root/.venv/bin/python" && [ -f "$root/.venv/pyvenv.cfg" ]; then
    exec "$root/.venv/bin/python" "$here/bootstrap.py"
fi
if ! find_python; then
    echo "Tellerline needs CPython 3.11 (3.10 will do): install it, or uv (https://docs.astral.sh/uv), and run this again." >&2
    exit 1
fi
exec "$found" "$here/bootstrap.py" --new
