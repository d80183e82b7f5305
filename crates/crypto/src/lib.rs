//! The cryptographic suite of Keyquay: sealing, signing, derivation, OPAQUE, secret types
