//! Every transaction's way: simulated, put into words with its fee, confirmed, signed, sent, waited for. One path, so
//! that no command pays or signs in another way.

use super::amount::Tao;
use super::ask::confirm;
use super::out::Out;
use super::place::Place;
use super::who::{Actor, Signing};
use super::words::Table;
use anyhow::{Context, Result};
use serde_json::{Value, json};
use surety_client::transaction::{Order, Prepared, Progress, send, simulate};
use surety_core::types::Rao;
use tokio::task::spawn_blocking;

/// One transaction that is wanted, in words.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Deed {
    /// What it does: `Rent machine 0x12... for 2 hours`.
    pub(in crate::cli) title: String,
    /// What a person should know of it before saying yes.
    pub(in crate::cli) rows: Vec<(&'static str, String)>,
    /// The call.
    pub(in crate::cli) order: Order,
    /// To which of the contracts, for the words about money.
    pub(in crate::cli) contract: &'static str,
}

impl Deed {
    /// One without rows.
    pub(in crate::cli) fn new(title: impl Into<String>, contract: &'static str, order: Order) -> Self {
        Self { title: title.into(), rows: Vec::new(), order, contract }
    }

    /// With one more thing to know.
    #[must_use]
    pub(in crate::cli) fn row(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.rows.push((name, value.into()));
        self
    }

    /// With money.
    #[must_use]
    pub(in crate::cli) fn paying(mut self, rao: Rao) -> Self {
        self.order = self.order.paying(rao);
        self
    }
}

/// What became of the deeds.
#[derive(Debug, Clone)]
pub(in crate::cli) struct Carried {
    /// The block of the last, when all were sent and are in blocks.
    block: Option<u64>,
    /// The document so far: what was shown, and what was sent.
    document: Value,
}

impl Carried {
    /// Whether anything was sent.
    pub(in crate::cli) fn is_done(&self) -> bool {
        self.block.is_some()
    }

    /// The block of the last; 0: nothing was sent.
    pub(in crate::cli) fn block(&self) -> u64 {
        self.block.unwrap_or(0)
    }

    /// The answer: what the contracts say now, in words and for programs.
    pub(in crate::cli) fn tell(mut self, out: Out, words: impl std::fmt::Display, result: Value) -> Result<()> {
        self.document["result"] = result;
        out.answer(words, || self.document);
        Ok(())
    }

    /// The answer where nothing was sent.
    pub(in crate::cli) fn tell_shown(self, out: Out) -> Result<()> {
        out.answer("Nothing was signed (--dry-run).", || self.document);
        Ok(())
    }
}

/// Carries one deed out, or shows it only.
///
/// # Errors
/// What stands in the way, by name; nothing was signed then, unless the error says that it was sent.
pub(in crate::cli) async fn carry(
    place: &Place,
    signing: &Signing,
    actor: &Actor,
    deed: Deed,
    out: Out,
) -> Result<Carried> {
    carry_all(place, signing, actor, vec![deed], out).await
}

/// Carries deeds out one after another, none of which needs another: confirmed together, each sent only when the one
/// before is in a block.
///
/// # Errors
/// As [`carry`]; what was sent before stays done.
pub(in crate::cli) async fn carry_all(
    place: &Place,
    signing: &Signing,
    actor: &Actor,
    deeds: Vec<Deed>,
    out: Out,
) -> Result<Carried> {
    let mut prepared = Vec::new();
    for deed in &deeds {
        prepared.push(prepare(place, signing, actor, deed).await?);
    }
    let mut document = json!({ "transactions": shown(&deeds, &prepared), "result": null });
    out.say(summary(actor, &deeds, &prepared));
    let Some(key) = actor.key.as_ref().filter(|_| !signing.dry_run) else {
        return Ok(Carried { block: None, document });
    };
    let yes = signing.yes;
    spawn_blocking(move || confirm(yes, out.json)).await??;
    let mut block = None;
    for (index, deed) in deeds.iter().enumerate() {
        // Whatever happened while the answer was thought over: the fee that was agreed to is the most.
        let agreed = prepared.get(index).context("a transaction was not shown")?;
        let fresh = prepare(place, signing, actor, deed).await?.within(agreed).with_context(|| deed.title.clone())?;
        let signed = fresh.sign(key)?;
        out.progress(format!("Signed as {}; it is sent and waited for ...", signed.hash));
        let mut tell = |progress| {
            if progress == Progress::SentAgain {
                out.progress("... in no block yet: the same bytes are sent again");
            }
        };
        let landed = send(&place.node, &signed, &mut tell).await.with_context(|| deed.title.clone())?;
        document["transactions"][index]["sent"] =
            json!({ "hash": signed.hash, "block": landed.block, "gas_used": landed.gas_used });
        block = Some(landed.block);
    }
    Ok(Carried { block, document })
}

async fn prepare(place: &Place, signing: &Signing, actor: &Actor, deed: &Deed) -> Result<Prepared> {
    let (chain_id, order) = (place.deployment.chain_id, deed.order.clone());
    let prepared = Prepared::new(&place.node, chain_id, actor.account, order, signing.fee_max_rao()).await;
    prepared.with_context(|| deed.title.clone())
}

/// Whether the contracts would take a deed now.
pub(in crate::cli) async fn would_pass(place: &Place, actor: &Actor, deed: &Deed) -> bool {
    simulate(&place.node, actor.account, &deed.order).await.is_ok()
}

fn shown(deeds: &[Deed], prepared: &[Prepared]) -> Vec<Value> {
    let one = |(deed, prepared): (&Deed, &Prepared)| {
        json!({
            "what": deed.title, "from": prepared.from, "to": deed.order.to, "contract": deed.contract,
            "value_rao": deed.order.value_rao.to_string(), "data": deed.order.data,
            "fee_likely_rao": prepared.fee_likely_rao().to_string(), "fee_max_rao": prepared.fee_max_rao().to_string(),
            "nonce": prepared.nonce, "gas_limit": prepared.gas_limit, "sent": null,
        })
    };
    deeds.iter().zip(prepared).map(one).collect()
}

/// Who pays what to whom, fee included.
fn summary(actor: &Actor, deeds: &[Deed], prepared: &[Prepared]) -> String {
    let mut text = String::new();
    for (deed, prepared) in deeds.iter().zip(prepared) {
        let mut table = Table::new(deed.title.clone());
        deed.rows.iter().for_each(|(name, value)| table.row(name, value.clone()));
        let pays = match deed.order.value_rao {
            0 => "nothing but the fee".to_owned(),
            rao => format!("{} TAO to {} {}", Tao(rao), deed.contract, deed.order.to),
        };
        table.row("signs", format!("{}, nonce {}", actor.account, prepared.nonce));
        table.row("pays", pays);
        let (likely, most) = (Tao(prepared.fee_likely_rao()), Tao(prepared.fee_max_rao()));
        table.row("fee", format!("about {likely} TAO, at most {most}"));
        text.push_str(&table.to_string());
    }
    if deeds.len() > 1 {
        let value: Rao = deeds.iter().map(|deed| deed.order.value_rao).fold(0, Rao::saturating_add);
        let fees: Rao = prepared.iter().map(Prepared::fee_max_rao).fold(0, Rao::saturating_add);
        let all = Tao(value.saturating_add(fees));
        text.push_str(&format!("{} transactions, at most {all} TAO with all fees\n", deeds.len()));
    }
    text
}
