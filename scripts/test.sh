#!/usr/bin/env bash
# All checks: lints, Rust tests (those that drive the window among them), tests of the screens' logic, and that every test
# that docs/behaviour.md names has passed. Goes on after a failure, so that one run shows all of them.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

readonly results=target/test-run
failed=()

main() {
  local start=$SECONDS
  step "Installing what is missing"
  scripts/install-deps.sh test
  export KEYQUAY_DEPS_INSTALLED=1
  rm -rf "$results"
  mkdir -p "$results"

  scripts/lint.sh || failed+=("lint")

  step "Building everything once: server, app, examples, tests"
  if cargo build --locked --workspace --all-targets; then
    test_rust || failed+=("Rust tests")
  else
    failed+=("build")
  fi
  test_screens || failed+=("tests of the screens")

  step "Comparing with docs/behaviour.md"
  node scripts/check-behaviour.js docs/behaviour.md "$results" || failed+=("docs/behaviour.md")

  report "$((SECONDS - start))"
}

test_rust() {
  step "Rust tests; screenshots go to target/screens/"
  rm -rf target/screens
  cargo test --locked --workspace --no-fail-fast 2>&1 | tee "$results/rust.txt"
}

test_screens() {
  step "Tests of the screens' logic"
  local tests
  mapfile -t tests < <(find ui tests scripts -name '*.test.js' | sort)
  node --test --test-reporter=spec --test-reporter-destination=stdout \
    --test-reporter=tap --test-reporter-destination="$results/node.tap" "${tests[@]}"
}

report() {
  step "Result after $(took "$1")"
  if [[ -s $results/skipped.txt ]]; then
    echo "Skipped here:"
    sed 's/^/  /' "$results/skipped.txt"
  fi
  node scripts/count-tests.js "$results"
  if ((${#failed[@]} > 0)); then
    printf 'FAILED: %s\n' "${failed[@]}"
    exit 1
  fi
}

main
