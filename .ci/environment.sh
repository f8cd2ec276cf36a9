# A cached environment for what is too heavy for .venv. Sourced, not run.
# shellcheck shell=bash
# shellcheck source=python.sh
. .ci/python.sh

# is_current FOLDER STAMP: whether FOLDER was made from STAMP by the dependencies that pyproject.toml names now.
is_current() { [ "$(cat "$1/.made-from" 2>/dev/null)" = "$(made_from "$2")" ]; }
made_from() { (sed -n '/^dependencies/,/^\[project.scripts\]/p' pyproject.toml; echo "$1") | sha256sum; }
mark_current() { made_from "$2" >"$1/.made-from"; }

# new_environment WHO FOLDER PIP-ARGUMENT...: an environment with what pip installs, but for mien itself: the sources of
# this checkout are on the path instead. Its last lines are shown where pip fails.
new_environment() {
    local who=$1 folder=$2 python
    shift 2
    python=$(find_python "$who") || return 1
    "$python" -m venv --clear "$folder"
    "$folder/bin/python" -m pip install -q --disable-pip-version-check "$@" >"$folder/install.log" 2>&1 ||
        { tail -n 15 "$folder/install.log" >&2; return 1; }
    "$folder/bin/python" -m pip uninstall -q -y mien >/dev/null 2>&1
}
