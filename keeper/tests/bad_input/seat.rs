//! A validator's keeper where keepers sit by voting power: the built program takes its seat, and says where it stands.

use super::operating::{said, text};
use super::*;
use alloy::primitives::B256;
use surety_client::reader::Reader;
use surety_client::subtensor::UID_LOOKUP;
use surety_demo::actor::Tx;

const UID: u16 = 3;
const URL: &str = "https://keeper.example";

#[tokio::test]
async fn a_keeper_without_a_seat_says_what_it_lacks_and_takes_one_as_soon_as_it_may() {
    let chain = LocalChain::start_with(Keepers::VotingPower { check_in_secs: 3_600 }).await;
    let home = Home::new(&chain.deployment, &chain.anvil.url());
    home.hurry();
    home.configure("seat", "url", URL);
    let account = Key::from_bytes([7; 32]).unwrap().account();
    chain.anvil.set_balance(account, 1_000_000_000).await.unwrap();
    let told = said(home.asked("check"));
    for line in
        ["this one is unknown: it never joined", "with no hotkey of subnet 2", "IN DANGER: the chain associates"]
    {
        assert!(told.contains(line), "{line} is missing in\n{told}");
    }

    let keeper = home.run().await;
    home.until("/metrics", |page| page.contains("surety_seat_in_danger 1\n")).await;
    let hotkey = B256::repeat_byte(5);
    let neuron = Neuron { netuid: 2, uid: UID, hotkey: Hash32(hotkey.0), account };
    let tracking = VotingPowerStandIn::setTrackingCall { netuid: 2, on: true };
    let power = VotingPowerStandIn::setPowerCall { netuid: 2, hotkey, power: 77 };
    let set = |call: Tx| call.with_gas(300_000);
    let facts = [set(Tx::call(VOTING_POWER, &tracking)), set(Tx::call(VOTING_POWER, &power))];
    chain.deployer.send_all(facts.into_iter().chain(neuron.facts()).collect()).await.unwrap();
    chain.anvil.set_code(UID_LOOKUP, &standins::uid_lookup(&[UID]).unwrap()).await.unwrap();
    home.until("/metrics", |page| page.contains("surety_seat{standing=\"active\"} 1\n")).await;
    home.until("/metrics", |page| page.contains("surety_seat_weight_rao 77\n")).await;

    let newest = chain.anvil.node.header(surety_client::provider::Tag::Latest).await.unwrap().unwrap();
    let reader = Reader::new(chain.anvil.node.clone(), &chain.deployment);
    let seated = reader.keepers(newest.number.to()).await.unwrap().remove(0);
    assert_eq!((seated.account, seated.url.as_str(), seated.active), (account, URL, true));
    assert_eq!(seated.ssh_key.0, SEED.ssh_key("keeper").public(), "agents let in whom the set names");
    let told = said(home.asked("status"));
    for line in ["seat          active, weight 77 rao, until ", "endpoints     0 agreeing\n"] {
        assert!(told.contains(line), "{line} is missing in\n{told}");
    }
    let told = said(home.asked("check"));
    assert!(told.contains("this one is active, weight 77 rao") && told.contains("with uid 3, hotkey 0x0505"), "{told}");
    assert!(!told.contains("IN DANGER"), "{told}");
    let output = stop(keeper, "TERM");
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
}
