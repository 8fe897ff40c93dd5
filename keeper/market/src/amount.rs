//! Rao on the wire: decimal text, since a JavaScript number is exact only up to 2^53.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;
use surety_core::types::Rao;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::openapi::{RefOr, schema::SchemaFormat};
use utoipa::{PartialSchema, ToSchema};

/// An amount in rao, written as a decimal string.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Hash)]
pub struct Amount(pub Rao);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rao", self.0)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// Decimal digits and nothing else: `parse` alone would take a sign.
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(d)?;
        let digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let rao = if digits { text.parse().ok() } else { None };
        rao.map(Self).ok_or_else(|| serde::de::Error::custom("want whole rao below 2^64 as a decimal string"))
    }
}

impl PartialSchema for Amount {
    fn schema() -> RefOr<Schema> {
        let text = ObjectBuilder::new().schema_type(Type::String).pattern(Some("^[0-9]{1,20}$"));
        let named = text.format(Some(SchemaFormat::Custom("rao".into()))).description(Some("Whole rao (1e-9 TAO)."));
        RefOr::T(Schema::Object(named.build()))
    }
}

impl ToSchema for Amount {
    fn name() -> Cow<'static, str> {
        Cow::Borrowed("Rao")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_rao_survives_the_wire_and_nothing_but_digits_is_an_amount() {
        for rao in [0, 1, 9_007_199_254_740_993, u64::MAX] {
            let text = serde_json::to_string(&Amount(rao)).unwrap();
            assert_eq!(text, format!("\"{rao}\""));
            assert_eq!(serde_json::from_str::<Amount>(&text).unwrap(), Amount(rao));
        }
        for odd in ["7", "\"\"", "\"+7\"", "\"-7\"", "\"7.0\"", "\" 7\"", "\"18446744073709551616\""] {
            assert!(serde_json::from_str::<Amount>(odd).is_err(), "{odd}");
        }
    }
}
