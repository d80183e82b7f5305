#!/usr/bin/env bash
# Builds, starts a sync server on this computer and opens the app on it. Without a display it plays the story of two
# devices in the terminal instead. Ends what it started, however it ends.
set -euo pipefail
cd "$(dirname "$0")/.."
source scripts/steps.sh

readonly listen=${KEYQUAY_LISTEN:-127.0.0.1:8787}
readonly state=target/run
readonly no_display=69
server=

main() {
  trap stop_server EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if ! has_display; then
    tell_story_in_terminal "there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set)"
    return
  fi

  step "1/4 Installing what is missing"
  scripts/install-deps.sh run
  step "2/4 Building the app and the sync server (some minutes the first time)"
  cargo build --locked --bin keyquay --bin keyquay-server --package keyquay --package keyquay-server
  step "3/4 Starting a sync server of your own at http://$listen"
  start_server
  step "4/4 Opening the app; close its window to end all of this"
  local code=0
  target/debug/keyquay --data-dir "$state/app" --sync-server "http://$listen" "$@" || code=$?
  if ((code == no_display)); then
    stop_server
    tell_story_in_terminal "the display does not answer"
    return
  fi
  return "$code"
}

has_display() {
  [[ $(uname) != Linux || -n ${DISPLAY:-} || -n ${WAYLAND_DISPLAY:-} ]]
}

tell_story_in_terminal() {
  step "No window: $1."
  echo "Instead, two devices without a screen go through the whole story here (cargo run --example two_devices)."
  step "1/3 Installing what is missing"
  scripts/install-deps.sh terminal
  step "2/3 Building the server and the devices (a few minutes the first time)"
  cargo build --locked --package keyquay-client --example two_devices
  step "3/3 The story of two devices"
  cargo run --locked --quiet --package keyquay-client --example two_devices
}

start_server() {
  mkdir -p "$state"
  target/debug/keyquay-server dev --listen "$listen" --data-dir "$state/server" >"$state/server.log" 2>&1 &
  server=$!
  local tries
  for ((tries = 0; tries < 100; tries++)); do
    if ! kill -0 "$server" 2>/dev/null; then
      echo "The sync server ended at once. It wrote:" >&2
      cat "$state/server.log" >&2
      return 1
    fi
    if curl --silent --output /dev/null --max-time 1 "http://$listen/"; then
      echo "    Mail is not sent but shown at http://$listen/outbox"
      echo "    It logs to $state/server.log; all data of this run lies below $state/."
      return
    fi
    sleep 0.1
  done
  echo "The sync server does not answer at http://$listen; see $state/server.log" >&2
  return 1
}

stop_server() {
  [[ -n $server ]] || return 0
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
}

main "$@"
