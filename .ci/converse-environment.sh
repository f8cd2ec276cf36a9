# shellcheck shell=bash
# converse_environment CACHE: two environments under CACHE: engines, and piper, which is under another licence. Installs
# what is missing, again whenever the requirements change.
# shellcheck source=environment.sh
. .ci/environment.sh

converse_environment() {
    local cache=$1 extras=(converse ear visits visits-names) packages=(pytest pytest-timeout pyroomacoustics) wanted
    ! is_current "$cache" "${extras[*]} ${packages[*]}" || return 0
    echo "converse: installing the engines into $cache" >&2
    mkdir -p "$cache"
    mapfile -t wanted < <(needs converse "${extras[@]}")
    new_environment converse "$cache/engines" "${wanted[@]}" "${packages[@]}"
    # shellcheck disable=SC2046  # one word a requirement
    new_environment converse "$cache/piper" $(piper_requirements)
    mark_current "$cache" "${extras[*]} ${packages[*]}"
}

piper_requirements() { # those of the extra piper
    sed -n '/^piper = \[/,/^\]/p' pyproject.toml | sed -n 's/^ *"\([^"]*\)".*/\1/p'
}
