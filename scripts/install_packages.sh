#!/usr/bin/env bash
# Fill a virtual environment with exactly the packages that a lock file names.
#   scripts/install_packages.sh VENV LOCK
#   PYTHON        interpreter that makes the environment (3.11 or newer)
#   TORCH_INDEX   package index to take torch from, where the default one would give a CUDA build
#   VERBOSE=1     show what pip does
set -euo pipefail

venv=$1
lock=$2
python=${PYTHON:-python3}

if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
    echo "install: $python is $("$python" --version 2>&1); Python 3.11 or newer is needed: make install PYTHON=python3.12" >&2
    exit 1
fi
[[ -x $venv/bin/python ]] || "$python" -m venv "$venv"

run_pip() {
    local verb=$1
    shift
    # Two -q: pip reports errors only.
    "$venv/bin/python" -m pip "$verb" --disable-pip-version-check --no-input $([[ ${VERBOSE:-} ]] || echo -qq) "$@"
}

# The version of a package that is there, whichever build of it; nothing where there is none.
installed() {
    "$venv/bin/python" -c 'import sys; from importlib.metadata import version; print(version(sys.argv[1]).split("+")[0])' \
        "$1" 2>/dev/null || true
}

# The names and versions that a lock file, and those it includes, pin; without their hashes.
pins_of() {
    sed -n 's/^\([A-Za-z0-9._-]*==[^ ]*\).*/\1/p' "$1"
    local other
    for other in $(sed -n 's/^-r //p' "$1"); do pins_of "$(dirname "$1")/$other"; done
}

mapfile -t pins < <(pins_of "$lock")
torch=$(printf '%s\n' "${pins[@]}" | grep '^torch==' || true)
if [[ ${TORCH_INDEX:-} && $torch ]]; then
    # Alone and without dependencies, so that this index can supply nothing but torch. By no hash: the lock has those of
    # the default index, and of the one wheel that it was written with.
    run_pip install --no-deps --index-url "$TORCH_INDEX" "$torch"
elif [[ $torch && $torch != "torch==$(installed torch)" ]]; then
    # Of several files that it may take by hash, pip prefers one whose hash a page names to a newer build that lies in a
    # folder: PyPI's CUDA build to the CPU build. So it chooses by name, and then takes only what it chose, by hash.
    chosen=$(mktemp -d)
    trap 'rm -rf "$chosen"' EXIT
    run_pip download --no-deps --dest "$chosen" "$torch"
    sed -n '/^torch==/,/[^\\]$/p' "$(dirname "$lock")/requirements.lock" >"$chosen/torch.lock"
    run_pip install --no-deps --no-index --find-links "$chosen" --require-hashes -r "$chosen/torch.lock"
fi
# The lock is complete for the CPU: pip takes these files, by their hashes, and no others.
run_pip install --no-deps --require-hashes -r "$lock"
# What this machine's builds need besides, as the CUDA build of torch its libraries: nothing with that for the CPU.
run_pip install "${pins[@]}"
