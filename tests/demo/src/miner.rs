//! A miner with one machine: what they do on chain.

use crate::actor::{Actor, Tx};
use crate::chain::Chain;
use crate::seed::SshKeyPair;
use crate::standins::{self, Neuron};
use alloy::primitives::aliases::{U24, U40};
use alloy::primitives::{B256, FixedBytes};
use anyhow::{Result, ensure};
use ed25519_dalek::Signer;
use std::net::SocketAddr;
use surety_client::bindings::{CollateralVault, ICollateralVault, IRentalEscrow, RentalEscrow};
use surety_client::digest;
use surety_client::reader::endpoint_bytes;
use surety_client::subtensor::twox64;
use surety_core::types::{Hash32, MachineId, Rao, RentalId};
use surety_verifier::classes::ClassId;

/// A miner.
#[derive(Debug)]
pub struct Miner {
    /// Signs transactions.
    pub actor: Actor,
    /// The machine's host key.
    pub host: SshKeyPair,
    /// The hotkey the miner belongs to.
    pub neuron: Neuron,
}

/// What a machine is offered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// Price, rao a second.
    pub price_rao_per_sec: u64,
    /// Shortest rental.
    pub min_duration_secs: u16,
    /// Longest rental.
    pub max_duration_secs: u32,
}

/// Offers lapse after a day.
const OFFER_LIFE_SECS: u64 = 86_400;

impl Miner {
    /// The machine.
    pub fn machine(&self) -> MachineId {
        MachineId(self.host.public())
    }

    fn machine_word(&self) -> B256 {
        B256::from(self.machine().0)
    }

    /// Registers the machine at `endpoint`. The host key signs the digest; `witness` tells the stand-in at 0x402 about
    /// the signature after verifying it. Says the registration's number.
    pub async fn register(&self, chain: &Chain, witness: &Actor, endpoint: SocketAddr) -> Result<u32> {
        let signature = self.sign_registration(chain).await?;
        let verified = standins::verified(self.registration_digest(chain), self.machine(), signature)?;
        witness.send(verified).await?;
        let call = CollateralVault::registerCall {
            machine: self.machine_word(),
            hotkey: B256::from(self.neuron.hotkey.0),
            uid: self.neuron.uid,
            uidHash: twox64(self.neuron.uid),
            endpoint: ICollateralVault::Endpoint {
                ip: FixedBytes(endpoint_bytes(endpoint.ip())),
                port: endpoint.port(),
            },
            machineSig: standins::halves(signature),
        };
        self.actor.send(Tx::call(*chain.vault.address(), &call)).await?;
        Ok(chain.vault.ownerOf(self.machine_word()).call().await?.registration)
    }

    fn registration_digest(&self, chain: &Chain) -> Hash32 {
        let deployment = &chain.deployment;
        let never_registered = 0;
        digest::registration(
            deployment.chain_id,
            deployment.vault.address,
            self.machine(),
            self.neuron.hotkey,
            self.actor.account(),
            never_registered,
        )
    }

    /// Signs what the contract asks to be signed, after checking that both compute it alike.
    async fn sign_registration(&self, chain: &Chain) -> Result<[u8; 64]> {
        let ours = self.registration_digest(chain);
        let hotkey = B256::from(self.neuron.hotkey.0);
        let call = chain.vault.registrationDigest(self.machine_word(), hotkey, self.actor.address());
        let theirs = Hash32(call.call().await?.0);
        ensure!(ours == theirs, "registration digest: {ours} here, {theirs} in the contract");
        Ok(self.host.signing_key().sign(&ours.0).to_bytes())
    }

    /// Puts up bond.
    pub async fn deposit(&self, chain: &Chain, rao: Rao) -> Result<()> {
        let call = CollateralVault::depositCall { machine: self.machine_word() };
        self.actor.send(Tx::call(*chain.vault.address(), &call).paying(rao)).await?;
        Ok(())
    }

    /// Offers one unit of the CPU test class.
    pub async fn offer(&self, chain: &Chain, terms: Terms) -> Result<()> {
        let expires_at = digest::secs32(chain.now_secs().await? + OFFER_LIFE_SECS)?;
        let offer = IRentalEscrow::Offer {
            price: U40::from(terms.price_rao_per_sec),
            minDurationSecs: terms.min_duration_secs,
            maxDurationSecs: terms.max_duration_secs,
            gpuClass: ClassId::CPU_TEST.0,
            gpuCount: 1,
            turnaroundSecs: U24::ZERO,
            expiresAt: expires_at,
        };
        let call = RentalEscrow::offerCall { machine: self.machine_word(), terms: offer };
        self.actor.send(Tx::call(*chain.escrow.address(), &call)).await?;
        Ok(())
    }

    /// Claims what a rental has earned so far.
    pub async fn claim(&self, chain: &Chain, rental: RentalId) -> Result<()> {
        self.actor.send(Tx::call(*chain.escrow.address(), &RentalEscrow::claimCall { rental })).await?;
        Ok(())
    }

    /// Takes the last payment and frees the reserve.
    pub async fn close(&self, chain: &Chain, rental: RentalId) -> Result<()> {
        self.actor.send(Tx::call(*chain.escrow.address(), &RentalEscrow::closeCall { rental })).await?;
        Ok(())
    }

    /// Starts to take out all bond that is free. Says how much.
    pub async fn request_exit(&self, chain: &Chain) -> Result<Rao> {
        let bond = chain.bond(self.machine()).await?;
        let call = CollateralVault::requestExitCall { machine: self.machine_word(), amount: bond.free };
        self.actor.send(Tx::call(*chain.vault.address(), &call)).await?;
        Ok(bond.free)
    }

    /// Takes the exiting bond out, as credit.
    pub async fn withdraw(&self, chain: &Chain) -> Result<()> {
        let call = CollateralVault::withdrawCall { machine: self.machine_word() };
        self.actor.send(Tx::call(*chain.vault.address(), &call)).await?;
        Ok(())
    }
}
