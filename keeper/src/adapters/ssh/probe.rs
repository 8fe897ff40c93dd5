//! The liveness look: would the right machine let this renter in?
//!
//! TCP, key exchange with the machine's host key, then the public-key *query* of RFC 4252 §7: "would you accept this
//! key?", asked without a signature, so nobody logs in and the keeper needs no secret of the renter's.

use super::pinned::{self, Bounds, Pinned};
use super::witness::{self, Answer};
use super::{SshLimits, bounded};
use russh::client::AuthResult;
use russh::keys::agent::AgentIdentity;
use russh::keys::ssh_key::public::{Ed25519PublicKey, KeyData};
use russh::keys::{HashAlg, PublicKey};
use surety_core::input::Observation;
use surety_core::types::{Endpoint, MachineId, SshKey};
use tokio::time::{Instant, timeout_at};

/// What to look at.
#[derive(Clone, Debug)]
pub struct ProbeTarget {
    /// Where.
    pub endpoint: Endpoint,
    /// The host key it must present.
    pub machine: MachineId,
    /// The key it must say it would let in.
    pub renter_key: SshKey,
    /// The account the renter logs in to.
    pub tenant_user: String,
}

/// One look. It ends by `limits.probe_deadline`, whatever the server does, and says what was seen, not what it means.
pub async fn probe(target: &ProbeTarget, limits: &SshLimits) -> Observation {
    let deadline = Instant::now() + limits.probe_deadline;
    let keep_max = usize::try_from(limits.probe_bytes_max).unwrap_or(usize::MAX);
    let bounds = Bounds { deadline, bytes_max: limits.probe_bytes_max, keep_max };
    let mut machine = match pinned::open(target.endpoint, target.machine, limits, bounds).await {
        Ok(machine) => machine,
        Err(seen) => return seen,
    };
    let reported = query(&mut machine, target, deadline).await;
    let answer = machine.session_keys().map(|keys| witness::answer(&machine.tape.heard(), &keys));
    let seen = match answer {
        Some(Answer::Nothing) | None => unwitnessed(reported, &machine),
        Some(answer) => witnessed(answer, &target.renter_key),
    };
    if matches!(seen, Observation::Accepted | Observation::Refused) {
        machine.leave().await;
    }
    seen
}

/// What russh made of the query.
enum Reported {
    PkOk,
    Success,
    Refused,
    Lost,
    Silence,
}

async fn query(machine: &mut Pinned, target: &ProbeTarget, deadline: Instant) -> Reported {
    let key = PublicKey::new(KeyData::Ed25519(Ed25519PublicKey(target.renter_key.0)), "");
    let mut signer = QueryOnly;
    let asking = machine.handle.authenticate_publickey_with(&target.tenant_user, key, None, &mut signer);
    match timeout_at(deadline, asking).await {
        Ok(Err(Unsigned::Asked)) => Reported::PkOk,
        Ok(Err(Unsigned::Gone)) => Reported::Lost,
        Ok(Ok(AuthResult::Success)) => Reported::Success,
        // russh reports a dropped connection as a failure that leaves no method.
        Ok(Ok(AuthResult::Failure { remaining_methods, .. })) if remaining_methods.is_empty() => Reported::Lost,
        Ok(Ok(AuthResult::Failure { .. })) => Reported::Refused,
        Err(_) => Reported::Silence,
    }
}

fn witnessed(answer: Answer, asked: &SshKey) -> Observation {
    let hostile = |what: &str| Observation::Hostile { what: what.into() };
    match answer {
        Answer::PkOk { algorithm, key } if algorithm == ED25519 && key == key_blob(asked) => Observation::Accepted,
        Answer::PkOk { .. } => hostile("PK_OK for another key than the one asked about"),
        Answer::Failure { partial: false } => Observation::Refused,
        Answer::Failure { partial: true } => hostile("partial success without a signature"),
        Answer::Success => hostile("let in without a signature"),
        Answer::Rekeyed => hostile("a new key exchange before the answer"),
        Answer::Nothing => Observation::Lost { why: "no answer".into() },
    }
}

/// No answer on the tape: the connection was lost, unless russh did see one, and then the failure is our own.
fn unwitnessed(reported: Reported, machine: &Pinned) -> Observation {
    match reported {
        Reported::Silence => Observation::Lost { why: "no answer to the query within the time of a look".into() },
        Reported::Lost => Observation::Lost { why: bounded(&machine.farewell()) },
        Reported::Success => Observation::Hostile { what: "let in without a signature".into() },
        Reported::PkOk | Reported::Refused => {
            Observation::NotLooked { why: "the answer could not be read a second time".into() }
        }
    }
}

const ED25519: &[u8] = b"ssh-ed25519";

/// The wire form of an ed25519 public key: two strings (RFC 8709 §4).
fn key_blob(key: &SshKey) -> Vec<u8> {
    [&11u32.to_be_bytes()[..], ED25519, &32u32.to_be_bytes(), &key.0].concat()
}

/// A signer that never signs: being asked to is the answer.
struct QueryOnly;

enum Unsigned {
    Asked,
    Gone,
}

impl From<russh::SendError> for Unsigned {
    fn from(_: russh::SendError) -> Self {
        Self::Gone
    }
}

impl russh::Signer for QueryOnly {
    type Error = Unsigned;

    async fn auth_sign(
        &mut self,
        _key: &AgentIdentity,
        _hash: Option<HashAlg>,
        _to_sign: Vec<u8>,
    ) -> Result<Vec<u8>, Self::Error> {
        Err(Unsigned::Asked)
    }
}
