//! What a look sees, server by server.

use super::hostile::{STEPS, Script, Server, Step, serve, serve_as, string};
use super::*;
use ed25519_dalek::SigningKey;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Instant;

async fn seen(server: &Server) -> Observation {
    probe(&target(server.endpoint, server.machine), &limits()).await
}

async fn answered(payloads: Vec<Vec<u8>>) -> Observation {
    seen(&serve(Script::Answer(payloads)).await).await
}

fn pk_ok(key: &[u8]) -> Vec<u8> {
    let blob = [string(b"ssh-ed25519"), string(key)].concat();
    [&[60][..], &string(b"ssh-ed25519"), &string(&blob)].concat()
}

fn failure(methods: &str, partial: u8) -> Vec<u8> {
    [&[51][..], &string(methods.as_bytes()), &[partial]].concat()
}

fn banner(text: &[u8]) -> Vec<u8> {
    [&[53][..], &string(text), &string(b"")].concat()
}

fn is_hostile(seen: &Observation) -> bool {
    matches!(seen, Observation::Hostile { .. })
}

fn is_lost(seen: &Observation) -> bool {
    matches!(seen, Observation::Lost { .. })
}

fn is_no_handshake(seen: &Observation) -> bool {
    matches!(seen, Observation::NoHandshake { .. })
}

#[tokio::test]
async fn pk_ok_for_the_renters_key_is_accepted() {
    assert_eq!(answered(vec![pk_ok(&RENTER.0)]).await, Observation::Accepted);
}

#[tokio::test]
async fn pk_ok_for_another_key_is_hostile() {
    let seen = answered(vec![pk_ok(&[0x43; 32])]).await;
    assert!(is_hostile(&seen), "{seen:?}");
}

#[tokio::test]
async fn a_failure_is_refused_even_when_it_leaves_no_method() {
    assert_eq!(answered(vec![failure("publickey", 0)]).await, Observation::Refused);
    assert_eq!(answered(vec![failure("", 0)]).await, Observation::Refused);
}

#[tokio::test]
async fn success_without_a_signature_is_hostile() {
    for payload in [vec![52], failure("publickey", 1)] {
        let seen = answered(vec![payload]).await;
        assert!(is_hostile(&seen), "{seen:?}");
    }
}

#[tokio::test]
async fn banners_before_the_answer_do_not_change_it() {
    let banners = vec![banner("¡hola!\u{1b}[2J".as_bytes()), banner(&[b'x'; 4000]), pk_ok(&RENTER.0)];
    assert_eq!(answered(banners).await, Observation::Accepted);
}

#[tokio::test]
async fn a_banner_that_is_no_utf8_neither_panics_nor_accuses_wrongly() {
    let seen = answered(vec![banner(&[0xff, 0xc3, 0x28, 0xf0, 0x9f]), pk_ok(&RENTER.0)]).await;
    assert!(is_lost(&seen) || seen == Observation::Accepted, "{seen:?}");
}

#[tokio::test]
async fn a_flood_of_banners_ends_the_look() {
    let flood = vec![banner(&[b'x'; 30_000]); 100];
    let seen = answered(flood).await;
    assert!(is_lost(&seen), "{seen:?}");
}

#[tokio::test]
async fn a_new_key_exchange_before_the_answer_is_hostile() {
    let kexinit = [&[20][..], &[7; 16], &[0; 45]].concat();
    let seen = answered(vec![kexinit, pk_ok(&RENTER.0)]).await;
    assert!(is_hostile(&seen), "{seen:?}");
}

#[tokio::test]
async fn another_host_key_is_told_by_its_bytes() {
    let server = serve(Script::Answer(vec![pk_ok(&RENTER.0)])).await;
    let other = MachineId([1; 32]);
    let seen = probe(&target(server.endpoint, other), &limits()).await;
    assert_eq!(seen, Observation::WrongHostKey { got: hex::encode(server.machine.0) });
}

#[tokio::test]
async fn a_host_key_changed_between_two_looks_is_noticed() {
    let first = serve(Script::Answer(vec![pk_ok(&RENTER.0)])).await;
    assert_eq!(seen(&first).await, Observation::Accepted);
    let second = serve_as(SigningKey::from_bytes(&[8; 32]), Script::Answer(vec![pk_ok(&RENTER.0)])).await;
    let seen = probe(&target(second.endpoint, first.machine), &limits()).await;
    assert!(matches!(seen, Observation::WrongHostKey { .. }), "{seen:?}");
}

#[tokio::test]
async fn the_right_host_key_without_its_signature_is_no_handshake() {
    let seen = seen(&serve(Script::ForgedSignature).await).await;
    assert!(is_no_handshake(&seen), "{seen:?}");
}

#[tokio::test]
async fn a_connection_dropped_at_any_step_is_told_by_where_it_was() {
    for step in STEPS {
        let seen = seen(&serve(Script::DropBefore(step)).await).await;
        let lost_after_key_exchange = step >= Step::ServiceAccept;
        assert_eq!(is_lost(&seen), lost_after_key_exchange, "dropped before {step:?}: {seen:?}");
        assert_eq!(is_no_handshake(&seen), !lost_after_key_exchange, "dropped before {step:?}: {seen:?}");
    }
}

#[tokio::test]
async fn a_server_silent_at_any_step_costs_one_deadline() {
    for step in STEPS {
        let server = serve(Script::HangBefore(step)).await;
        let began = Instant::now();
        let seen = probe(
            &target(server.endpoint, server.machine),
            &SshLimits { probe_deadline: Duration::from_millis(400), ..limits() },
        )
        .await;
        assert!(began.elapsed() < Duration::from_millis(900), "{:?} before {step:?}", began.elapsed());
        assert!(is_lost(&seen) || is_no_handshake(&seen), "silent before {step:?}: {seen:?}");
    }
}

#[tokio::test]
async fn garbage_floods_and_drips_are_no_handshake() {
    let scripts = [
        Script::Flood(vec![0; 4096]),
        Script::Flood(vec![0xff, 0xfe, 0xc3, 0x28, b'\n']),
        Script::Flood(b"HTTP/1.1 400 Bad Request\r\n".to_vec()),
        Script::Flood(b"SSH-2.0-\xf0\x28\x8c\x28\r\n".to_vec()),
        Script::Flood(b"SSH-2.0-x\r\n\xff\xff\xff\xff".to_vec()),
        Script::Flood(b"SSH-2.0-x\r\n".to_vec()),
        Script::Drip(Duration::from_millis(5)),
    ];
    for script in scripts {
        let seen = seen(&serve(script.clone()).await).await;
        assert!(is_no_handshake(&seen), "{script:?}: {seen:?}");
    }
}

#[tokio::test]
async fn nobody_listening_is_no_connection() {
    let unused = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let endpoint = Endpoint { ip: unused.ip(), port: unused.port() };
    let seen = probe(&target(endpoint, MachineId([1; 32])), &limits()).await;
    assert!(matches!(seen, Observation::NoConnection { .. }), "{seen:?}");
}

#[tokio::test]
async fn a_private_endpoint_is_not_looked_at() {
    let server = serve(Script::Answer(vec![pk_ok(&RENTER.0)])).await;
    let public_only = SshLimits { allow_private: false, ..limits() };
    let seen = probe(&target(server.endpoint, server.machine), &public_only).await;
    assert!(matches!(seen, Observation::NotLooked { .. }), "{seen:?}");
}

#[tokio::test]
async fn a_hung_host_delays_nobody_else() {
    let hung = serve(Script::HangBefore(Step::KexInit)).await;
    let well = serve(Script::Answer(vec![pk_ok(&RENTER.0)])).await;
    let eyes = Eyes::new(limits(), key());
    let hanging: Vec<_> = (0..8)
        .map(|_| {
            let (eyes, target) = (eyes.clone(), target(hung.endpoint, hung.machine));
            tokio::spawn(async move { eyes.probe(&target).await })
        })
        .collect();
    let began = Instant::now();
    assert_eq!(eyes.probe(&target(well.endpoint, well.machine)).await, Observation::Accepted);
    assert!(began.elapsed() < Duration::from_millis(1000), "{:?}", began.elapsed());
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

/// Every machine has its bond and its address; as many as a rich attacker may have must not keep a keeper from looking
/// at others.
#[tokio::test]
async fn hundreds_of_hosts_that_hang_delay_nobody_else() {
    const HUNG: u8 = 250;
    let listener = tokio::net::TcpListener::bind((std::net::Ipv4Addr::UNSPECIFIED, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let well = serve(Script::Answer(vec![pk_ok(&RENTER.0)])).await;
    let patient = SshLimits { probe_deadline: Duration::from_secs(30), wait_max: Duration::from_secs(2), ..limits() };
    let eyes = Eyes::new(patient, key());
    let hanging: Vec<_> = (1..=HUNG)
        .map(|host| {
            let endpoint = Endpoint { ip: [127, 0, 1, host].into(), port };
            let (eyes, target) = (eyes.clone(), target(endpoint, well.machine));
            tokio::spawn(async move { eyes.probe(&target).await })
        })
        .collect();
    let mut held = Vec::new();
    for _ in 0..HUNG {
        held.push(tokio::time::timeout(Duration::from_secs(20), listener.accept()).await.unwrap().unwrap());
    }
    assert_eq!(eyes.probe(&target(well.endpoint, well.machine)).await, Observation::Accepted);
    hanging.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn one_endpoint_is_looked_at_once_at_a_time_and_waiting_too_long_is_not_looked() {
    let hung = serve(Script::HangBefore(Step::KexInit)).await;
    let eyes = Eyes::new(SshLimits { wait_max: Duration::from_millis(200), ..limits() }, key());
    let target = target(hung.endpoint, hung.machine);
    let (first, second) = tokio::join!(eyes.probe(&target), eyes.probe(&target));
    assert!(is_no_handshake(&first), "{first:?}");
    assert!(matches!(second, Observation::NotLooked { .. }), "{second:?}");
}

#[tokio::test]
async fn no_task_or_socket_outlives_a_look() {
    let hung = serve(Script::HangBefore(Step::KexReply)).await;
    let short = SshLimits { probe_deadline: Duration::from_millis(100), ..limits() };
    let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
    for _ in 0..5 {
        probe(&target(hung.endpoint, hung.machine), &short).await;
    }
    let deadline = Instant::now() + Duration::from_secs(5);
    while tokio::runtime::Handle::current().metrics().num_alive_tasks() > before {
        assert!(Instant::now() < deadline, "tasks are left over");
        tokio::task::yield_now().await;
    }
}

#[test]
fn the_secret_of_a_key_is_not_in_its_debug_text() {
    let text = format!("{:?} {:?}", key(), Eyes::new(limits(), key()));
    assert!(!text.contains(&hex::encode([5; 32])) && !text.contains("5, 5, 5"), "{text}");
    assert!(text.contains(&key().public().to_string()), "{text}");
}

fn key() -> KeeperKey {
    KeeperKey::from_seed(&secrecy::SecretBox::new(Box::new([5; 32])))
}
