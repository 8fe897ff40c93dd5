//! From keepers' answers over HTTP to a case in the model of the vault, by a signed extrinsic; real signatures.
#![allow(clippy::unwrap_used)]

use super::super::court::tests::{Member, court, domains, members, refusal, sign};
use super::*;
use serde_json::json;
use std::sync::Arc;
use std::time::Duration;
use surety_client::digest::compact;
use surety_client::keys::Key;
use surety_core::types::{Cause, MachineId};
use surety_substrate::alpha::types::{BondRecord, Roll};
use surety_substrate::needed;
use surety_substrate::ss58::AccountId;
use surety_substrate::wallet::coldkey::Coldkey;
use surety_subtensor_native::{Chain, Server, Told, Vault};
use tokio::task::JoinHandle;

const VAULT: AccountId = AccountId([0x77; 32]);
const OWNER: AccountId = AccountId([0x0e; 32]);
const MACHINE: MachineId = MachineId([0x33; 32]);
const CASE: CaseId = 7;
const RENTAL: u64 = 6;
const TAO: u64 = 1_000_000_000;

/// A chain on which blocks are made, with a vault whose roll are these keepers, and a bond of 40 alpha.
struct Scene {
    chain: Arc<Chain>,
    server: Server,
    blocks: JoinHandle<()>,
    members: Vec<Member>,
    /// Seconds of the chain's time when it began.
    now: u64,
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.blocks.abort();
    }
}

async fn scene(count: u8) -> Scene {
    let (chain, members) = (Arc::new(Chain::new()), members(count));
    chain.set(&needed::EVM_CHAIN_ID, &[], 42u64);
    chain.set_balance(Coldkey::dev("//Alice", true).unwrap().account(), TAO);
    let mut vault = Vault::new(VAULT, 51, AccountId([0x66; 32]));
    let keepers: Vec<_> = members.iter().map(|member| member.key.account().0).collect();
    vault.roll = Roll { number: 0, weights: vec![1; keepers.len()], keepers };
    let free = 40 * u128::from(TAO);
    vault.bonds.push(BondRecord { owner: OWNER, machine: MACHINE.0, free, exiting: 0, held: 0, ready_at: 0 });
    chain.set_vault(vault);
    let now = Chain::time_of(chain.run(2_000).number);
    let server = Server::start(chain.clone()).await.unwrap();
    let own = chain.clone();
    let blocks = tokio::spawn(async move {
        let mut ticks = tokio::time::interval(Duration::from_millis(100));
        loop {
            ticks.tick().await;
            own.run(1);
        }
    });
    Scene { chain, server, blocks, members, now }
}

impl Scene {
    fn at(&self) -> Where {
        Where { vault: VAULT, rpc: vec![self.server.url.clone()], network: None, netuid: None, json: true }
    }

    fn answer(&mut self, index: usize, path: &str, answer: impl serde::Serialize) {
        self.members[index].answers.insert(path.to_owned(), serde_json::to_value(answer).unwrap());
    }

    fn backing(&self) -> AlphaBacking {
        AlphaBacking {
            vault: Hash32(VAULT.0),
            owner: Hash32(OWNER.0),
            machine: MACHINE,
            registration: 4,
            case: CASE,
            kind: Kind::Offline,
            rental: RENTAL,
            tao_reserve_rao: 20 * TAO,
            alpha: 30 * TAO,
            alpha_value_rao: 15 * TAO,
            earned_rao: 100 * TAO,
            stated_at_secs: self.now - 60,
        }
    }

    /// Each states this of its own a few seconds apart.
    fn state(&mut self, statement: AlphaBacking) {
        for index in 0..self.members.len() {
            let stated_at_secs = statement.stated_at_secs + u64::try_from(index).unwrap();
            self.state_one(index, AlphaBacking { stated_at_secs, ..statement });
        }
    }

    fn state_one(&mut self, index: usize, statement: AlphaBacking) {
        let signed = sign(&self.members[index].key, AlphaStatement::from(statement));
        self.answer(index, &format!("/v1/alpha/cases/{CASE}"), signed);
    }

    fn attested(&self, index: usize, until_secs: u64) -> Signed<Attestation> {
        let (kind, cause, evidence) = (Kind::Offline, Cause::Unreachable, Hash32([6; 32]));
        let from_secs = until_secs - 600;
        let statement = Attestation { kind, rental: RENTAL, cause, from_secs, until_secs, evidence };
        let key = &self.members[index].key;
        let signature = key.sign(domains().attestation(&statement).unwrap()).unwrap();
        Signed { statement, signer: key.account(), signature }
    }

    /// The keeper shows these attestations.
    fn show(&mut self, index: usize, attestations: &[Signed<Attestation>]) {
        self.answer(index, &format!("/v1/attestations/{RENTAL}"), json!({ "attestations": attestations }));
    }

    async fn bring(&self, verdict: bool) -> Result<()> {
        let signing =
            Signing { coldkey_file: None, dev: Some("//Alice".into()), owner: None, dry_run: false, yes: true };
        bring(&court(&self.members).await, CASE, verdict, &self.at(), &signing).await
    }

    async fn refused(&self, verdict: bool) -> String {
        format!("{:#}", self.bring(verdict).await.unwrap_err())
    }

    fn signature(key: &Key, digest: Hash32) -> ([u8; 32], [u8; 32]) {
        let (r, vs) = compact(key.sign(digest).unwrap());
        (r.0, vs.0)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_quorums_statement_and_attestations_become_a_case_that_a_verdict_dismisses() {
    let mut scene = scene(4).await;
    let statement = scene.backing();
    scene.state(statement);
    // One says why not, one shows all attestations and a forged one; the others show none.
    scene.answer(3, &format!("/v1/alpha/cases/{CASE}"), refusal("nothing to state: no such case"));
    let until = statement.stated_at_secs - 30;
    let shown: Vec<_> = (1..4).map(|index| scene.attested(index, until)).collect();
    // The forged one, under the first keeper's name, would be taken first.
    let mut forged = scene.attested(0, until);
    forged.statement.from_secs -= 1;
    scene.show(3, &[&shown[..], &[forged]].concat());
    scene.bring(false).await.unwrap();

    let vault = scene.chain.vault();
    let [Told::SetAside(told)] = &vault.told[..] else { panic!("{:?}", vault.told) };
    assert_eq!((told.stated.len(), told.attestations.len()), (3, 3));
    // A tenth of 35, less a tenth of 20, as alpha at two for a TAO.
    assert_eq!((vault.cases[0].alpha, vault.bonds[0].held), (3 * TAO, 3 * u128::from(TAO)));
    for (index, (stated, attested)) in told.stated.iter().zip(&told.attestations).enumerate() {
        let key = &scene.members[index].key;
        let said = AlphaBacking { stated_at_secs: stated.stated_at.into(), ..statement };
        let digest = domains().alpha_backing(&said).unwrap();
        assert_eq!((stated.signature.r, stated.signature.vs), Scene::signature(key, digest), "ascending by signer");
        let digest = domains().attestation(&shown[index].statement).unwrap();
        let key = &scene.members[index + 1].key;
        assert_eq!((attested.signature.r, attested.signature.vs), Scene::signature(key, digest));
    }
    assert!(scene.refused(false).await.contains("AlreadyJudged"));

    let verdict = AlphaVerdict {
        vault: Hash32(VAULT.0),
        case: CASE,
        dismissed: true,
        earned_rao: 100 * TAO,
        stated_at_secs: scene.now,
    };
    for index in 0..3 {
        let signed = sign(&scene.members[index].key, verdict);
        scene.answer(index, &format!("/v1/alpha/verdicts/{CASE}"), signed);
    }
    scene.bring(true).await.unwrap();
    let vault = scene.chain.vault();
    assert_eq!((vault.cases[0].status, vault.bonds[0].held), (Status::Dismissed, 0));
    assert!(scene.refused(true).await.contains("no undecided case for the Arbiter's case 7"));
    assert_eq!(scene.chain.failures(), Vec::<&str>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_two_quorums_of_the_vaults_roll_nothing_is_signed_and_the_reason_is_told() {
    let mut scene = scene(3).await;
    assert!(scene.refused(false).await.contains("no keeper of the vault's roll states anything of case 7"));
    let statement = scene.backing();
    scene.state(statement);
    assert!(scene.refused(false).await.contains("no attestations of rental 6's outage"));
    // A quorum, but of another outage than the statements are about.
    let late: Vec<_> = (0..3).map(|index| scene.attested(index, scene.now - 1)).collect();
    scene.show(0, &late);
    assert!(scene.refused(false).await.contains("the statements of case 7 are from before"));
    let one = scene.attested(1, statement.stated_at_secs);
    scene.show(0, &[one.clone(), one]);
    assert!(scene.refused(false).await.contains("no attestations of rental 6's outage"));
    // Two of three say something else of it than each other and the third.
    scene.state_one(0, AlphaBacking { earned_rao: 1, ..statement });
    scene.state_one(1, AlphaBacking { vault: Hash32([1; 32]), ..statement });
    assert!(scene.refused(false).await.contains("1 keepers state case 7 alike, which is no quorum"));
    // The roll is another one than the contracts' keepers.
    scene.chain.with_vault(|vault| vault.roll.keepers = vec![[1; 20], [2; 20], [3; 20]]);
    scene.chain.run(1);
    assert!(scene.refused(false).await.contains("states anything of case 7"));
    scene.chain.with_vault(|vault| vault.config.arbiter = [1; 20]);
    scene.chain.run(1);
    assert!(scene.refused(false).await.contains("the vault judges by the Arbiter 0x0101"));
    assert!(scene.chain.vault().told.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_spoofs_shortfall_is_set_aside_by_statements_and_spoofs() {
    let mut scene = scene(3).await;
    let statement = AlphaShortfall {
        vault: Hash32(VAULT.0),
        owner: Hash32(OWNER.0),
        machine: MACHINE,
        registration: 4,
        case: CASE,
        alpha: 30 * TAO,
        alpha_value_rao: 15 * TAO,
        shortfall_rao: 5 * TAO,
        stated_at_secs: scene.now,
    };
    let mut spoofs = Vec::new();
    for index in 0..3 {
        let key = scene.members[index].key.clone();
        scene.answer(index, &format!("/v1/alpha/cases/{CASE}"), sign(&key, AlphaStatement::from(statement)));
        let (machine, registration, evidence) = (MACHINE, 4, Hash32([6; 32]));
        let (gpu_class, gpu_count, proved_at_secs) = (11, 8, scene.now - 100);
        let spoof = Spoof { machine, registration, gpu_class, gpu_count, proved_at_secs, evidence };
        let signature = key.sign(domains().spoof(&spoof).unwrap()).unwrap();
        spoofs.push(Signed { statement: spoof, signer: key.account(), signature });
    }
    scene.answer(1, &format!("/v1/spoofs/{MACHINE}"), json!({ "spoofs": spoofs }));
    scene.bring(false).await.unwrap();
    let vault = scene.chain.vault();
    let [Told::SetAsideSpoofed(told)] = &vault.told[..] else { panic!("{:?}", vault.told) };
    assert_eq!((told.gpu_class, told.gpu_count, told.stated.len(), told.spoofs.len()), (11, 8, 3, 3));
    assert_eq!(vault.cases[0].alpha, 10 * TAO);
    for (index, spoof) in told.spoofs.iter().enumerate() {
        let digest = domains().spoof(&spoofs[index].statement).unwrap();
        let want = Scene::signature(&scene.members[index].key, digest);
        assert_eq!((spoof.signature.r, spoof.signature.vs), want);
    }
}
