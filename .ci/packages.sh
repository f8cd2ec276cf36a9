# Installs missing Debian packages: as root, through sudo, or not at all with the exact command. Sourced, not run.
# A list file has one package per line, with comments after #.
# shellcheck shell=bash

# Those packages of list files that are not installed, one per line.
missing_packages() {
    local package
    sed 's/#.*//; s/[[:space:]]*$//; /^$/d' "$@" | sort -u | while read -r package; do
        [ "$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || echo "$package"
    done
}

# sudo without a question, or with one that somebody can answer.
may_sudo() {
    command -v sudo >/dev/null || return 1
    sudo -n true 2>/dev/null || [ -t 0 ]
}

# install_missing WHO FILE...: install what the list files name and this machine lacks. WHO: begins each message.
install_missing() {
    local who=$1 missing command
    shift
    mapfile -t missing < <(missing_packages "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    command="apt-get update && apt-get install -y --no-install-recommends ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        printf '%s: this is not Debian; these Debian packages are needed: %s\n' "$who" "${missing[*]}" >&2
        return 1
    fi
    if [ "$(id -u)" = 0 ]; then
        local with=(env)
    elif may_sudo; then
        local with=(sudo env)
    else
        printf '%s: these Debian packages are missing, and this account cannot install them. As root, run:\n\n    %s\n\n' \
            "$who" "$command" >&2
        return 1
    fi
    printf '%s: installing from Debian: %s\n' "$who" "${missing[*]}"
    if ! "${with[@]}" apt-get update -q ||
        ! "${with[@]}" DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; then
        printf '%s: apt-get failed. As root, run:\n\n    %s\n\n' "$who" "$command" >&2
        return 1
    fi
}
