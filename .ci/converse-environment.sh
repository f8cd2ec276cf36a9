# shellcheck shell=bash
# converse_environment CACHE PACKAGE...: two environments under CACHE: engines, with PACKAGE..., and piper, which is under
# another licence. Installs what is missing, again whenever the requirements change.
# shellcheck source=python.sh
. .ci/python.sh

converse_environment() {
    local cache=$1 wanted python
    shift
    wanted=$( (sed -n '/^dependencies/,/^\[project.scripts\]/p' pyproject.toml; echo "$@") | sha256sum)
    [ "$(cat "$cache/.made-from" 2>/dev/null)" != "$wanted" ] || return 0
    python=$(find_python converse)
    echo "converse: installing the engines into $cache" >&2
    mkdir -p "$cache"
    "$python" -m venv "$cache/engines"
    "$cache/engines/bin/python" -m pip install -q --disable-pip-version-check "$@"
    "$cache/engines/bin/python" -m pip uninstall -q -y mien # the sources of this checkout are on the path instead
    "$python" -m venv "$cache/piper"
    # shellcheck disable=SC2046  # one word a requirement
    "$cache/piper/bin/python" -m pip install -q --disable-pip-version-check $(piper_requirements)
    echo "$wanted" >"$cache/.made-from"
}

piper_requirements() { # those of the extra piper
    sed -n '/^piper = \[/,/^\]/p' pyproject.toml | sed -n 's/^ *"\([^"]*\)".*/\1/p'
}
