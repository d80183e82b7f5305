use secrecy::{ExposeSecret, SecretBox};
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

use crate::{CryptoError, random};

/// Secret bytes of variable length: wiped on drop, never printed, never serialised.
pub type SecretVec = SecretBox<Vec<u8>>;

/// `N` secret bytes: wiped on drop, compared in constant time, never printed, never serialised.
///
/// Named keys are made of it with [`secret_bytes!`](crate::secret_bytes), so that one key cannot stand
/// where another is meant.
pub struct SecretBytes<const N: usize>(SecretBox<[u8; N]>);

/// The usual size of a key.
pub type Secret32 = SecretBytes<32>;

impl<const N: usize> SecretBytes<N> {
    /// Fresh bytes from the operating system.
    #[must_use]
    pub fn make_random() -> Self {
        Self::init_with(|bytes| random::fill(bytes))
    }

    /// A copy of `bytes`, which the caller wipes.
    #[must_use]
    pub fn copy_from(bytes: &[u8; N]) -> Self {
        Self::init_with(|own| own.copy_from_slice(bytes))
    }

    /// A copy of `bytes`, which the caller wipes.
    ///
    /// # Errors
    /// [`CryptoError::Malformed`] when they are not exactly `N`.
    pub fn try_copy_from(bytes: &[u8]) -> Result<Self, CryptoError> {
        let exact: &[u8; N] = bytes.try_into().map_err(|_| CryptoError::Malformed)?;
        Ok(Self::copy_from(exact))
    }

    /// Fills the secret in place, so that no copy is left on the stack.
    #[must_use]
    pub fn init_with(fill: impl FnOnce(&mut [u8; N])) -> Self {
        let mut own: Box<[u8; N]> = Box::new([0; N]);
        fill(&mut own);
        Self(SecretBox::new(own))
    }

    /// The bytes, for the moment of their use.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        self.0.expose_secret()
    }

    /// A second holder of the same secret; each wipes its own.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::copy_from(self.expose())
    }
}

impl<const N: usize> PartialEq for SecretBytes<N> {
    fn eq(&self, other: &Self) -> bool {
        self.expose().ct_eq(other.expose()).into()
    }
}

impl<const N: usize> Eq for SecretBytes<N> {}

impl<const N: usize> std::fmt::Debug for SecretBytes<N> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[secret]")
    }
}

impl<const N: usize> Zeroize for SecretBytes<N> {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

/// Defines a named secret of `N` bytes around [`SecretBytes`].
#[macro_export]
macro_rules! secret_bytes {
    ($(#[$doc:meta])* $vis:vis struct $name:ident($n:literal);) => {
        $(#[$doc])*
        #[derive(Debug, PartialEq, Eq)]
        $vis struct $name($crate::SecretBytes<$n>);

        // Every named secret gets the whole set; a given one may not need each.
        #[allow(dead_code)]
        impl $name {
            /// Fresh bytes from the operating system.
            #[must_use]
            pub fn make_random() -> Self {
                Self($crate::SecretBytes::make_random())
            }

            /// Takes over `bytes`.
            #[must_use]
            pub fn from_secret(bytes: $crate::SecretBytes<$n>) -> Self {
                Self(bytes)
            }

            /// A copy of `bytes`, which the caller wipes.
            ///
            /// # Errors
            /// [`CryptoError::Malformed`]($crate::CryptoError::Malformed) on another length.
            pub fn try_copy_from(bytes: &[u8]) -> Result<Self, $crate::CryptoError> {
                $crate::SecretBytes::try_copy_from(bytes).map(Self)
            }

            /// The secret, for the moment of its use.
            #[must_use]
            pub fn secret(&self) -> &$crate::SecretBytes<$n> {
                &self.0
            }

            /// The bytes, for the moment of their use.
            #[must_use]
            pub fn expose(&self) -> &[u8; $n] {
                self.0.expose()
            }

            /// A second holder of the same secret; each wipes its own.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }
        }
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    secret_bytes! {
        /// A key for the tests.
        struct TestKey(32);
    }

    #[test]
    fn a_secret_never_prints_its_bytes() {
        let key = TestKey::try_copy_from(&[0xAB; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "TestKey([secret])");
    }

    #[test]
    fn a_secret_of_another_length_is_refused() {
        assert_eq!(TestKey::try_copy_from(&[0; 31]), Err(CryptoError::Malformed));
    }

    #[test]
    fn two_random_secrets_differ_and_a_duplicate_is_equal() {
        let key = TestKey::make_random();
        assert_eq!(key, key.duplicate());
        assert_ne!(key, TestKey::make_random());
    }
}
