# Where set-up keeps what it fetches. Sourced by the other scripts.
# FACEREEL_CACHE moves all of it; else it is the folder that the program itself looks into.

repo=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${FACEREEL_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/facereel}
media=$cache/media
venv=$cache/venv
export FACEREEL_CACHE=$cache
export FACEREEL__MODELS__DIR=${FACEREEL__MODELS__DIR:-$cache/models}

say() { printf '==> %s\n' "$*"; }
die() { printf 'error: %s\n' "$*" >&2; exit 1; }
