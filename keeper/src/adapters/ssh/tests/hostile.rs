//! A small SSH server that does what it is told and nothing that is proper: it speaks the protocol up to a point,
//! then drops, drips, floods, lies or falls silent.

use ed25519_dalek::{Signer, SigningKey};
use ring::aead::chacha20_poly1305_openssh::{OpeningKey, SealingKey};
use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{Context, SHA256};
use ring::rand::SystemRandom;
use std::time::Duration;
use surety_core::types::{Endpoint, MachineId};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What the server does once it has come to a point.
#[derive(Clone, Debug)]
pub(super) enum Script {
    /// Closes the connection before this step.
    DropBefore(Step),
    /// Says nothing more before this step, and holds the connection.
    HangBefore(Step),
    /// Sends these bytes in place of an identification, again and again.
    Flood(Vec<u8>),
    /// Sends an endless line, one byte at a time, this far apart.
    Drip(Duration),
    /// Proper up to the query, then these payloads.
    Answer(Vec<Vec<u8>>),
    /// Proper, with a host-key signature over something else.
    ForgedSignature,
}

/// Steps of a look, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Identification,
    KexInit,
    KexReply,
    NewKeys,
    ServiceAccept,
    Answer,
}

pub(super) const STEPS: [Step; 6] =
    [Step::Identification, Step::KexInit, Step::KexReply, Step::NewKeys, Step::ServiceAccept, Step::Answer];

/// A listening server; dropping it ends it.
pub(super) struct Server {
    pub(super) endpoint: Endpoint,
    pub(super) machine: MachineId,
    task: JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

pub(super) async fn serve(script: Script) -> Server {
    serve_as(SigningKey::from_bytes(&[9; 32]), script).await
}

pub(super) async fn serve_as(key: SigningKey, script: Script) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let machine = MachineId(key.verifying_key().to_bytes());
    let task = tokio::spawn(async move {
        let mut sessions = tokio::task::JoinSet::new();
        while let Ok((stream, _)) = listener.accept().await {
            let (key, script) = (key.clone(), script.clone());
            sessions.spawn(async move { run(stream, &key, &script).await });
        }
    });
    Server { endpoint: Endpoint { ip: address.ip(), port: address.port() }, machine, task }
}

/// Runs until the peer is gone or the script drops it. Errors only mean that the peer has left.
async fn run(stream: TcpStream, key: &SigningKey, script: &Script) -> Option<()> {
    let mut wire = Wire { stream: BufReader::new(stream), script: script.clone() };
    match script {
        Script::Flood(bytes) => loop {
            wire.write(bytes).await?;
        },
        Script::Drip(apart) => loop {
            wire.write(b"x").await?;
            tokio::time::sleep(*apart).await;
        },
        _ => speak(&mut wire, key).await,
    }
}

async fn speak(wire: &mut Wire, key: &SigningKey) -> Option<()> {
    wire.before(Step::Identification).await?;
    wire.write(b"SSH-2.0-hostile\r\n").await?;
    let client_id = wire.line().await?;
    wire.before(Step::KexInit).await?;
    let server_init = kexinit();
    wire.write(&clear(&server_init)).await?;
    let client_init = wire.clear_packet().await?;
    let ecdh = wire.clear_packet().await?;
    let exchange = Exchange::new(key, &client_id, &client_init, &server_init, ecdh.get(5..37)?)?;
    wire.before(Step::KexReply).await?;
    let forged = matches!(wire.script, Script::ForgedSignature);
    wire.write(&clear(&exchange.reply(key, forged))).await?;
    wire.before(Step::NewKeys).await?;
    wire.write(&clear(&[21])).await?;
    wire.clear_packet().await?; // the client's NEWKEYS
    let mut sealed = Sealed { exchange: &exchange, received: 3, sent: 3 };
    sealed.read(wire).await?; // service request
    wire.before(Step::ServiceAccept).await?;
    let accept = [&[6][..], &string(b"ssh-userauth")].concat();
    sealed.write(wire, &accept).await?;
    sealed.read(wire).await?; // the query
    wire.before(Step::Answer).await?;
    if let Script::Answer(payloads) = wire.script.clone() {
        for payload in payloads {
            sealed.write(wire, &payload).await?;
        }
    }
    wire.drain().await
}

struct Wire {
    stream: BufReader<TcpStream>,
    script: Script,
}

impl Wire {
    async fn before(&mut self, step: Step) -> Option<()> {
        match self.script {
            Script::DropBefore(at) if at == step => None,
            Script::HangBefore(at) if at == step => self.drain().await,
            _ => Some(()),
        }
    }

    /// Reads to the end of the stream, so that what was sent is not lost to a reset.
    async fn drain(&mut self) -> Option<()> {
        let mut sink = [0; 1024];
        while self.stream.read(&mut sink).await.ok()? > 0 {}
        None
    }

    async fn write(&mut self, bytes: &[u8]) -> Option<()> {
        self.stream.get_mut().write_all(bytes).await.ok()
    }

    async fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; count];
        self.stream.read_exact(&mut bytes).await.ok()?;
        Some(bytes)
    }

    async fn line(&mut self) -> Option<Vec<u8>> {
        let mut line = Vec::new();
        loop {
            match self.take(1).await?[0] {
                b'\n' => return Some(line),
                b'\r' => {}
                byte => line.push(byte),
            }
        }
    }

    async fn clear_packet(&mut self) -> Option<Vec<u8>> {
        let length = u32::from_be_bytes(self.take(4).await?.try_into().ok()?);
        let body = self.take(length as usize).await?;
        let payload = 1..body.len() - usize::from(body[0]);
        Some(body[payload].to_vec())
    }
}

struct Exchange {
    hash: Vec<u8>,
    secret: Vec<u8>,
    host_blob: Vec<u8>,
    ours: Vec<u8>,
}

impl Exchange {
    fn new(key: &SigningKey, client_id: &[u8], client_init: &[u8], server_init: &[u8], theirs: &[u8]) -> Option<Self> {
        let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).ok()?;
        let ours = private.compute_public_key().ok()?.as_ref().to_vec();
        let secret = agree_ephemeral(private, &UnparsedPublicKey::new(&X25519, theirs), mpint).ok()?;
        let host_blob = [string(b"ssh-ed25519"), string(key.verifying_key().as_bytes())].concat();
        let parts = [client_id, b"SSH-2.0-hostile", client_init, server_init, &host_blob, theirs, &ours];
        let hashed: Vec<u8> = parts.iter().flat_map(|part| string(part)).chain(secret.clone()).collect();
        Some(Self { hash: sha256(&[&hashed]), secret, host_blob, ours })
    }

    fn reply(&self, key: &SigningKey, forged: bool) -> Vec<u8> {
        let signed: &[u8] = if forged { b"something else" } else { &self.hash };
        let signature = [string(b"ssh-ed25519"), string(&key.sign(signed).to_bytes())].concat();
        [&[31][..], &string(&self.host_blob), &string(&self.ours), &string(&signature)].concat()
    }

    fn key(&self, letter: u8) -> [u8; 64] {
        let first = sha256(&[&self.secret, &self.hash, &[letter], &self.hash]);
        let second = sha256(&[&self.secret, &self.hash, &first]);
        [first, second].concat().try_into().unwrap()
    }
}

struct Sealed<'a> {
    exchange: &'a Exchange,
    received: u32,
    sent: u32,
}

impl Sealed<'_> {
    async fn read(&mut self, wire: &mut Wire) -> Option<()> {
        let key = OpeningKey::new(&self.exchange.key(b'C'));
        let header: [u8; 4] = wire.take(4).await?.try_into().ok()?;
        let length = u32::from_be_bytes(key.decrypt_packet_length(self.received, header));
        let mut packet = [&header, &wire.take(length as usize).await?[..]].concat();
        let tag = wire.take(16).await?.try_into().ok()?;
        key.open_in_place(self.received, &mut packet, &tag).ok()?;
        self.received += 1;
        Some(())
    }

    async fn write(&mut self, wire: &mut Wire, payload: &[u8]) -> Option<()> {
        let mut packet = packet(payload, 4);
        let mut tag = [0; 16];
        SealingKey::new(&self.exchange.key(b'D')).seal_in_place(self.sent, &mut packet, &mut tag);
        self.sent += 1;
        wire.write(&packet).await?;
        wire.write(&tag).await
    }
}

/// A packet in the clear: its length counts towards the block size.
fn clear(payload: &[u8]) -> Vec<u8> {
    packet(payload, 0)
}

fn packet(payload: &[u8], outside_block: usize) -> Vec<u8> {
    let mut padding = 4;
    while !(5 + payload.len() + padding - outside_block).is_multiple_of(8) {
        padding += 1;
    }
    let length = u32::try_from(1 + payload.len() + padding).unwrap().to_be_bytes();
    [&length[..], &[u8::try_from(padding).unwrap()], payload, &vec![0; padding]].concat()
}

fn kexinit() -> Vec<u8> {
    let lists = [
        "curve25519-sha256",
        "ssh-ed25519",
        "chacha20-poly1305@openssh.com",
        "chacha20-poly1305@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ];
    let lists = lists.iter().flat_map(|list| string(list.as_bytes()));
    [20].into_iter().chain([7; 16]).chain(lists).chain([0; 5]).collect()
}

pub(super) fn string(bytes: &[u8]) -> Vec<u8> {
    [&u32::try_from(bytes.len()).unwrap().to_be_bytes(), bytes].concat()
}

fn mpint(bytes: &[u8]) -> Vec<u8> {
    let first = bytes.iter().position(|b| *b != 0).unwrap_or(bytes.len());
    let digits = &bytes[first..];
    let sign: &[u8] = if digits.first().is_some_and(|b| *b > 127) { &[0] } else { &[] };
    string(&[sign, digits].concat())
}

fn sha256(parts: &[&[u8]]) -> Vec<u8> {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    context.finish().as_ref().to_vec()
}
