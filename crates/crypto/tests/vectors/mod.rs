use serde_json::Value;

/// Bytes of hexadecimal text.
pub fn hex(text: &str) -> Vec<u8> {
    data_encoding::HEXLOWER.decode(text.as_bytes()).unwrap()
}

/// 32 bytes of hexadecimal text.
#[allow(dead_code, reason = "each test binary takes what it needs")]
pub fn hex32(text: &str) -> [u8; 32] {
    hex(text).try_into().unwrap()
}

/// The bytes that a vector has under a name.
pub fn read(vector: &Value, name: &str) -> Vec<u8> {
    hex(vector[name].as_str().unwrap_or_else(|| panic!("the vector has no {name}")))
}
