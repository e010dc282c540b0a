#!/usr/bin/env bash
# Everything a machine can say about the code without running it: `make lint`.
set -euo pipefail
. "$(dirname "$0")/places.sh"
cd "$repo"

scripts/install-system.sh
for component in rustfmt clippy; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$component"
done

# Built once: minutes.
deny_version=0.20.2
deny=$cache/tools/bin/cargo-deny
if ! "$deny" --version 2>/dev/null | grep -qw "$deny_version"; then
    say "installing cargo-deny $deny_version"
    cargo install --quiet --locked --debug --no-default-features --version "$deny_version" --root "$cache/tools" cargo-deny
fi

say "dependencies"
cargo fetch --quiet --locked
"$deny" --offline --log-level error check licenses bans sources
say "formatting"
cargo fmt --all --check
say "clippy"
cargo clippy --workspace --all-targets --quiet -- -D warnings
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --quiet
