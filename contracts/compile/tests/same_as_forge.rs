//! The committed bytecode is what forge makes of the same sources with the `shipped` profile of foundry.toml.

use std::{
    path::{Path, PathBuf},
    process::Command,
};
use surety_compile::{artifact::Artifact, contracts_dir};

#[test]
fn committed_bytecode_is_what_forge_builds() {
    let contracts = contracts_dir();
    let forge = forge(&contracts);
    let out = contracts.join("out/shipped");
    let status = Command::new(forge)
        .args(["build", "src"])
        .env("FOUNDRY_PROFILE", "shipped")
        .current_dir(&contracts)
        .status()
        .expect("forge starts");
    assert!(status.success(), "forge build failed");
    for name in ["AppointedKeepers", "Arbiter", "CollateralVault", "RentalBids", "RentalEscrow", "VotingPowerKeepers"] {
        let committed = Artifact::read(&contracts, name).expect("committed artifact");
        let forged = forge_bytecode(&out, name);
        assert_eq!(committed.bytecode.object, forged, "{name}: artifacts/ is stale, or settings differ");
    }
}

/// The program itself: npm's wrapper round it exits 0 whatever forge says.
fn forge(contracts: &Path) -> PathBuf {
    let packages = std::fs::read_dir(contracts.join("node_modules/@foundry-rs"));
    let packages = packages.expect("contracts/node_modules is missing: run `npm install` in contracts/");
    let programs = packages.flatten().map(|package| package.path().join("bin/forge"));
    programs.into_iter().find(|path| path.exists()).expect("no forge for this platform in contracts/node_modules")
}

fn forge_bytecode(out: &Path, name: &str) -> String {
    let path = out.join(format!("{name}.sol/{name}.json"));
    let text = std::fs::read_to_string(&path).expect("forge output");
    let json: serde_json::Value = serde_json::from_str(&text).expect("forge output is JSON");
    json["bytecode"]["object"].as_str().expect("bytecode").to_string()
}
