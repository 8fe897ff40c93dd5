//! Machines that let the keeper in and then misbehave: a real SSH server whose agent floods, drips, lies or keeps
//! silent.

use super::*;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{self, Auth, ChannelOpenHandle, Handler, Msg, PublicKeyOffer, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId};
use std::sync::Arc;
use std::time::Instant;
use surety_core::input::InventoryOutcome;
use surety_core::types::{Account, Hash32};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

/// What the agent does once it is asked.
#[derive(Clone, Copy, Debug)]
enum Manner {
    /// Bytes without an end, and without a line's end.
    Floods,
    /// The same beside the answer, where errors go.
    FloodsBeside,
    /// A byte now and then.
    Drips,
    /// Nothing.
    KeepsSilent,
    /// Ends at once.
    Leaves,
    /// A line that is no statement.
    Babbles,
    /// The session is opened, the command refused.
    Refuses,
}

struct Host {
    manner: Manner,
    channel: Option<Channel<Msg>>,
}

impl Handler for Host {
    type Error = russh::Error;

    async fn auth_publickey_offered(&mut self, _user: &str, _offer: PublicKeyOffer<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn auth_publickey(&mut self, _user: &str, _key: VerifiedPublicKey<'_>) -> Result<Auth, Self::Error> {
        Ok(Auth::Accept)
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.channel = Some(channel);
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(&mut self, id: ChannelId, _line: &[u8], session: &mut Session) -> Result<(), Self::Error> {
        if matches!(self.manner, Manner::Refuses) {
            return session.channel_failure(id);
        }
        session.channel_success(id)?;
        if let Some(channel) = self.channel.take() {
            tokio::spawn(misbehave(self.manner, channel));
        }
        Ok(())
    }
}

async fn misbehave(manner: Manner, channel: Channel<Msg>) {
    let junk = [b'x'; 4096];
    match manner {
        Manner::Floods => {
            let mut writer = channel.make_writer();
            while writer.write_all(&junk).await.is_ok() {}
        }
        Manner::FloodsBeside => {
            let mut writer = channel.make_writer_ext(Some(1));
            while writer.write_all(&junk).await.is_ok() {}
        }
        Manner::Drips => {
            let mut writer = channel.make_writer();
            let mut drops = tokio::time::interval(Duration::from_millis(30));
            while writer.write_all(b"{").await.is_ok() && writer.flush().await.is_ok() {
                drops.tick().await;
            }
        }
        Manner::Babbles => {
            let _ = channel.data_bytes(b"{\"registration\":1,\"cards\":[]}\n".to_vec()).await;
            std::future::pending::<()>().await;
        }
        Manner::Leaves => drop(channel.close().await),
        Manner::KeepsSilent | Manner::Refuses => std::future::pending::<()>().await,
    }
}

/// A server on loopback, and the machine that it is.
async fn serve(manner: Manner) -> (Endpoint, MachineId) {
    let pair = Ed25519Keypair::from_seed(&[9; 32]);
    let machine = MachineId(pair.public.0);
    let config = Arc::new(server::Config { keys: vec![PrivateKey::from(pair)], ..server::Config::default() });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let config = config.clone();
            tokio::spawn(async move {
                if let Ok(session) = server::run_stream(config, stream, Host { manner, channel: None }).await {
                    let _ = session.await;
                }
            });
        }
    });
    (Endpoint { ip: at.ip(), port: at.port() }, machine)
}

#[tokio::test]
async fn an_agent_that_floods_drips_babbles_or_keeps_silent_has_stated_nothing_in_time() {
    let short = SshLimits {
        login_deadline: Duration::from_secs(2),
        probe_deadline: Duration::from_millis(500),
        probe_bytes_max: 64 << 10,
        ..limits()
    };
    let key = KeeperKey::from_seed(&secrecy::SecretBox::new(Box::new([5; 32])));
    let manners = [
        (Manner::Floods, "longer than"),
        (Manner::FloodsBeside, ""),
        (Manner::Drips, "within the time"),
        (Manner::KeepsSilent, "within the time"),
        (Manner::Leaves, "ended before an answer"),
        (Manner::Babbles, "no statement"),
        (Manner::Refuses, "ended before an answer"),
    ];
    for (manner, says) in manners {
        let (endpoint, machine) = serve(manner).await;
        let (keeper, nonce) = (Account([4; 20]), Hash32([5; 32]));
        let target =
            InventoryTarget { endpoint, machine, keeper_user: "keeper".into(), chain_id: 31_337, keeper, nonce };
        let began = Instant::now();
        let outcome = ask(&target, &key, &short).await;
        assert!(
            matches!(&outcome, InventoryOutcome::Unmeasured { why } if why.contains(says)),
            "{manner:?}: {outcome:?}"
        );
        assert!(began.elapsed() < Duration::from_secs(8), "{manner:?}: {:?}", began.elapsed());
    }
}
