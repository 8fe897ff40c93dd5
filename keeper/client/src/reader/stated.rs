//! Bonds elsewhere as the CollateralVault records them: what covers rentals (SPEC 20).

use super::{Reader, next, view};
use crate::bindings::CollateralVault;
use crate::provider::{Each, NodeError};
use alloy::eips::BlockId;
use surety_core::alpha::Behind;
use surety_core::types::{Hash32, RentalId};
use surety_core::weights::StatedBond;

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
                Ok(Some(StatedBond { value_rao: statement.value, until_secs: u64::from(statement.until) }))
            }
        };
        Ok(numbers.into_iter().map(stated).collect())
    }

    /// Whether the keeper set may have penalties set aside at present.
    pub async fn may_punish(&self, block: u64) -> Result<bool, NodeError> {
        Ok(view(self.keepers.quorumOf(vec![]).block(BlockId::number(block)).call().await)?.mayPunish)
    }
}
