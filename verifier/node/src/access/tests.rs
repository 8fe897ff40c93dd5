#![allow(clippy::unwrap_used)]

use super::*;

const A: SshKey = SshKey([1; 32]);
const B: SshKey = SshKey([2; 32]);

fn rental(id: RentalId, renter_key: SshKey, until_secs: UnixSecs) -> Option<Rental> {
    Some(Rental { id, renter_key, until_secs })
}

fn access(chain_time_secs: UnixSecs, rental: Option<Rental>) -> Access {
    let keepers = vec![Keeper { ssh_key: B, account: Account([7; 20]) }];
    Access { registration: Some(3), rental, keepers, chain_time_secs }
}

/// One row: at this time of ours, this is read (`None`: the node is silent), and this tenant is let in.
type Row = (u64, Option<Access>, Option<(RentalId, SshKey)>);

fn run(rows: Vec<Row>) {
    let mut standing = Standing::default();
    for (number, (now_ms, read, tenant)) in rows.into_iter().enumerate() {
        if let Some(access) = read {
            standing.observe(access, now_ms);
        }
        let granted =
            standing.grants(now_ms).and_then(|grants| grants.tenant).map(|rental| (rental.id, rental.renter_key));
        assert_eq!(granted, tenant, "row {number}");
    }
}

#[test]
fn before_the_first_reading_nothing_is_known() {
    assert_eq!(Standing::default().grants(5_000), None);
}

#[test]
fn a_rental_starts_is_extended_ends_and_is_replaced() {
    run(vec![
        (0, Some(access(1000, None)), None),
        (1_000, Some(access(1001, rental(1, A, 1010))), Some((1, A))),
        (2_000, Some(access(1002, rental(1, A, 1030))), Some((1, A))),
        (15_000, Some(access(1015, rental(1, A, 1030))), Some((1, A))),
        (16_000, Some(access(1016, rental(1, A, 1016))), None),
        (17_000, Some(access(1017, rental(2, B, 1100))), Some((2, B))),
        (18_000, Some(access(1018, rental(3, A, 1100))), Some((3, A))),
        (19_000, Some(access(1019, None)), None),
    ]);
}

#[test]
fn a_silent_node_keeps_what_was_granted_until_it_runs_out_and_no_longer() {
    run(vec![
        (0, Some(access(1000, rental(1, A, 1010))), Some((1, A))),
        (9_999, None, Some((1, A))),
        (10_000, None, None),
        (60_000, None, None),
        (61_000, Some(access(1061, rental(1, A, 1100))), Some((1, A))),
    ]);
}

#[test]
fn reading_the_same_old_block_again_does_not_keep_anybody_in() {
    run(vec![
        (0, Some(access(1000, rental(1, A, 1010))), Some((1, A))),
        (5_000, Some(access(1000, rental(1, A, 1010))), Some((1, A))),
        (10_000, Some(access(1000, rental(1, A, 1010))), None),
    ]);
}

#[test]
fn a_node_that_lags_behind_brings_nobody_back() {
    run(vec![
        (0, Some(access(1000, rental(1, A, 5000))), Some((1, A))),
        (1_000, Some(access(1001, rental(1, A, 1001))), None),
        (2_000, Some(access(1000, rental(1, A, 5000))), None),
    ]);
}

#[test]
fn a_chain_that_jumps_ahead_ends_what_has_run_out() {
    run(vec![
        (0, Some(access(1000, rental(1, A, 1100))), Some((1, A))),
        (1_000, Some(access(1099, rental(1, A, 1100))), Some((1, A))),
        (2_000, None, None),
    ]);
}

#[test]
fn grants_know_a_keeper_and_a_tenant_by_their_keys_only() {
    let mut standing = Standing::default();
    standing.observe(access(1000, rental(1, A, 1010)), 0);
    let grants = standing.grants(4_000).unwrap();
    assert_eq!(grants.left_secs, 6);
    assert!(grants.keeper(&B).is_some() && grants.keeper(&A).is_none());
    assert!(grants.tenant_with(&A).is_some() && grants.tenant_with(&B).is_none());
    assert!(grants.without_tenant().tenant_with(&A).is_none());
}
