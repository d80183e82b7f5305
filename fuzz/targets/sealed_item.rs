#![no_main]

#[path = "../decoders.rs"]
#[allow(dead_code, reason = "each target runs one decoder")]
mod decoders;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| decoders::sealed_item(bytes));
