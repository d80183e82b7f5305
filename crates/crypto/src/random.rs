/// `N` bytes from the operating system's generator.
///
/// An operating system that cannot give randomness cannot run a vault: the process ends, rather than
/// go on with a guessable key.
#[must_use]
pub fn random_bytes<const N: usize>() -> [u8; N] {
    let mut bytes = [0_u8; N];
    fill(&mut bytes);
    bytes
}

pub(crate) fn fill(bytes: &mut [u8]) {
    if getrandom::fill(bytes).is_err() {
        std::process::abort();
    }
}
