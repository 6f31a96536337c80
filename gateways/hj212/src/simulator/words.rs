//! Editions as their year in files.

pub(super) mod edition {
    use crate::codec::Edition;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(edition: &Edition, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(edition.word())
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Edition, D::Error> {
        let word = String::deserialize(from)?;
        let all = [Edition::E2005, Edition::E2017, Edition::E2025];
        let found = all.into_iter().find(|edition| edition.word() == word);
        found.ok_or_else(|| D::Error::custom(format!("{word} is none of 2005, 2017, 2025")))
    }
}
