# Shared by the scripts in this folder; sourced, never run. Each function either does its work, showing one line of
# progress, or ends the script with one sentence that says what is missing and how to get it.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

progress() {
    printf '==> %s\n' "$*" >&2
}

fail() {
    printf 'error: %s\n' "$*" >&2
    exit 1
}

# need_tool NAME HOW: NAME is in PATH.
need_tool() {
    command -v "$1" >/dev/null 2>&1 || fail "$1 is not installed: $2"
}

# The three tools that everything else is fetched or built with.
need_tools() {
    need_tool git "install it with your system's package manager (Debian: apt install git)"
    need_tool cargo "install Rust from https://rustup.rs, then open a new shell"
    need_tool node "install Node.js 20 or newer from https://nodejs.org"
    need_tool npm "it comes with Node.js 20 or newer from https://nodejs.org (Debian: apt install npm)"
    local major
    major=$(node -p 'process.versions.node.split(".")[0]')
    [ "$major" -ge 20 ] || fail "node is version $(node --version), 20 or newer is needed: https://nodejs.org"
}

# Puts the pinned npm tools under contracts/node_modules, when the lock file is newer than what is there.
npm_setup() {
    local modules="$root/contracts/node_modules"
    # npm writes this file when it has finished.
    if [ ! -f "$modules/.package-lock.json" ] || [ "$root/contracts/package-lock.json" -nt "$modules/.package-lock.json" ]; then
        progress "npm install in contracts/ (pinned tools)"
        # Not `npm ci`: it refuses a lock file that leaves out the tools of other platforms, and not all of those that
        # Foundry's packages name exist everywhere. Versions are exact, and hashes in the lock file are checked.
        (cd "$root/contracts" && npm install --no-save --ignore-scripts --no-audit --no-fund >&2) ||
            fail "npm install failed in contracts/: it needs the npm registry once; look above for its reason"
        touch "$modules/.package-lock.json"
    fi
    local tool
    for tool in forge anvil; do
        "$modules/.bin/$tool" --version >/dev/null 2>&1 ||
            fail "contracts/node_modules/.bin/$tool does not run here: remove contracts/node_modules and try again" \
                "(Foundry's npm packages exist for Linux and macOS on x86-64 and arm64)"
    done
}

# npm_folder FOLDER: what its lock file names lies in its node_modules. Not `npm ci`, for the reason above.
npm_folder() {
    local folder=$1 lock=$1/package-lock.json
    if [ ! -f "$folder/node_modules/.package-lock.json" ] || [ "$lock" -nt "$folder/node_modules/.package-lock.json" ]; then
        progress "npm install in ${folder#"$root"/} (pinned tools)"
        (cd "$folder" && npm install --no-save --ignore-scripts --no-audit --no-fund >&2) ||
            fail "npm install failed in ${folder#"$root"/}: it needs the npm registry once; look above for its reason"
        touch "$folder/node_modules/.package-lock.json"
    fi
}

# forge ARG...: in contracts/. The program itself, not npm's wrapper round it, which exits 0 whatever forge says.
forge() {
    local program
    program=$(find "$root/contracts/node_modules/@foundry-rs" -path '*/forge-*/bin/forge' | head -n 1)
    [ -x "$program" ] || fail "forge is not there for $(uname -sm): remove contracts/node_modules and try again"
    (cd "$root/contracts" && "$program" "$@")
}

# cargo_build ARG...: builds, with the lock file as it is.
cargo_build() {
    progress "cargo build $*"
    (cd "$root" && cargo build --locked "$@") || fail "cargo build failed: look above for its reason"
}

# Prints where bulloak is, which checks that tests say what their trees say. Built once, beside what cargo builds.
bulloak_program() {
    local version=0.9.2 home
    home=$(target_dir)/bulloak-$version
    if [ ! -x "$home/bin/bulloak" ]; then
        progress "cargo install bulloak $version"
        # A target of its own: other dependencies, another lock file.
        CARGO_TARGET_DIR=$home/target cargo install -q bulloak --version "=$version" --locked --root "$home" >&2 ||
            fail "bulloak $version cannot be built: look above for its reason"
        rm -rf "$home/target"
    fi
    printf '%s\n' "$home/bin/bulloak"
}

# Every contract test has the tests that its tree names, in the tree's order.
check_trees() {
    local program
    program=$(bulloak_program) || return
    (cd "$root/contracts" && find test -name '*.tree' -print0 | sort -z | xargs -0 "$program" check)
}

# Where cargo puts what it builds; CARGO_TARGET_DIR and cargo's own configuration are respected.
target_dir() {
    (cd "$root" && cargo metadata --format-version 1 --no-deps --locked) |
        node -p 'JSON.parse(require("fs").readFileSync(0)).target_directory'
}
