#!/usr/bin/env bash
# Installs the Debian packages that are missing. Usage: install-system.sh [test]
# "test" adds what only the tests need. Does nothing, quickly, when all are there.
set -euo pipefail
. "$(dirname "$0")/places.sh"

packages=(
    libavcodec-dev libavformat-dev libavutil-dev libswscale-dev libclang-dev pkg-config # to link FFmpeg
    ffmpeg                                                                             # to compose clips
    python3-venv python3-pip                                                           # to fetch packages
    gcc libc6-dev cmake make nasm                                                      # to build libjpeg-turbo
)
[ "${1:-}" = test ] && packages+=(rabbitmq-server prometheus) # prometheus for promtool

installed() { dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null | grep -qx installed; }

command -v dpkg-query >/dev/null || die "this is no Debian: install the equivalents of ${packages[*]} by hand"
missing=()
for package in "${packages[@]}"; do
    installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null || die "run as root, or install: ${missing[*]}"
    as_root=(sudo)
fi
say "installing ${missing[*]}"
# The packages of servers start services of their own on install; tests start private ones, so they are not wanted.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
    "${as_root[@]}" chmod +x "$policy"
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
fi
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}"
