//! Blocks of the past, by a majority.

use super::FollowError;
use super::endpoints::{Endpoints, alike};
use surety_client::provider::Tag;
use surety_core::types::Hash32;

impl Endpoints {
    /// Number of the newest final block that a majority has.
    ///
    /// # Errors
    /// There is no majority, or the only endpoint's own reason.
    pub async fn final_number(&self) -> Result<u64, FollowError> {
        self.agree(Tag::Finalized).await.map(|agreed| agreed.block.number)
    }

    /// Hash of the block at a height that is final, as a majority has it.
    ///
    /// # Errors
    /// No majority says the same.
    pub async fn hash_at(&self, height: u64) -> Result<Hash32, FollowError> {
        let said = self.all(|member| member.node().header(Tag::Number(height))).await;
        let blocks = said.into_iter().flatten().flatten().filter_map(|header| header.to_ref());
        let hashes: Vec<Hash32> = blocks.filter(|block| block.number == height).map(|block| block.hash).collect();
        let need = self.need();
        let none = || FollowError::NoMajority { what: format!("the hash of block {height}"), need };
        alike(&hashes, need).copied().ok_or_else(none)
    }
}
