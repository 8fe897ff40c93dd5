//! The contracts' ABIs and bytecode, generated from `contracts/artifacts/`. Their documentation is the NatSpec in
//! `contracts/src/interfaces/`.
#![allow(missing_docs, unreachable_pub, clippy::all, clippy::unwrap_used)]

use alloy::sol;

sol!(
    #[allow(missing_docs)]
    #[sol(rpc, all_derives)]
    AppointedKeepers,
    "../../contracts/artifacts/AppointedKeepers.json"
);

sol!(
    #[allow(missing_docs)]
    #[sol(rpc, all_derives)]
    CollateralVault,
    "../../contracts/artifacts/CollateralVault.json"
);

sol!(
    #[allow(missing_docs, clippy::too_many_arguments)]
    #[sol(rpc, all_derives)]
    RentalEscrow,
    "../../contracts/artifacts/RentalEscrow.json"
);

sol!(
    #[allow(missing_docs, clippy::too_many_arguments)]
    #[sol(rpc, all_derives)]
    Arbiter,
    "../../contracts/artifacts/Arbiter.json"
);

sol!(
    #[allow(missing_docs, clippy::too_many_arguments)]
    #[sol(rpc, all_derives)]
    TimelockController,
    "../../contracts/artifacts/TimelockController.json"
);

/// In a module of its own, because its ABI names `IKeeperSet` too.
pub mod voting_power {
    use alloy::sol;

    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        VotingPowerKeepers,
        "../../contracts/artifacts/VotingPowerKeepers.json"
    );
}

pub use voting_power::VotingPowerKeepers;

/// In a module of its own, because its ABI names `IRentalEscrow` too.
pub mod bids {
    use alloy::sol;

    sol!(
        #[allow(missing_docs, clippy::too_many_arguments)]
        #[sol(rpc, all_derives)]
        RentalBids,
        "../../contracts/artifacts/RentalBids.json"
    );
}

pub use bids::RentalBids;

/// Stand-ins for Subtensor's precompiles on local chains.
pub mod standins {
    use alloy::sol;

    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        AddressMappingStandIn,
        "../../contracts/artifacts/AddressMappingStandIn.json"
    );
    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        BalanceTransferStandIn,
        "../../contracts/artifacts/BalanceTransferStandIn.json"
    );
    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        Ed25519VerifyStandIn,
        "../../contracts/artifacts/Ed25519VerifyStandIn.json"
    );
    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        MetagraphStandIn,
        "../../contracts/artifacts/MetagraphStandIn.json"
    );
    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        StorageQueryStandIn,
        "../../contracts/artifacts/StorageQueryStandIn.json"
    );
    sol!(
        #[allow(missing_docs)]
        #[sol(rpc, all_derives)]
        VotingPowerStandIn,
        "../../contracts/artifacts/VotingPowerStandIn.json"
    );
}
