#!/usr/bin/env bash
# Makes icons/*.png, icon.ico and icon.icns from icons/keyquay.svg. Run it after a change of the drawing, and commit what it makes.
set -euo pipefail
cd "$(dirname "$0")/.."

made=$(mktemp -d)
trap 'rm -rf "$made"' EXIT

npx --yes @tauri-apps/cli@2.12.5 icon icons/keyquay.svg --output "$made" >/dev/null
for icon in 32x32.png 128x128.png 128x128@2x.png icon.png icon.ico icon.icns; do
  cp "$made/$icon" icons/
  echo "icons/$icon"
done
