#!/usr/bin/env bash
# Everything a machine can say about the code without running it: `make lint`.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

scripts/install-system.sh
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

say "formatting"
cargo fmt --all --check
say "clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
