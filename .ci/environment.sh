# A cached environment for what is too heavy for .venv. Sourced, not run.
# shellcheck shell=bash
# shellcheck source=python.sh
. .ci/python.sh

# is_current FOLDER STAMP: whether FOLDER was made from STAMP by the dependencies that pyproject.toml names now.
is_current() { [ "$(cat "$1/.made-from" 2>/dev/null)" = "$(made_from "$2")" ]; }
made_from() { (sed -n '/^dependencies/,/^\[project.scripts\]/p' pyproject.toml; echo "$1") | sha256sum; }
mark_current() { made_from "$2" >"$1/.made-from"; }

# Python compiles what it imports once, and keeps it: pip need not compile everything that it installs.
unset PYTHONDONTWRITEBYTECODE

# needs WHO [EXTRA...]: what mien and these extras of it require, one per line.
needs() {
    "$(find_python "$1")" -c '
import sys, tomllib
project = tomllib.load(open("pyproject.toml", "rb"))["project"]
extras = [each for extra in sys.argv[1:] for each in project["optional-dependencies"][extra]]
print(*project["dependencies"], *extras, sep="\n")' "${@:2}"
}

# new_environment WHO FOLDER PIP-ARGUMENT...: an environment with what pip installs, without mien: the sources of this
# checkout are on the path instead. Its last lines are shown where pip fails.
new_environment() {
    local who=$1 folder=$2 python
    shift 2
    python=$(find_python "$who") || return 1
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check --no-compile "$@" >"$folder/install.log" 2>&1 ||
        { tail -n 15 "$folder/install.log" >&2; return 1; }
}
