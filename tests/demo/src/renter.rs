//! A renter: pays on chain, logs in over SSH with the machine's host key pinned.

use crate::actor::{Actor, Tx};
use crate::chain::Chain;
use crate::seed::SshKeyPair;
use alloy::primitives::B256;
use alloy::primitives::aliases::U40;
use anyhow::{Context, Result, bail, ensure};
use russh::client::{self, AuthResult};
use russh::keys::{PrivateKeyWithHashAlg, PublicKeyOrCertificate};
use russh::{ChannelMsg, Disconnect};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use surety_client::bindings::{RentalBids, RentalEscrow};
use surety_client::{digest, intent};
use surety_core::quorum::is_quorum;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, MachineId, Rao, RentalId};
use surety_core::view::KeeperView;
use surety_verifier::classes::ClassId;

/// How long one visit to a machine may take.
const VISIT_LIMIT: Duration = Duration::from_secs(10);

/// Most output of a command that is read.
const OUTPUT_BYTES_MAX: usize = 64 * 1024;

/// A renter.
#[derive(Debug)]
pub struct Renter {
    /// Signs transactions.
    pub actor: Actor,
    /// Logs in.
    pub ssh: SshKeyPair,
}

/// A wish for one unit of the CPU test class.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wish {
    /// How long.
    pub duration_secs: u32,
    /// The most it may cost, rao a second.
    pub max_price_rao_per_sec: u64,
}

/// A wish lapses after an hour.
const WISH_LIFE_SECS: u64 = 3_600;

/// What a command on a machine answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// Its standard output.
    pub output: String,
    /// Its exit status.
    pub status: u32,
}

/// The newest certificate of each signer, and nothing when they are no quorum. Only sound signatures of active keepers
/// over this registration count.
pub fn quorum_of_certificates(
    chain: &Chain,
    electorate: &BTreeMap<Account, KeeperView>,
    registration: u32,
    offered: Vec<Signed<Certificate>>,
) -> Option<Vec<Signed<Certificate>>> {
    let domains = chain.domains();
    let mut newest: BTreeMap<Account, Signed<Certificate>> = BTreeMap::new();
    for one in offered {
        let active = electorate.get(&one.signer).is_some_and(|keeper| keeper.active);
        if !active || one.statement.registration != registration || domains.check(&one).is_err() {
            continue;
        }
        let known = newest.get(&one.signer).map(|known| known.statement.measured_at_secs);
        if known.is_none_or(|known| known < one.statement.measured_at_secs) {
            newest.insert(one.signer, one);
        }
    }
    let signers: BTreeSet<Account> = newest.keys().copied().collect();
    is_quorum(electorate, &signers).then(|| newest.into_values().collect())
}

impl Renter {
    /// Rents a machine as it is offered now, with certificates by ascending signer. Says which rental it is and what
    /// was paid.
    pub async fn rent(
        &self,
        chain: &Chain,
        machine: MachineId,
        duration_secs: u32,
        certificates: &[Signed<Certificate>],
    ) -> Result<(RentalId, Rao)> {
        let word = B256::from(machine.0);
        let offer = chain.escrow.offerOf(word).call().await?;
        let cost = chain.escrow.quote(word, duration_secs).call().await?.cost;
        let call = RentalEscrow::rentCall {
            machine: word,
            durationSecs: duration_secs,
            renterKey: B256::from(self.ssh.public()),
            offerHash: offer.offerHash,
            certificates: certificates.iter().map(intent::certificate).collect::<Result<_, _>>()?,
        };
        self.actor.send(Tx::call(*chain.escrow.address(), &call).paying(cost)).await?;
        let rental = chain.escrow.offerOf(word).call().await?.lastRental;
        let renter = chain.rental(rental).await?.renter;
        ensure!(renter == self.actor.account(), "rental {rental} is {renter}'s, not {}'s", self.actor.name);
        Ok((rental, cost))
    }

    /// Posts a wish, paying all it may cost. Says its number, and what was paid.
    pub async fn wish(&self, chain: &Chain, wish: Wish) -> Result<(u64, Rao)> {
        let call = RentalBids::postCall {
            gpuClass: ClassId::CPU_TEST.0,
            gpuCount: 1,
            durationSecs: wish.duration_secs,
            maxPrice: U40::from(wish.max_price_rao_per_sec),
            renterKey: B256::from(self.ssh.public()),
            expiresAt: digest::secs32(chain.now_secs().await? + WISH_LIFE_SECS)?,
        };
        let cost = wish.max_price_rao_per_sec * u64::from(wish.duration_secs);
        self.actor.send(Tx::call(*chain.bids.address(), &call).paying(cost)).await?;
        let bid = chain.bids.bidCount().call().await?;
        let renter = chain.bids.bidAt(bid).call().await?.renter;
        ensure!(renter == self.actor.address(), "wish {bid} is {renter}'s, not {}'s", self.actor.name);
        Ok((bid, cost))
    }

    /// Takes a wish back: what it may have cost is credit.
    pub async fn give_up(&self, chain: &Chain, bid: u64) -> Result<()> {
        self.actor.send(Tx::call(*chain.bids.address(), &RentalBids::giveUpCall { bid })).await?;
        Ok(())
    }

    /// Logs in as `user` and runs a command.
    ///
    /// # Errors
    /// When the machine does not answer, has another host key, or does not let the renter in.
    pub async fn run(&self, at: SocketAddr, machine: MachineId, user: &str, command: &str) -> Result<Answer> {
        let visit = self.visit(at, machine, user, command);
        tokio::time::timeout(VISIT_LIMIT, visit).await.context("the machine took too long")?
    }

    async fn visit(&self, at: SocketAddr, machine: MachineId, user: &str, command: &str) -> Result<Answer> {
        let config = Arc::new(client::Config { nodelay: true, ..client::Config::default() });
        let mut session = client::connect(config, at, Pinned(machine)).await.context("connecting")?;
        let key = PrivateKeyWithHashAlg::new(Arc::new(self.ssh.private()), None);
        match session.authenticate_publickey(user, key).await? {
            AuthResult::Success => {}
            AuthResult::Failure { .. } => bail!("the machine does not let {} in", self.actor.name),
        }
        let mut channel = session.channel_open_session().await?;
        channel.exec(true, command).await?;
        let mut output = Vec::new();
        let mut status = None;
        while let Some(message) = channel.wait().await {
            match message {
                ChannelMsg::Data { data } if output.len() < OUTPUT_BYTES_MAX => output.extend_from_slice(&data),
                ChannelMsg::ExitStatus { exit_status } => status = Some(exit_status),
                _ => {}
            }
        }
        session.disconnect(Disconnect::ByApplication, "", "").await.ok();
        let status = status.context("the command gave no exit status")?;
        Ok(Answer { output: String::from_utf8_lossy(&output).into_owned(), status })
    }
}

/// Takes exactly one host key: the machine's on chain.
struct Pinned(MachineId);

impl client::Handler for Pinned {
    type Error = russh::Error;

    async fn check_server_key(&mut self, presented: &PublicKeyOrCertificate) -> Result<bool, Self::Error> {
        Ok(match presented {
            PublicKeyOrCertificate::PublicKey { key, .. } => key.key_data().ed25519().is_some_and(|k| k.0 == self.0.0),
            PublicKeyOrCertificate::Certificate(_) => false,
        })
    }
}
