//! This keeper's own seat, read with everything else and by the same majority.

use super::endpoints::{Endpoints, Member};
use super::{FollowError, Follower};
use surety_client::provider::{NodeError, Tag};
use surety_client::reader::SeatOf;
use surety_core::seat::SeatView;

impl Endpoints {
    /// A majority's word on an account's seat at the newest block.
    ///
    /// # Errors
    /// There is no majority, or the only endpoint's own reason.
    pub async fn seat(&self, of: &SeatOf) -> Result<SeatView, FollowError> {
        let agreed = self.agree(Tag::Latest).await?;
        let ask = async |member: &Member| Ok(member.reader.seat(of, agreed.block.number).await?);
        let said = self.same(&agreed.members, ask, |a: &SeatView, b: &SeatView| a == b).await?;
        said.into_iter().next().ok_or(FollowError::Replaced(agreed.block.number))
    }
}

impl Follower {
    /// The seat, if one is kept; what cannot be decoded is left out until the next block.
    pub(super) async fn seat_at(&self, member: &Member, at: u64) -> Result<Option<SeatView>, FollowError> {
        let Some(of) = &self.seat else { return Ok(None) };
        match member.reader.seat(of, at).await {
            Err(error @ NodeError::Odd { .. }) => {
                tracing::error!(%error, "this keeper's seat cannot be decoded; it is read again at the next block");
                Ok(None)
            }
            other => Ok(other.map(Some)?),
        }
    }
}
