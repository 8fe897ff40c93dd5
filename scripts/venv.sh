# Python tools that are not needed to build or test; sourced after lib.sh, never run.
# shellcheck shell=bash

# Where tools and what they build are kept: outside the checkout.
tool_cache=${XDG_CACHE_HOME:-${HOME:-/tmp}/.cache}/surety-tools

# venv NAME REQUIREMENTS: a virtual environment with exactly those versions; its path is printed.
venv() {
    local at="$tool_cache/$1"
    need_tool python3 "install Python 3.11 or newer with venv (Debian: apt install python3-venv)"
    if ! cmp -s "$2" "$at/requirements.txt"; then
        progress "python3 -m venv $at ($1, pinned)"
        mkdir -p "$tool_cache" || fail "$tool_cache cannot be made: set XDG_CACHE_HOME to a folder that can"
        rm -rf "$at"
        python3 -m venv "$at" >&2 || fail "python3 -m venv failed: install its package (Debian: apt install python3-venv)"
        "$at/bin/pip" install --quiet --disable-pip-version-check --no-deps -r "$2" >&2 ||
            fail "pip install failed: it needs the Python package index once; look above for its reason"
        # Last, so that a set-up that died half way is done again.
        cp "$2" "$at/requirements.txt"
    fi
    echo "$at"
}

# forge_folder: a folder to put in PATH, in which `forge` is the program itself and not npm's wrapper round it.
forge_folder() {
    local program
    program=$(find "$root/contracts/node_modules/@foundry-rs" -path '*/forge-*/bin/forge' | head -n 1)
    [ -x "$program" ] || fail "forge is not there for $(uname -sm): remove contracts/node_modules and try again"
    dirname "$program"
}
