use std::fmt;
use std::str::FromStr;

use data_encoding::HEXLOWER;
use keyquay_crypto::cbor::Encode;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// An id that is not 32 hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an id has 32 hexadecimal characters")]
pub struct IdError;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[cfg_attr(feature = "utoipa", derive(utoipa::ToSchema), schema(value_type = String))]
        pub struct $name(pub [u8; 16]);

        impl $name {
            /// A fresh id from the operating system's generator.
            #[must_use]
            pub fn make_random() -> Self {
                Self(keyquay_crypto::random_bytes())
            }

            #[must_use]
            pub fn as_bytes(&self) -> &[u8; 16] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&HEXLOWER.encode(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl FromStr for $name {
            type Err = IdError;

            fn from_str(written: &str) -> Result<Self, IdError> {
                let bytes = HEXLOWER.decode(written.as_bytes()).map_err(|_| IdError)?;
                bytes.try_into().map(Self).map_err(|_| IdError)
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                self.0.encode(out);
            }

            fn room(&self) -> usize {
                self.0.room()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}

id!(
    /// A person registered at a sync server: 16 bytes.
    UserId
);
id!(
    /// One installation with keys of its own: 16 random bytes, used once.
    DeviceId
);
id!(
    /// An account as the protocol sees it: 16 random bytes.
    ItemId
);
