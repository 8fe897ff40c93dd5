# Shared by scripts/demo and scripts/test. Sourced, not run.
# shellcheck shell=bash

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
TARGET=${CARGO_TARGET_DIR:-$ROOT/target}
export CARGO_TARGET_DIR=$TARGET
cd "$ROOT" || exit 1

say() { printf '== %s\n' "$*" >&2; }

die() {
    printf 'scripts: %s\n' "$*" >&2
    exit 1
}

# need_tool NAME HOW-TO-GET-IT
need_tool() {
    command -v "$1" >/dev/null 2>&1 || die "$1 is missing. $2"
}

check_tools() {
    need_tool cargo "Install Rust from https://rustup.rs (the version is pinned in rust-toolchain.toml)."
    need_tool cc "A C compiler builds SQLite: install gcc or clang (Debian: apt-get install build-essential)."
    need_tool node "Install Node.js 20 or later from https://nodejs.org."
    need_tool npm "It comes with Node.js."
    local major
    major=$(node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] || die "Node.js $major is too old: 20 or later is needed, from https://nodejs.org."
}

# Pinned npm tools under contracts/: forge, anvil, solc and the libraries the contracts import.
npm_setup() {
    local stamp=contracts/node_modules/.installed
    if [ ! -f "$stamp" ] || ! cmp -s contracts/package-lock.json "$stamp"; then
        say "installing the pinned npm tools under contracts/"
        (cd contracts && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >&2) ||
            die "npm ci failed in contracts/: is the npm registry reachable?"
        cp contracts/package-lock.json "$stamp"
    fi
    local tool
    for tool in forge anvil; do
        contracts/node_modules/.bin/$tool --version >/dev/null 2>&1 ||
            die "contracts/node_modules/.bin/$tool does not run on this system ($(uname -sm)): Foundry ships it for Linux, macOS and Windows on x86-64, and for Linux and macOS on ARM"
    done
}

# cargo_build ARGS...: progress goes to the terminal.
cargo_build() {
    say "building (the first time takes some minutes): cargo build $*"
    cargo build "$@" >&2 || die "the build failed"
}
