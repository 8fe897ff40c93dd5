//! Keepers' bond statements as the call that records them (`CollateralVault.state`, SPEC 20).

use crate::bindings::{CollateralVault, IStatedBonds};
use crate::digest::{Domains, TimeTooFar, compact, recover, secs32};
use alloy::primitives::B256;
use surety_core::alpha::BondStatement;
use surety_core::statement::Signed;
use surety_core::types::Account;

/// Why statements do not make a call.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoCall {
    /// None at all.
    #[error("no keeper has stated the bond")]
    None,
    /// They are about different things.
    #[error("keeper {signer} states another bond, rental or registration than {first}: ask both again")]
    Differ {
        /// The first one's signer.
        first: Account,
        /// Whose differs.
        signer: Account,
    },
    /// A signature is not its signer's.
    #[error("the statement said to be by {signer} is not signed by it")]
    NotSigned {
        /// Who was said to have signed.
        signer: Account,
    },
    /// A time that the contracts cannot hold.
    #[error(transparent)]
    Time(#[from] TimeTooFar),
}

/// The part that all signers must say alike.
fn claim(s: &BondStatement) -> IStatedBonds::BondClaim {
    IStatedBonds::BondClaim {
        vault: B256::from(s.vault.0),
        owner: B256::from(s.owner.0),
        machine: B256::from(s.machine.0),
        registration: s.registration,
        rental: s.rental,
        over: s.over,
    }
}

/// The call that records what these keepers state, their signers ascending and each once; `collateral_vault` is this
/// deployment's. Whether they are a quorum is the contract's to say.
///
/// # Errors
/// None, a signature that is not its signer's, or statements of different things.
pub fn state_call(
    domains: &Domains,
    collateral_vault: Account,
    statements: &[Signed<BondStatement>],
) -> Result<CollateralVault::stateCall, NoCall> {
    let mut ordered: Vec<&Signed<BondStatement>> = statements.iter().collect();
    ordered.sort_by_key(|signed| signed.signer);
    ordered.dedup_by_key(|signed| signed.signer);
    let first = ordered.first().ok_or(NoCall::None)?;
    let agreed = claim(&first.statement);
    let mut signed_statements = Vec::with_capacity(ordered.len());
    for signed in &ordered {
        let (s, signer) = (&signed.statement, signed.signer);
        if recover(domains.bond_statement(collateral_vault, s)?, signed.signature) != Ok(signer) {
            return Err(NoCall::NotSigned { signer });
        }
        if claim(s) != agreed {
            return Err(NoCall::Differ { first: first.signer, signer });
        }
        let (r, vs) = compact(signed.signature);
        let (stated_at, until) = (secs32(s.stated_at_secs)?, secs32(s.until_secs)?);
        let (alpha, value) = (s.alpha, s.value_rao);
        signed_statements.push(IStatedBonds::SignedStatement { alpha, value, statedAt: stated_at, until, r, vs });
    }
    Ok(CollateralVault::stateCall { claim: agreed, statements: signed_statements })
}
