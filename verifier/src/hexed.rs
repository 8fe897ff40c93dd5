//! Serde for bytes as lowercase hexadecimal text, without prefix.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<B: AsRef<[u8]>, S: Serializer>(bytes: &B, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&hex::encode(bytes.as_ref()))
}

pub(crate) fn deserialize<'de, B: TryFrom<Vec<u8>>, D: Deserializer<'de>>(deserializer: D) -> Result<B, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(D::Error::custom("hexadecimal must be lowercase"));
    }
    let bytes = hex::decode(&text).map_err(D::Error::custom)?;
    let length = bytes.len();
    B::try_from(bytes).map_err(|_| D::Error::custom(format!("{length} bytes are the wrong length")))
}
