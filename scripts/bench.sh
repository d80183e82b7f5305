#!/usr/bin/env bash
# Runs every benchmark of the workspace. Each prints its figure beside what this machine could do at most.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

step "Installing what is missing"
scripts/install-deps.sh terminal

for benchmark in crates/*/benches/*.rs; do
  [[ -e $benchmark ]] || { echo "No crate has a benches/ folder." >&2 && exit 1; }
  crate=${benchmark#crates/}
  crate=keyquay-${crate%%/*}
  name=$(basename "$benchmark" .rs)
  step "$crate: ${name//_/ }"
  cargo bench --locked --quiet --package "$crate" --bench "$name"
done
