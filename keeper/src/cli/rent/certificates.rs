//! Certificates of a quorum of keepers: collected from all of them, checked here, and no more of them than it takes.

use crate::cli::kit::exit::Stop;
use crate::cli::kit::http::{Http, LIST_BYTES_MAX};
use crate::cli::kit::out::Out;
use crate::cli::kit::place::{Keepers, Place};
use crate::cli::node::NodeState;
use anyhow::{Context, Result};
use futures_util::future::join_all;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use surety_client::digest::Domains;
use surety_core::quorum::is_quorum;
use surety_core::statement::{Certificate, Signed};
use surety_core::types::{Account, MachineId, UnixSecs};
use surety_core::view::KeeperView;

/// Most certificates of one keeper's answer that are looked at.
const CERTIFICATES_MAX: usize = 1_024;

#[derive(Deserialize)]
struct Page {
    certificates: Vec<Signed<Certificate>>,
}

/// Certificates that the escrow takes for a machine as it is offered now: by ascending signer, as few as make a quorum.
///
/// # Errors
/// The keepers that answered do not come to a quorum; the error says what each said.
pub(in crate::cli) async fn quorum(
    place: &Place,
    named: &Keepers,
    state: &NodeState,
    out: Out,
) -> Result<Vec<Signed<Certificate>>> {
    let electorate: BTreeMap<Account, KeeperView> =
        place.keepers().await?.into_iter().map(|keeper| (keeper.account, keeper)).collect();
    let urls = place.urls(named).await?;
    out.progress(format!("asking {} keepers for certificates ...", urls.len()));
    let (http, path) = (Http::new()?, format!("/v1/certificates/{}", state.machine()));
    let ask = |url: &String| {
        let (http, path, url) = (http.clone(), path.clone(), url.clone());
        async move { http.get::<Page>(&url, &path, &[], LIST_BYTES_MAX).await }
    };
    let mut offered = Vec::new();
    let mut said = Vec::new();
    for answer in join_all(urls.iter().map(ask)).await {
        match answer {
            Ok(page) => offered.extend(page.certificates.into_iter().take(CERTIFICATES_MAX)),
            Err(error) => said.push(error.to_string()),
        }
    }
    let wanted = Wanted::of(place, state).await?;
    let sound = sound(&place.domains(), &electorate, &wanted, offered);
    let count = sound.len();
    fewest(&electorate, sound).ok_or_else(|| {
        let failed = if said.is_empty() { String::new() } else { format!("; no answer: {}", said.join("; ")) };
        Stop::refused(format!(
            "the machine is not verified: {count} of {} keepers have a certificate that serves now, which is no \
             quorum. Try later, or choose another machine{failed}",
            electorate.len()
        ))
    })
}

/// What a certificate has to say.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    machine: MachineId,
    registration: u32,
    gpu_class: u16,
    gpu_count: u16,
    not_before_secs: UnixSecs,
    not_after_secs: UnixSecs,
}

impl Wanted {
    async fn of(place: &Place, state: &NodeState) -> Result<Self> {
        let now = place.now_secs();
        let vacated = match state.last_rental {
            0 => 0,
            last => place.reader.rental_at(last, place.head.number).await.context("the last rental")?.end_secs,
        };
        let oldest = now.saturating_sub(place.deployment.times.certificate_life_secs);
        Ok(Self {
            machine: state.machine(),
            registration: state.node.registration,
            gpu_class: state.terms.gpuClass,
            gpu_count: state.terms.gpuCount.into(),
            not_before_secs: vacated.max(oldest),
            not_after_secs: now,
        })
    }

    fn fits(&self, certificate: &Certificate) -> bool {
        certificate.machine == self.machine
            && certificate.registration == self.registration
            && certificate.gpu_class == self.gpu_class
            && certificate.gpu_count >= self.gpu_count
            && (self.not_before_secs..=self.not_after_secs).contains(&certificate.measured_at_secs)
    }
}

/// The newest certificate of each active keeper that says what is wanted, with a sound signature.
fn sound(
    domains: &Domains,
    electorate: &BTreeMap<Account, KeeperView>,
    wanted: &Wanted,
    offered: Vec<Signed<Certificate>>,
) -> BTreeMap<Account, Signed<Certificate>> {
    let mut newest: BTreeMap<Account, Signed<Certificate>> = BTreeMap::new();
    for one in offered {
        let active = electorate.get(&one.signer).is_some_and(|keeper| keeper.active);
        let known = newest.get(&one.signer).map(|known| known.statement.measured_at_secs);
        let newer = known.is_none_or(|known| known < one.statement.measured_at_secs);
        if active && newer && wanted.fits(&one.statement) && domains.check(&one).is_ok() {
            newest.insert(one.signer, one);
        }
    }
    newest
}

/// As few as make a quorum, the heaviest first: each costs gas. None: all together make none.
fn fewest(
    electorate: &BTreeMap<Account, KeeperView>,
    mut sound: BTreeMap<Account, Signed<Certificate>>,
) -> Option<Vec<Signed<Certificate>>> {
    let weight = |account: &Account| electorate.get(account).map_or(0, |keeper| keeper.weight);
    let mut signers: Vec<Account> = sound.keys().copied().collect();
    signers.sort_by_key(|signer| std::cmp::Reverse(weight(signer)));
    let mut chosen = BTreeSet::new();
    for signer in signers {
        chosen.insert(signer);
        if is_quorum(electorate, &chosen) {
            return chosen.iter().map(|signer| sound.remove(signer)).collect();
        }
    }
    None
}

#[cfg(test)]
mod tests;
