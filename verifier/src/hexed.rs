//! Serde for bytes as lowercase hexadecimal text, without prefix.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serializer};

pub(crate) fn serialize<B: AsRef<[u8]>, S: Serializer>(bytes: &B, serializer: S) -> Result<S::Ok, S::Error> {
    // A transcript has megabytes of these: `const-hex` takes many at once.
    serializer.serialize_str(&const_hex::encode(bytes.as_ref()))
}

pub(crate) fn deserialize<'de, B: TryFrom<Vec<u8>>, D: Deserializer<'de>>(deserializer: D) -> Result<B, D::Error> {
    let text = String::deserialize(deserializer)?;
    // No prefix: its x is none of these.
    if text.bytes().any(|byte| !matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
        return Err(D::Error::custom("want lowercase hexadecimal digits and nothing else"));
    }
    let bytes = const_hex::decode(&text).map_err(D::Error::custom)?;
    let length = bytes.len();
    B::try_from(bytes).map_err(|_| D::Error::custom(format!("{length} bytes are the wrong length")))
}

#[cfg(test)]
mod tests {
    use serde::{Deserialize, Serialize};

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Bytes(#[serde(with = "super")] Vec<u8>);

    #[test]
    fn bytes_have_one_text_and_no_other_is_read() {
        let bytes = Bytes((0..=255).collect());
        let text = serde_json::to_string(&bytes).unwrap_or_default();
        assert!(text.starts_with("\"000102") && text.ends_with("fdfeff\""), "{text}");
        assert_eq!(serde_json::from_str::<Bytes>(&text).ok(), Some(bytes));
        for other in ["\"0x00\"", "\"0X00\"", "\"AB\"", "\"0\"", "\"0g\"", "\" 00\"", "\"00 \""] {
            assert!(serde_json::from_str::<Bytes>(other).is_err(), "{other}");
        }
    }
}
