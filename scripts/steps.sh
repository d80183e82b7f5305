# shellcheck shell=bash
# Sourced by the other scripts: progress in one form.

# Where rustup puts Rust when install-deps.sh has just installed it.
[[ -d $HOME/.cargo/bin ]] && PATH=$PATH:$HOME/.cargo/bin

# step TEXT: one line before each thing that takes a while.
step() {
  printf '\n==> %s\n' "$*"
}

# took SECONDS: as minutes and seconds.
took() {
  printf '%d min %02d s' $(($1 / 60)) $(($1 % 60))
}
