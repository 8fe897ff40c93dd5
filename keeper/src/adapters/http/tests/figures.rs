//! Soft figures, shown.

use super::*;
use surety_verifier::gauge::Figures;

fn soft() -> SoftFigures {
    let figures = Figures { threads: 64, core_khz_all: Some(2_900_000), ..Figures::default() };
    SoftFigures { registration: 3, measured_at_secs: 1_800_000_000, figures, ended: None }
}

#[tokio::test]
async fn soft_figures_of_a_machine_are_shown_and_those_of_no_other() {
    let served = start(HttpLimits::default()).await;
    served.shelf.figures.lock().unwrap().insert(MachineId([2; 32]), soft());
    let shown = served.get(&format!("/v1/figures/{}", "02".repeat(32))).await.json();
    assert_eq!(shown, serde_json::to_value(soft()).unwrap());
    assert_eq!(shown["figures"]["core_khz_all"], 2_900_000);
    let other = served.get(&format!("/v1/figures/{}", "03".repeat(32))).await;
    assert_eq!((other.status, other.code()), (404, "no_figures".into()));
    assert_eq!(served.get("/v1/figures/7").await.code(), "bad_machine");
}
