#![allow(clippy::unwrap_used)]

use super::*;

/// Makes one value wrong.
type Break = fn(&mut Params);

fn local() -> Params {
    Params::committed(Network::Local).unwrap()
}

#[test]
fn the_committed_files_parse_and_those_with_placeholders_say_what_is_missing() {
    assert_eq!(Params::committed(Network::Localnet).unwrap().windows, local().windows);
    for network in [Network::Testnet, Network::Mainnet] {
        let refused = Params::committed(network).unwrap_err().to_string();
        for word in ["netuid is 0", "treasury is zero", "judge is zero", "proposers is empty"] {
            assert!(refused.contains(word), "{network}: {refused}");
        }
    }
}

#[test]
fn every_network_has_the_same_numbers() {
    let numbers = |network: Network| {
        let params: Params = toml::from_str(network.committed_params()).unwrap();
        (params.windows, params.shares, params.class_bonds)
    };
    for network in [Network::Localnet, Network::Testnet, Network::Mainnet] {
        assert_eq!(numbers(network), numbers(Network::Local), "{network}");
    }
}

#[test]
fn every_gpu_class_has_a_bond_by_its_own_name() {
    let bonds = local().class_bonds;
    for row in &bonds {
        assert_eq!(surety_verifier::classes::ClassId(row.class).to_string(), row.name);
    }
    // All but the class of tests, which has no GPU.
    assert_eq!(bonds.len(), surety_verifier::classes::CLASSES.len() - 1);
}

#[test]
fn every_relation_that_a_constructor_asks_for_is_asked_for_here() {
    let breaks: [(&str, Break); 16] = [
        ("min_delay_secs is under", |p| p.windows.exit_delay_secs += 1),
        ("exit_window_secs", |p| p.windows.exit_window_secs = 365 * DAY + 1),
        ("statement_life_secs", |p| p.windows.statement_life_secs = 7 * DAY + 1),
        ("stated_filing_secs", |p| p.windows.stated_filing_secs = 30 * DAY + 1),
        ("exit_delay_secs is under settle_lag_secs", |p| p.windows.settle_lag_secs = 2 * DAY + 1),
        ("appeal_window_secs is under", |p| p.windows.appeal_window_secs = HOUR - 1),
        ("min_offline_secs + freshness_secs", |p| p.windows.freshness_secs = HOUR - 899),
        ("delivery_grace_secs + freshness_secs", |p| p.windows.delivery_grace_secs = HOUR),
        ("min_interrupted_secs", |p| p.windows.min_interrupted_secs = 901),
        ("spoof_life_secs", |p| p.windows.spoof_life_secs = 2 * DAY + 1),
        ("certificate_life_secs", |p| p.windows.certificate_life_secs = 0),
        ("ruling_window_secs", |p| p.windows.ruling_window_secs = 0),
        ("fee_bps is 501", |p| p.shares.fee_bps = 501),
        ("abandon_bps", |p| p.shares.abandon_bps = 2_001),
        ("breaker_bps", |p| p.shares.breaker_bps = 0),
        ("names a class twice", |p| p.class_bonds[1].class = 1),
    ];
    for (word, break_it) in breaks {
        let mut params = local();
        break_it(&mut params);
        let wrong = params.wrong(Network::Local).join("; ");
        assert!(wrong.contains(word), "{word}: {wrong}");
    }
    assert_eq!(local().wrong(Network::Local), Vec::<String>::new());
}

#[test]
fn a_plain_account_owns_nothing_outside_a_local_chain() {
    let mut params = local();
    params.owner = Owner::Account { address: params.judge };
    assert!(params.wrong(Network::Local).is_empty());
    assert!(params.wrong(Network::Localnet).join("; ").contains("local chains"));
}

#[test]
fn a_misspelt_field_is_refused() {
    let text = Network::Local.committed_params().replace("fee_bps", "fee_bsp");
    let refused = Params::parse(&text, Path::new("x.toml"), Network::Local).unwrap_err();
    assert!(matches!(refused, ParamsError::Parse { .. }));
}
