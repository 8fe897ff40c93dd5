//! What the story's contracts are deployed with: the local network's committed parameters, with short windows and the
//! story's own roles.

use anyhow::Result;
use surety_core::types::Account;
use surety_deploy::network::Network;
use surety_deploy::params::{ClassBond, Owner, Params, Windows};
use surety_verifier::classes::ClassId;

/// Short windows, so that every wait of the story passes in real time. Chain time is never warped: keepers compare it
/// with their own clocks. Every relation the constructors ask for holds: 6 + 8 <= 14 (nothing can be claimed before it
/// could be filed) and 14 <= 14 (bond cannot leave before that either, nor a case be executed before its rental can be
/// closed).
pub const WINDOWS: Windows = Windows {
    exit_delay_secs: 14,
    exit_window_secs: 600,
    statement_life_secs: 86_400,
    stated_filing_secs: 259_200,
    settle_lag_secs: 14,
    certificate_life_secs: 86_400,
    appeal_window_secs: 14,
    ruling_window_secs: 14,
    delivery_grace_secs: 6,
    min_interrupted_secs: 2,
    min_offline_secs: 6,
    freshness_secs: 8,
    spoof_life_secs: 14,
};

/// With `--keep` somebody is to look at a case, make up their mind, and appeal it.
const UNHURRIED_SECS: u32 = 45;

/// The story's windows, or those of one that is to be used afterwards.
pub const fn windows(keep: bool) -> Windows {
    if keep {
        Windows { appeal_window_secs: UNHURRIED_SECS, ruling_window_secs: UNHURRIED_SECS, ..WINDOWS }
    } else {
        WINDOWS
    }
}

/// Who the deployment belongs to.
#[derive(Debug, Clone, Copy)]
pub struct Roles {
    /// The subnet.
    pub netuid: u16,
    /// Appoints keepers and sets class bonds; a plain account, because a timelock's delay is longer than the story.
    pub owner: Account,
    /// Gets fees.
    pub treasury: Account,
    /// May pause new business.
    pub guardian: Account,
    /// Rules on appeals.
    pub judge: Account,
}

/// All parameters of the story's deployment.
///
/// # Errors
/// What a deployment would refuse.
pub fn demo_params(roles: &Roles) -> Result<Params> {
    let class = ClassId::CPU_TEST;
    let params = Params {
        netuid: roles.netuid,
        treasury: roles.treasury,
        judge: roles.judge,
        guardian: roles.guardian,
        owner: Owner::Account { address: roles.owner },
        windows: WINDOWS,
        class_bonds: vec![ClassBond { class: class.0, name: class.to_string(), bond_rao: 10_000_000 }],
        ..Params::committed(Network::Local)?
    };
    Ok(params.checked(Network::Local)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_local_chain_takes_the_storys_parameters() {
        let account = Account([1; 20]);
        let roles = Roles { netuid: 2, owner: account, treasury: account, guardian: account, judge: account };
        let params = demo_params(&roles);
        assert!(params.is_ok_and(|params| !params.wrong(Network::Localnet).is_empty()));
        assert!(demo_params(&Roles { judge: Account::default(), ..roles }).is_err());
    }
}
