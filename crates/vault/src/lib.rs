//! Accounts at rest on this device
