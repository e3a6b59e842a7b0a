#!/usr/bin/env bash
# Fill a virtual environment with exactly the packages that a lock file names.
#   scripts/install_packages.sh VENV LOCK
#   PYTHON        interpreter that makes the environment (3.11 or newer)
#   TORCH_INDEX   package index to take torch from, where the default one would give a CUDA build
#   COMPILE=no    let a module be compiled when it is first imported: most never are, and compiling all takes a minute
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

# Install, and compile unless told otherwise.
add() {
    local compile=()
    [[ ${COMPILE:-} != no ]] || compile=(--no-compile)
    run_pip install "${compile[@]}" "$@"
}

# The version of a package that is there, whichever build of it; nothing where there is none.
installed() {
    "$venv/bin/python" -c 'import sys; from importlib.metadata import version; print(version(sys.argv[1]).split("+")[0])' \
        "$1" 2>/dev/null || true
}

# What a lock file pins, and those that it includes, with the hashes.
entries_of() {
    sed '/^-r /d' "$1"
    local other
    for other in $(sed -n 's/^-r //p' "$1"); do entries_of "$(dirname "$1")/$other"; done
}

take_torch() {
    if [[ ${TORCH_INDEX:-} ]]; then
        # Alone and without dependencies, so that this index can supply nothing but torch. By no hash: the lock has those of
        # the default index, and of the one wheel that it was written with.
        add --no-deps --index-url "$TORCH_INDEX" "$torch"
    elif [[ $torch != "torch==$(installed torch)" ]]; then
        # Of several files that it may take by hash, pip prefers one whose hash a page names to a newer build that lies in a
        # folder: PyPI's CUDA build to the CPU build. So it chooses by name, and then takes only what it chose, by hash.
        run_pip download --no-deps --dest "$folder/chosen" "$torch"
        sed -n '/^torch==/,/[^\\]$/p' "$folder/all.lock" >"$folder/torch.lock"
        add --no-deps --no-index --find-links "$folder/chosen" --require-hashes -r "$folder/torch.lock"
    fi
}

folder=$(mktemp -d)
taking=
trap '[[ -z $taking ]] || { kill -- "-$taking"; wait; } 2>/dev/null || true; rm -rf "$folder"' EXIT
entries_of "$lock" >"$folder/all.lock"
mapfile -t pins < <(sed -n 's/^\([A-Za-z0-9._-]*==[^ ]*\).*/\1/p' "$folder/all.lock")
torch=$(printf '%s\n' "${pins[@]}" | grep '^torch==' || true)
# Torch aside, every other pin in either half.
sed '/^torch==/,/[^\\]$/d; /^#/d' "$folder/all.lock" | awk -v file="$folder/half." '/^[^ ]/ { half = 1 - half } { print >(file half + 0) }'

# The lock is complete for the CPU: pip takes these files, by their hashes, and no others.
take_half() {
    if [[ -s $folder/half.$1 ]]; then add --no-deps --require-hashes -r "$folder/half.$1"; fi
}

# At once, for pip uses one processor; no two packages have a file in common. In a group of its own, so that it can be ended.
set -m
{
    if [[ $torch ]]; then take_torch; fi
    take_half 0
} &
taking=$!
set +m
take_half 1
wait "$taking"
taking=
# What this machine's builds need besides, as the CUDA build of torch its libraries: nothing with that for the CPU.
add "${pins[@]}"
