# Finds a Python that mien runs on. Sourced, not run.
# shellcheck shell=bash

# find_python WHO: the path of MIEN_PYTHON, else of Python 3.11, else of a newer one. WHO: begins the message if none fits.
find_python() {
    local candidate candidates=(python3.11 /usr/bin/python3 python3 python3.13 python3.12)
    [ -z "${MIEN_PYTHON:-}" ] || candidates=("$MIEN_PYTHON")
    for candidate in "${candidates[@]}"; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    if [ -n "${MIEN_PYTHON:-}" ]; then
        echo "$1: MIEN_PYTHON=$MIEN_PYTHON is $("$MIEN_PYTHON" -V 2>/dev/null || echo "no Python"): mien supports Python 3.11, 3.12 and 3.13" >&2
    else
        echo "$1: no Python 3.11, 3.12 or 3.13 was found, which mien supports; install one, or set MIEN_PYTHON to its path" >&2
    fi
    return 1
}
