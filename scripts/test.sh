#!/usr/bin/env bash
# Sets up what the tests need and runs them: `make test`. With CI set, nextest's profile `ci` is used.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

scripts/install-system.sh test
scripts/fetch-media.sh
# Builds the tests, and the programs that end-to-end tests start.
scripts/fetch-models.sh dev
scripts/install-s3-server.sh
scripts/install-deploy-checks.sh
if ! cargo nextest --version >/dev/null 2>&1; then
    say "installing the test runner"
    cargo install --quiet --locked cargo-nextest
fi

# At the end of the path: the S3 server and the checkers are found there, and nothing else changes its meaning.
export PATH=$PATH:$venv/bin
profile=default
[ -n "${CI:-}" ] && profile=ci
exec cargo nextest run --workspace --profile "$profile"
