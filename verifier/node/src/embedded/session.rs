//! One caller's SSH session: who it is, and what it gets.

use super::{Shop, command};
use crate::access::Grants;
use russh::keys::ssh_key::PublicKey;
use russh::server::{Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use std::collections::BTreeMap;
use std::sync::Arc;
use surety_core::types::{RentalId, SshKey};
use tokio::sync::watch;

/// Who has logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// The renter of a rental.
    Tenant(RentalId, SshKey),
    /// A keeper.
    Keeper(SshKey),
}

impl Identity {
    /// Whether these grants still let this caller in.
    pub(super) fn is_let_in_by(&self, grants: &Grants) -> bool {
        match self {
            Self::Tenant(rental, key) => grants.tenant_with(key).is_some_and(|tenant| tenant.id == *rental),
            Self::Keeper(key) => grants.keeper(key).is_some(),
        }
    }
}

/// russh's callbacks for one connection.
pub(super) struct Caller {
    shop: Arc<Shop>,
    grants: watch::Receiver<Grants>,
    identity: watch::Sender<Option<Identity>>,
    channels: BTreeMap<ChannelId, Channel<Msg>>,
}

/// Session channels one connection may have open and unused.
const CHANNELS_MAX: usize = 8;

impl Caller {
    pub(super) fn new(
        shop: Arc<Shop>,
        grants: watch::Receiver<Grants>,
        identity: watch::Sender<Option<Identity>>,
    ) -> Self {
        Self { shop, grants, identity, channels: BTreeMap::new() }
    }

    /// The same answer for the query and for the log-in: a key that would be let in, under the right name.
    fn identify(&self, user: &str, key: &PublicKey) -> Option<Identity> {
        let key = SshKey(key.key_data().ed25519()?.0);
        let grants = self.grants.borrow();
        let tenant = grants.tenant_with(&key).filter(|_| user == self.shop.tenant_user);
        let keeper = grants.keeper(&key).filter(|_| user == self.shop.keeper_user);
        tenant.map(|rental| Identity::Tenant(rental.id, key)).or(keeper.map(|_| Identity::Keeper(key)))
    }

    fn run_command(&self, channel: Channel<Msg>, tenant: Identity, line: &[u8]) -> std::io::Result<()> {
        // Held while the command is started: access cannot be withdrawn between the check and the start.
        let grants = self.grants.borrow();
        if !tenant.is_let_in_by(&grants) {
            return Err(std::io::ErrorKind::PermissionDenied.into());
        }
        let running = command::start(&self.shop, line)?;
        drop(grants);
        tokio::spawn(running.attend(channel, self.shop.limits.clone()));
        Ok(())
    }

    fn prove(&self, channel: Channel<Msg>, key: SshKey) {
        let (shop, grants) = (self.shop.clone(), self.grants.clone());
        tokio::spawn(async move {
            let (reader, writer) = tokio::io::split(channel.into_stream());
            shop.desk.answer(grants, &key, reader, writer).await;
        });
    }
}

impl Handler for Caller {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, user: &str, offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(self.identify(user, offer.public_key).map_or_else(Auth::reject, |_| Auth::Accept))
    }

    async fn auth_publickey(&mut self, user: &str, key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        let Some(identity) = self.identify(user, key.public_key) else { return Ok(Auth::reject()) };
        self.identity.send_replace(Some(identity));
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        if self.channels.len() < CHANNELS_MAX {
            self.channels.insert(channel.id(), channel);
            reply.accept().await;
        }
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.channels.remove(&channel);
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, line: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        let identity = *self.identity.borrow();
        let (Some(identity), Some(channel)) = (identity, self.channels.remove(&id)) else {
            return session.channel_failure(id);
        };
        session.channel_success(id)?;
        match identity {
            Identity::Keeper(key) => self.prove(channel, key),
            tenant @ Identity::Tenant(..) => {
                if let Err(error) = self.run_command(channel, tenant, line) {
                    tracing::warn!("a tenant's command could not be started: {error}");
                    session.exit_status_request(id, 126)?;
                    session.close(id)?;
                }
            }
        }
        Ok(())
    }
}
