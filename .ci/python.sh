# Finds a Python that mien runs on. Sourced, not run.
# shellcheck shell=bash

# find_python WHO: the path of Python 3.11, else of a newer one. WHO: begins the message when there is none.
find_python() {
    local candidate
    for candidate in "${MIEN_PYTHON:-python3.11}" /usr/bin/python3 python3; do
        if "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' 2>/dev/null; then
            command -v "$candidate"
            return
        fi
    done
    echo "$1: no Python 3.11 or newer was found; set MIEN_PYTHON to one" >&2
    return 1
}
