//! `surety weights explain`: where each miner's weight comes from, factor by factor.

use anyhow::{Context, Result};
use clap::Subcommand;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use surety_core::types::Hotkey;
use surety_core::weights::{Fleet, Scheme, SchemeName, Weighed, WeightRules, weigh};
use surety_verifier::classes::{CLASSES, ClassId};
use surety_verifier::score::classes::points;

/// A fleet of 4,096 machines with thirty days of rentals has some 20 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What `surety weights` does.
#[derive(Debug, Subcommand)]
pub(super) enum WeightsCommand {
    /// Weigh a fleet, and say of each miner why it gets what it gets. Needs no chain and no key.
    /// Example: surety weights explain --fleet fleet.json
    Explain {
        /// The fleet: what the chain, the measurements and the looks say of each machine, as JSON.
        #[arg(long)]
        fleet: PathBuf,
        /// Other numbers than the defaults, as JSON: any of the fields of `WeightRules`.
        #[arg(long)]
        rules: Option<PathBuf>,
        /// Only this miner: its hotkey, 64 hex digits.
        #[arg(long)]
        hotkey: Option<Hotkey>,
        /// As JSON, with every numerator and denominator.
        #[arg(long)]
        json: bool,
    },
}

impl WeightsCommand {
    pub(super) fn run(&self) -> Result<()> {
        let Self::Explain { fleet, rules, hotkey, json } = self;
        let rules = rules.as_deref().map(read).transpose()?.unwrap_or_default();
        print!("{}", explained(&read(fleet)?, &rules, *hotkey, *json)?);
        Ok(())
    }
}

/// Points of a card of each class that has minima: what a certificate proves, and nothing else.
fn class_points() -> BTreeMap<u16, u64> {
    CLASSES.iter().filter_map(|class| Some((class.id.0, points(class.id)?))).collect()
}

fn explained(fleet: &Fleet, rules: &WeightRules, hotkey: Option<Hotkey>, json: bool) -> Result<String> {
    anyhow::ensure!(
        rules.scheme == SchemeName::Surety,
        "the scheme sn27 takes points of each machine, which a fleet's file does not have"
    );
    let mut weighed: Weighed = weigh(fleet, &Scheme::Classes(class_points()), rules)?;
    if let Some(hotkey) = hotkey {
        weighed.explanation.miners.retain(|miner| miner.hotkey == hotkey);
        anyhow::ensure!(!weighed.explanation.miners.is_empty(), "the fleet has no machine of hotkey {hotkey}");
    }
    if json {
        return Ok(format!("{}\n", serde_json::to_string_pretty(&weighed)?));
    }
    Ok(weighed.explanation.text(&|class| ClassId(class).to_string()))
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let shown = path.display();
    let bytes = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    anyhow::ensure!(bytes <= FILE_BYTES_MAX, "{shown} has {bytes} bytes, want at most {FILE_BYTES_MAX}");
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    serde_json::from_str(&text).with_context(|| format!("{shown} is not what `surety weights explain` reads"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn fleet() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("core/tests/weights/fleet.json")
    }

    #[test]
    fn a_fleet_is_explained_miner_by_miner_in_lines_of_a_hundred_columns() {
        let fleet: Fleet = read(&fleet()).unwrap();
        let text = explained(&fleet, &WeightRules::default(), None, false).unwrap();
        assert!(text.starts_with("Weights at "), "{text}");
        assert!(text.contains("H100 SXM") && text.lines().all(|line| line.chars().count() <= 100), "{text}");
        let weighed: Weighed =
            serde_json::from_str(&explained(&fleet, &WeightRules::default(), None, true).unwrap()).unwrap();
        let sum: u32 = weighed.weights.unwrap().values.iter().map(|value| u32::from(*value)).sum();
        assert_eq!(sum, 65_535);
    }

    #[test]
    fn one_miner_can_be_asked_for_and_one_that_is_not_there_is_named() {
        let fleet: Fleet = read(&fleet()).unwrap();
        let hotkey = fleet.machines[0].hotkey;
        let rules = WeightRules::default();
        let one = explained(&fleet, &rules, Some(hotkey), true).unwrap();
        let weighed: Weighed = serde_json::from_str(&one).unwrap();
        assert_eq!(weighed.explanation.miners.len(), 1);
        let absent = explained(&fleet, &rules, Some(Hotkey([0xfe; 32])), false).unwrap_err();
        assert!(absent.to_string().contains("no machine of hotkey 0xfefe"), "{absent}");
    }

    #[test]
    fn a_file_that_is_no_fleet_is_refused_with_what_is_wrong_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("fleet.json");
        std::fs::write(&file, r#"{"at_secs": 1, "seats": {}, "machines": [], "extra": 1}"#).unwrap();
        let refused = format!("{:#}", read::<Fleet>(&file).unwrap_err());
        assert!(refused.contains("fleet.json") && refused.contains("extra"), "{refused}");
        assert!(read::<Fleet>(&dir.path().join("none")).is_err());
    }
}
