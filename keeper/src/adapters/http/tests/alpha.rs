//! Statements about alpha: made when asked, refused by name.

use super::*;
use crate::ports::{Answering, Stating, StatingError};
use serde_json::json;
use surety_core::alpha::{AlphaBacking, AlphaStatement, AlphaVerdict, BondStatement, NotStated};
use surety_core::types::{CaseId, Kind, Signature};

/// Knows machine 2 and case 7; every other case is refused, every other machine unreadable.
struct Knows;

fn signed<T>(statement: T) -> Signed<T> {
    Signed { statement, signer: Account([1; 20]), signature: Signature([2; 65]) }
}

fn bond() -> BondStatement {
    BondStatement {
        vault: Hash32([1; 32]),
        owner: Hash32([2; 32]),
        machine: MachineId([2; 32]),
        registration: 3,
        rental: 4,
        over: true,
        alpha: 5,
        value_rao: 6,
        stated_at_secs: 7,
        until_secs: 8,
    }
}

fn backing(case: CaseId) -> AlphaBacking {
    AlphaBacking {
        vault: Hash32([1; 32]),
        owner: Hash32([2; 32]),
        machine: MachineId([2; 32]),
        registration: 3,
        case,
        kind: Kind::Offline,
        rental: 4,
        tao_reserve_rao: 5,
        alpha: 6,
        alpha_value_rao: 7,
        earned_rao: 8,
        stated_at_secs: 9,
    }
}

impl Stating for Knows {
    fn bond(&self, machine: MachineId) -> Answering<'_, Signed<BondStatement>> {
        Box::pin(async move {
            match machine == bond().machine {
                true => Ok(signed(bond())),
                false => Err(StatingError::NotNow("the nodes are away".into())),
            }
        })
    }

    fn case(&self, case: CaseId) -> Answering<'_, Signed<AlphaStatement>> {
        Box::pin(async move {
            match case {
                7 => Ok(signed(backing(case).into())),
                8 => Err(NotStated::Overturned { case }.into()),
                _ => Err(StatingError::Nothing(format!("there is no case {case}"))),
            }
        })
    }

    fn verdict(&self, case: CaseId) -> Answering<'_, Signed<AlphaVerdict>> {
        let vault = Hash32([1; 32]);
        let verdict = AlphaVerdict { vault, case, dismissed: true, earned_rao: 0, stated_at_secs: 9 };
        Box::pin(async move { Ok(signed(verdict)) })
    }
}

#[tokio::test]
async fn a_bond_a_case_and_a_verdict_are_stated_when_they_are_asked_for() {
    let served = start_stating(Some(Arc::new(Knows))).await;
    let shown = served.get(&format!("/v1/alpha/bonds/{}", "02".repeat(32))).await;
    assert_eq!(shown.json(), serde_json::to_value(signed(bond())).unwrap());
    assert_eq!(shown.headers["cache-control"], "no-store");
    let shown = served.get("/v1/alpha/cases/7").await.json();
    assert_eq!((&shown["statement"]["type"], &shown["statement"]["kind"]), (&json!("backing"), &json!("Offline")));
    assert_eq!(served.get("/v1/alpha/verdicts/7").await.json()["statement"]["dismissed"], true);
}

#[tokio::test]
async fn what_is_not_stated_says_why_by_a_code_and_a_sentence() {
    let served = start_stating(Some(Arc::new(Knows))).await;
    for (path, status, code) in [
        ("/v1/alpha/bonds/7".to_owned(), 400, "bad_machine"),
        (format!("/v1/alpha/bonds/{}", "03".repeat(32)), 503, "not_stated_now"),
        ("/v1/alpha/cases/x".to_owned(), 400, "bad_case"),
        ("/v1/alpha/cases/8".to_owned(), 409, "not_stated"),
        ("/v1/alpha/cases/9".to_owned(), 404, "nothing_stated"),
        ("/v1/alpha/verdicts/-1".to_owned(), 400, "bad_case"),
    ] {
        let got = served.get(&path).await;
        assert_eq!((got.status, got.code().as_str()), (status, code), "{path}");
    }
    let silent = start_stating(None).await;
    let got = silent.get("/v1/alpha/cases/7").await;
    assert_eq!((got.status, got.code().as_str()), (404, "no_alpha"));
}
