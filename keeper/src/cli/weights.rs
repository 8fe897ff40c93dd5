//! `surety weights explain`: where each miner's weight comes from, factor by factor; of a fleet in a file, or as a
//! keeper has last chosen, read from its store, also while it runs.

use super::keeper::StoreArgument;
use crate::adapters::store::{Chosen, FoundChosen, Reading};
use anyhow::{Context, Result};
use clap::Subcommand;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use surety_core::ballot::Stage;
use surety_core::types::Hotkey;
use surety_core::weights::{Fleet, Scheme, SchemeName, Weighed, WeightRules, weigh};
use surety_verifier::classes::{CLASSES, ClassId};
use surety_verifier::score::classes::points;

/// A fleet of 4,096 machines with thirty days of rentals has some 20 MB.
const FILE_BYTES_MAX: u64 = 256 << 20;

/// What `surety weights` does.
#[derive(Debug, Subcommand)]
pub(super) enum WeightsCommand {
    /// Say of each miner why it gets what it gets: as a keeper has last chosen, or of a fleet in a file. Needs no chain
    /// and no key. Example: surety weights explain --config keeper.toml
    Explain {
        #[command(flatten)]
        store: StoreArgument,
        /// Instead of a keeper's: what the chain, the measurements and the looks say of each machine, as JSON.
        #[arg(long)]
        fleet: Option<PathBuf>,
        /// For a fleet in a file: other numbers than the defaults, as JSON, any of the fields of `WeightRules`.
        #[arg(long, requires = "fleet")]
        rules: Option<PathBuf>,
        /// Only this miner: its hotkey, 64 hex digits.
        #[arg(long)]
        hotkey: Option<Hotkey>,
        /// As JSON, with every numerator and denominator.
        #[arg(long)]
        json: bool,
    },
    /// Write the fleet that a keeper has last chosen weights from, for others to weigh.
    /// Example: surety weights fleet --config keeper.toml > fleet.json
    Fleet {
        #[command(flatten)]
        store: StoreArgument,
    },
}

impl WeightsCommand {
    pub(super) fn run(&self) -> Result<()> {
        let text = match self {
            Self::Explain { fleet: Some(fleet), rules, hotkey, json, .. } => {
                let rules = rules.as_deref().map(read).transpose()?.unwrap_or_default();
                explained(&read(fleet)?, &rules, *hotkey, *json)?
            }
            Self::Explain { store, fleet: None, hotkey, json, .. } => {
                last_chosen(&Reading::open(&store.path()?)?, *hotkey, *json)?
            }
            Self::Fleet { store } => {
                let fleet = Reading::open(&store.path()?)?.chosen_fleet()?;
                let fleet = fleet.context("no fleet is kept there: no weights were chosen, or it was too large")?;
                format!("{}\n", serde_json::to_string(&fleet)?)
            }
        };
        print!("{text}");
        Ok(())
    }
}

/// What `--json` shows of a keeper's choice.
#[derive(Serialize)]
struct Shown<'a> {
    epoch: u64,
    block: u64,
    scheme: SchemeName,
    /// How far its ballot is; `null` where it has none.
    stage: Option<Stage>,
    #[serde(flatten)]
    weighed: &'a Weighed,
}

fn last_chosen(reading: &Reading, hotkey: Option<Hotkey>, json: bool) -> Result<String> {
    let found = reading.chosen()?.context(
        "this keeper has chosen no weights: it sets some where subnet.hotkey names a key, once an epoch is under way",
    )?;
    let FoundChosen { chosen: Chosen { epoch, block, rules, mut weighed }, stage } = found;
    only(&mut weighed, hotkey)?;
    if json {
        let shown = Shown { epoch, block, scheme: rules.scheme, stage, weighed: &weighed };
        return Ok(format!("{}\n", serde_json::to_string_pretty(&shown)?));
    }
    let text = weighed.explanation.text(&|class| ClassId(class).to_string());
    Ok(format!("Epoch {epoch}, chosen at block {block}: {}\n{text}", how_far(stage.as_ref())))
}

/// No longer than a line of the explanation.
fn how_far(stage: Option<&Stage>) -> String {
    match stage {
        None => "nothing was sent".to_owned(),
        Some(Stage::Chosen) => "not signed".to_owned(),
        Some(Stage::Signed(_)) => "signed, and in no final block yet".to_owned(),
        Some(Stage::Committed) => "their hash is on chain".to_owned(),
        Some(Stage::Revealing(_)) => "their hash is on chain, the reveal is signed".to_owned(),
        Some(Stage::Sealed { reveal_epoch, .. }) => format!("on chain, to be opened in epoch {reveal_epoch}"),
        Some(Stage::Done { block }) => format!("set, as block {block} shows"),
        Some(Stage::Lost { why, .. }) => format!("thrown away by the chain: {why}"),
        Some(Stage::Failed { why }) => format!("given up: {why}"),
    }
}

fn only(weighed: &mut Weighed, hotkey: Option<Hotkey>) -> Result<()> {
    let Some(hotkey) = hotkey else { return Ok(()) };
    weighed.explanation.miners.retain(|miner| miner.hotkey == hotkey);
    anyhow::ensure!(!weighed.explanation.miners.is_empty(), "the fleet has no machine of hotkey {hotkey}");
    Ok(())
}

/// Points of a card of each class that has minima: what a certificate proves, and nothing else.
fn class_points() -> BTreeMap<u16, u64> {
    CLASSES.iter().filter_map(|class| Some((class.id.0, points(class.id)?))).collect()
}

fn explained(fleet: &Fleet, rules: &WeightRules, hotkey: Option<Hotkey>, json: bool) -> Result<String> {
    anyhow::ensure!(
        rules.scheme == SchemeName::Surety,
        "the scheme sn27 takes points of each machine, which a fleet's file does not have: see what a keeper chose with \
         --config"
    );
    let mut weighed: Weighed = weigh(fleet, &Scheme::Classes(class_points()), rules)?;
    only(&mut weighed, hotkey)?;
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
    use crate::adapters::store::Store;

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

    /// A keeper's store in which the golden fleet was weighed.
    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(&dir.path().join("keeper.db")).unwrap();
        let (fleet, rules): (Fleet, _) = (read(&fleet()).unwrap(), WeightRules::default());
        let weighed = weigh(&fleet, &Scheme::Classes(class_points()), &rules).unwrap();
        store.put_chosen(&Chosen { epoch: 7, block: 2_600, rules, weighed }, &fleet).unwrap();
        (dir, store)
    }

    #[test]
    fn what_a_keeper_has_last_chosen_is_explained_from_its_store_as_from_the_fleets_file() {
        let (dir, _running) = store();
        let reading = Reading::open(&dir.path().join("keeper.db")).unwrap();
        let text = last_chosen(&reading, None, false).unwrap();
        let (first, rest) = text.split_once('\n').unwrap();
        assert_eq!(first, "Epoch 7, chosen at block 2600: nothing was sent");
        let fleet: Fleet = read(&fleet()).unwrap();
        assert_eq!(rest, explained(&fleet, &WeightRules::default(), None, false).unwrap());
        let hotkey = fleet.machines[0].hotkey;
        let json: serde_json::Value =
            serde_json::from_str(&last_chosen(&reading, Some(hotkey), true).unwrap()).unwrap();
        assert_eq!((&json["epoch"], &json["scheme"], &json["stage"]), (&7.into(), &"surety".into(), &().into()));
        assert_eq!(json["explanation"]["miners"].as_array().unwrap().len(), 1);
        assert!(json["weights"]["Ok"]["uids"].is_array(), "{json}");
        assert_eq!(reading.chosen_fleet().unwrap(), Some(fleet), "and it can be handed on");
    }

    #[test]
    fn a_keeper_that_has_chosen_none_says_when_it_would() {
        let dir = tempfile::tempdir().unwrap();
        let _store = Store::open(&dir.path().join("keeper.db")).unwrap();
        let none = last_chosen(&Reading::open(&dir.path().join("keeper.db")).unwrap(), None, false).unwrap_err();
        assert!(none.to_string().contains("subnet.hotkey"), "{none}");
    }

    #[test]
    fn how_far_weights_are_is_said_in_words_of_every_stage() {
        let why = || "version 4 now".to_owned();
        for (stage, words) in [
            (Stage::Chosen, "not signed"),
            (Stage::Sealed { block: 1, reveal_epoch: 9 }, "on chain, to be opened in epoch 9"),
            (Stage::Done { block: 5 }, "set, as block 5 shows"),
            (Stage::Lost { block: 5, why: why() }, "thrown away by the chain: version 4 now"),
            (Stage::Failed { why: why() }, "given up: version 4 now"),
        ] {
            assert_eq!(how_far(Some(&stage)), words);
        }
    }

    #[test]
    fn a_fleet_in_a_file_has_no_points_of_machines() {
        let rules = WeightRules { scheme: SchemeName::Sn27, ..WeightRules::default() };
        let refused = explained(&read(&fleet()).unwrap(), &rules, None, false).unwrap_err();
        assert!(refused.to_string().contains("sn27") && refused.to_string().contains("--config"), "{refused}");
    }
}
