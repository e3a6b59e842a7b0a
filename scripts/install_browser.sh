#!/usr/bin/env bash
# See to it that there is a Chromium for the tests that need one.
#   scripts/install_browser.sh       (variable: CHROMIUM, the path of a Chromium or Chrome of one's own)
# Where none is found, Debian's and Ubuntu's package is installed if that is possible. Where it is not, it says what to do;
# the tests in question then say that they did not run, and fail where the variable CI is set.
set -euo pipefail

find_browser() {
    local name
    for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome google-chrome-stable; do
        if [[ -n $name ]] && command -v "$name"; then return 0; fi
    done
    return 1
}

if find_browser >/dev/null; then exit 0; fi
sudo=()
if [[ $(id -u) != 0 ]]; then sudo=(sudo -n); fi
if command -v apt-get >/dev/null && { [[ $(id -u) == 0 ]] || sudo -n true 2>/dev/null; }; then
    echo "install_browser: installing chromium (once, a minute)" >&2
    { "${sudo[@]}" apt-get update -qq && "${sudo[@]}" apt-get install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1 || true
fi
if ! find_browser >/dev/null; then
    echo "install_browser: no Chromium here, and it cannot be installed: install it (Debian: apt-get install chromium)," >&2
    echo "  or name one: CHROMIUM=/path/to/chrome make test. Until then the browser tests do not run." >&2
    [[ -z ${CI:-} ]]
fi
