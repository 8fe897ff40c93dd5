//! Blocks of the past, by a majority.

use super::FollowError;
use super::endpoints::{Endpoints, Member, alike};
use surety_client::provider::{NodeError, Tag};
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
        // A node that has pruned the block says nothing, and is no reason not to wait for the others.
        let hash = async |member: &Member| {
            let header = member.node().header(Tag::Number(height)).await?;
            let block = header.and_then(|header| header.to_ref()).filter(|block| block.number == height);
            let what = format!("no block {height}");
            block.map(|block| block.hash).ok_or(NodeError::Odd { method: "eth_getBlockByNumber", what })
        };
        let hashes: Vec<Hash32> = self.all(hash).await.into_iter().flatten().collect();
        let need = self.need();
        let what =
            format!("the hash of block {height}, which an epoch of measuring begins with (pruned nodes lack it)");
        alike(&hashes, need).copied().ok_or(FollowError::NoMajority { what, need })
    }
}
