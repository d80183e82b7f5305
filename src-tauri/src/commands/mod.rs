//! What the page may ask for, one file a screen. Each command parses, calls, and answers; it decides nothing.

pub mod general;
