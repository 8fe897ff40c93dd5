//! What becomes of a measurement when the machine does not play its part. The honest and the lying agent are tested
//! beside the agent itself.

use super::hostile::{STEPS, Script, serve};
use super::*;
use std::sync::Arc;
use std::time::Instant;
use surety_verifier::classes::ClassId;
use surety_verifier::freivalds::EpochSecrets;
use surety_verifier::params::Params;
use surety_verifier::session::{Challenge, Limits};

fn key() -> KeeperKey {
    KeeperKey::from_seed(&secrecy::SecretBox::new(Box::new([5; 32])))
}

fn target(endpoint: Endpoint, machine: MachineId) -> MeasureTarget {
    let params = Params::cpu_small(1);
    let secrets = Arc::new(EpochSecrets::new([1; 32], &[2; 32], &[3; 32], &params));
    let challenge = Challenge {
        chain_id: 31_337,
        keeper: [4; 20],
        machine: machine.0,
        registration: 1,
        class: ClassId::CPU_TEST,
        count: 1,
        params,
        epoch: *secrets.epoch(),
        session_random: [6; 32],
        limits: Limits::cpu_test(),
    };
    MeasureTarget { endpoint, keeper_user: "keeper".into(), challenge, secrets }
}

fn is_unmeasured(outcome: &MeasureOutcome) -> bool {
    matches!(outcome, MeasureOutcome::Unmeasured { why } if !why.is_empty())
}

#[tokio::test]
async fn a_machine_that_drops_or_falls_silent_at_any_step_is_unmeasured_in_time() {
    let short = SshLimits {
        login_deadline: Duration::from_millis(300),
        measure_deadline: Duration::from_millis(400),
        ..limits()
    };
    let scripts = STEPS.iter().flat_map(|step| [Script::DropBefore(*step), Script::HangBefore(*step)]);
    for script in scripts.chain([Script::Flood(b"garbage\n".to_vec()), Script::ForgedSignature]) {
        let server = serve(script.clone()).await;
        let began = Instant::now();
        let outcome = measure(&target(server.endpoint, server.machine), None, &key(), &short).await;
        assert!(is_unmeasured(&outcome), "{script:?}: {outcome:?}");
        assert!(began.elapsed() < Duration::from_millis(1500), "{script:?}: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn another_host_key_is_unmeasured_never_fraud() {
    let server = serve(Script::Answer(vec![])).await;
    let outcome = measure(&target(server.endpoint, MachineId([1; 32])), None, &key(), &limits()).await;
    assert!(matches!(&outcome, MeasureOutcome::Unmeasured { why } if why.contains("wrong host key")), "{outcome:?}");
}

#[test]
fn a_key_file_that_others_can_read_or_that_is_no_key_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    let pem = key().private().to_openssh(russh::keys::ssh_key::LineEnding::LF).unwrap();
    std::fs::write(&path, pem.as_bytes()).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let error = KeeperKey::from_file(&path).unwrap_err().to_string();
    assert!(error.contains("0640") && error.contains("chmod 600"), "{error}");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert_eq!(KeeperKey::from_file(&path).unwrap().public(), key().public());
    std::fs::write(&path, "not a key").unwrap();
    assert!(matches!(KeeperKey::from_file(&path), Err(KeyFileError::NotEd25519 { .. })));
}
