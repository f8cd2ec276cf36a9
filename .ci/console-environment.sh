# shellcheck shell=bash
# browser_environment CACHE: an environment under CACHE/browser with playwright and what a fleet's workstation needs,
# and Debian's chromium and mosquitto. Installs what is missing, again whenever the requirements change. Needs say().
# shellcheck source=environment.sh
. .ci/environment.sh
# shellcheck source=packages.sh
. .ci/packages.sh

browser_environment() {
    local cache=$1 requirements wanted
    install_missing console .ci/browser-packages.txt || return 1
    requirements="$(cat tests/console/requirements.txt) link fleet"
    ! is_current "$cache/browser" "$requirements" || return 0
    say "installing playwright into $cache/browser"
    mkdir -p "$cache"
    mapfile -t wanted < <(needs console link fleet)
    new_environment console "$cache/browser" "${wanted[@]}" -r tests/console/requirements.txt || return 1
    mark_current "$cache/browser" "$requirements"
}
