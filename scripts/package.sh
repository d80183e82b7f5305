#!/usr/bin/env bash
# Builds the installers of this system into target/release/bundle/.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

readonly tauri_cli=2.12.5

step "Installing what is missing"
scripts/install-deps.sh run
command -v npx >/dev/null || { echo "npm is needed for the bundler: apt-get install npm" >&2 && exit 1; }

case $(uname) in
  Linux) bundles=deb,rpm ;;
  Darwin) bundles=dmg ;;
  *) bundles=nsis ;;
esac
step "Building $bundles (release, some minutes)"
npx --yes "@tauri-apps/cli@$tauri_cli" build --bundles "$bundles"

step "Packages"
find target/release/bundle -type f \( -name '*.deb' -o -name '*.rpm' -o -name '*.dmg' -o -name '*.exe' \) -exec ls -lh {} +
