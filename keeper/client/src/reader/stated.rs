//! Bonds elsewhere as the CollateralVault records them: what covers rentals (SPEC 20).

use super::{Reader, next, view};
use crate::bindings::CollateralVault;
use crate::provider::{Each, NodeError};
use alloy::eips::BlockId;
use surety_core::alpha::Behind;
use surety_core::types::{Hash32, RentalId};
use surety_core::weights::StatedBond;

/// What a vault of stated bonds has to share with these contracts (SPEC AP3, AP5, P33).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FarTerms {
    /// Its penalty of `NotDelivered`.
    pub not_delivered_bps: u16,
    /// Its penalty of `Offline`.
    pub offline_bps: u16,
    /// It may take cases no longer than this after a rental's close, seconds.
    pub stated_filing_secs: u64,
}

impl Reader {
    /// What covers or covered each rental beside its reserve of TAO; `None`: TAO bears it alone.
    pub async fn covers_at(&self, rentals: &[RentalId], block: u64) -> Result<Each<Option<Behind>>, NodeError> {
        let calls = rentals.iter().map(|rental| CollateralVault::coverOfCall { rental: *rental });
        let covers = self.each(*self.vault.address(), calls, block).await?;
        let stated = covers.iter().flatten().filter(|cover| cover.statement != 0);
        let calls = stated.map(|cover| CollateralVault::statementAtCall { statement: cover.statement });
        let mut statements = self.each(*self.vault.address(), calls, block).await?.into_iter();
        let behind = |cover: Result<crate::bindings::IStatedBonds::Cover, NodeError>| {
            let cover = cover?;
            if cover.statement == 0 {
                return Ok(None);
            }
            let statement = next(&mut statements)?;
            Ok(Some(Behind {
                vault: Hash32(statement.vault.0),
                owner: Hash32(statement.owner.0),
                alpha: cover.alpha,
                value_rao: cover.value,
                tao_rao: cover.tao,
            }))
        };
        Ok(covers.into_iter().map(behind).collect())
    }

    /// The newest statement of a bond elsewhere for each registration.
    pub async fn stated_at(&self, registrations: &[u32], block: u64) -> Result<Each<Option<StatedBond>>, NodeError> {
        let calls = registrations.iter().map(|n| CollateralVault::statementOfCall { registration: *n });
        let numbers = self.each(*self.vault.address(), calls, block).await?;
        let some = numbers.iter().flatten().filter(|number| **number != 0);
        let calls = some.map(|number| CollateralVault::statementAtCall { statement: *number });
        let mut statements = self.each(*self.vault.address(), calls, block).await?.into_iter();
        let stated = |number: Result<u64, NodeError>| match number? {
            0 => Ok(None),
            _ => {
                let statement = next(&mut statements)?;
                let (stated_at_secs, until_secs) = (u64::from(statement.statedAt), u64::from(statement.until));
                Ok(Some(StatedBond { value_rao: statement.value, stated_at_secs, until_secs }))
            }
        };
        Ok(numbers.into_iter().map(stated).collect())
    }

    /// What a vault of stated bonds has to share with these contracts.
    pub async fn far_terms(&self, block: u64) -> Result<FarTerms, NodeError> {
        let id = BlockId::number(block);
        Ok(FarTerms {
            not_delivered_bps: view(self.arbiter.NOT_DELIVERED_BPS().block(id).call().await)?,
            offline_bps: view(self.arbiter.OFFLINE_BPS().block(id).call().await)?,
            stated_filing_secs: view(self.vault.STATED_FILING_SECS().block(id).call().await)?.into(),
        })
    }

    /// Whether the keeper set may have penalties set aside at present.
    pub async fn may_punish(&self, block: u64) -> Result<bool, NodeError> {
        Ok(view(self.keepers.quorumOf(vec![]).block(BlockId::number(block)).call().await)?.mayPunish)
    }
}
