//! Taking renters' complaints in: bounded, checked against the chain as this keeper reads it, handed to the loop, and
//! answered when they are on disk.
//!
//! What is refused costs nobody else anything: only complaints by a renter about a rental of its own count against the
//! rates, and such a rental costs money. What is taken makes this keeper look harder, and nothing more.

use super::error::ApiError;
use super::routes::Shared;
use super::wire::{ComplaintBody, ComplaintPage, Taken};
use crate::ports::{Archive, ArchiveError};
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;
use surety_client::digest::Domains;
use surety_core::complaints::Complaint;
use surety_core::input::Input;
use surety_core::limits::COMPLAINT_AGE_MAX_SECS;
use surety_core::statement::Signed;
use surety_core::types::{Account, Hash32, RentalId, UnixSecs};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Who rents what at present, by rental.
pub type Renters = Arc<RwLock<BTreeMap<RentalId, Account>>>;

/// Wall clock, Unix seconds.
pub type WallClock = Arc<dyn Fn() -> UnixSecs + Send + Sync>;

/// Bounds of taking complaints.
#[derive(Clone, Debug)]
pub struct DeskLimits {
    /// Bytes of a request's body. The longest complaint with its signature is below 1 KiB.
    pub body_bytes_max: usize,
    /// Complaints being checked at once; more are refused with 503.
    pub at_once: usize,
    /// Complaints taken in any minute. What core looks into at once (256, for 15 min each) bears no more.
    pub per_minute_max: usize,
    /// Complaints about one rental in any day.
    pub per_rental_day_max: usize,
    /// How far ahead of this host's clock a complaint may be dated, seconds.
    pub ahead_max_secs: u64,
    /// How long the loop may take to store one.
    pub stored_max: Duration,
}

impl Default for DeskLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 4_096,
            at_once: 4,
            per_minute_max: 16,
            per_rental_day_max: 8,
            ahead_max_secs: 60,
            stored_max: Duration::from_secs(5),
        }
    }
}

/// Where complaints go.
pub struct Desk {
    domains: Domains,
    renters: Renters,
    /// Weak: a connection that lingers must not keep the loop from ending.
    inputs: mpsc::WeakSender<Input>,
    stored: watch::Receiver<u64>,
    now_secs: WallClock,
    pub(super) limits: DeskLimits,
    under_way: Mutex<BTreeSet<RentalId>>,
    taken_at: Mutex<VecDeque<UnixSecs>>,
}

impl Desk {
    /// `stored` changes whenever the loop has a complaint on disk.
    pub fn new(
        domains: Domains,
        renters: Renters,
        inputs: &mpsc::Sender<Input>,
        stored: watch::Receiver<u64>,
        now_secs: WallClock,
        limits: DeskLimits,
    ) -> Self {
        let inputs = inputs.downgrade();
        let (under_way, taken_at) = <(Mutex<BTreeSet<RentalId>>, Mutex<VecDeque<UnixSecs>>)>::default();
        Self { domains, renters, inputs, stored, now_secs, limits, under_way, taken_at }
    }

    /// Everything that needs no store: bounds, times, and that the rental's renter signed it.
    fn check(&self, body: &ComplaintBody, now_secs: UnixSecs) -> Result<Signed<Complaint>, ApiError> {
        let ComplaintBody { complaint, signature } = body.clone();
        complaint.check().map_err(|error| ApiError::BadComplaint { why: error.to_string() })?;
        if now_secs > complaint.issued_at_secs.saturating_add(COMPLAINT_AGE_MAX_SECS) {
            return Err(ApiError::OldComplaint { now_secs });
        }
        if complaint.issued_at_secs > now_secs.saturating_add(self.limits.ahead_max_secs) {
            return Err(ApiError::FutureComplaint { now_secs });
        }
        let renters = self.renters.read().unwrap_or_else(PoisonError::into_inner);
        let renter = renters.get(&complaint.rental).copied().ok_or(ApiError::NoRental)?;
        drop(renters);
        match self.domains.complainant(&complaint, signature) {
            Ok(signer) if signer == renter => Ok(Signed { statement: complaint, signer, signature }),
            _ => Err(ApiError::NotTheRenter { renter, chain_id: self.domains.chain_id, escrow: self.domains.escrow }),
        }
    }

    /// Whether there is room for another one about this rental, by what is kept.
    fn admit(&self, kept: &[Signed<Complaint>], now_secs: UnixSecs) -> Result<(), ApiError> {
        let until_secs = kept.iter().map(|one| one.statement.open_until(now_secs)).max().unwrap_or(0);
        if until_secs > now_secs {
            return Err(ApiError::OpenComplaint { until_secs });
        }
        let day_ago_secs = now_secs.saturating_sub(86_400);
        let of_today = kept.iter().filter(|one| one.statement.issued_at_secs > day_ago_secs).count();
        let most = self.limits.per_rental_day_max;
        if of_today >= most {
            return Err(ApiError::ComplaintsOfRental { most });
        }
        Ok(())
    }

    /// Takes one of this minute's places.
    fn place(&self, now_secs: UnixSecs) -> Result<(), ApiError> {
        let mut taken_at = self.taken_at.lock().unwrap_or_else(PoisonError::into_inner);
        // Also what a clock that was set back left ahead of now.
        taken_at.retain(|at| *at <= now_secs && now_secs.saturating_sub(*at) < 60);
        if taken_at.len() >= self.limits.per_minute_max {
            return Err(ApiError::ManyComplaints);
        }
        taken_at.push_back(now_secs);
        Ok(())
    }

    fn begin(&self, rental: RentalId) -> Option<UnderWay<'_>> {
        let mut under_way = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        // Lazily: dropping one takes the lock, and gives the place back.
        under_way.insert(rental).then(|| UnderWay { desk: self, rental })
    }

    /// Hands one to the loop, and waits until it is on disk.
    async fn hand_over(
        &self,
        archive: &Arc<dyn Archive>,
        signed: Signed<Complaint>,
        id: Hash32,
    ) -> Result<(), ApiError> {
        let mut stored = self.stored.clone();
        stored.borrow_and_update();
        let inputs = self.inputs.upgrade().ok_or(ApiError::Store)?;
        inputs.try_send(Input::Complaint(signed)).map_err(|_| ApiError::Busy)?;
        drop(inputs);
        let kept = async {
            while stored.changed().await.is_ok() {
                if has(archive, id).await? {
                    return Ok(());
                }
            }
            Err(ApiError::Store)
        };
        timeout(self.limits.stored_max, kept).await.unwrap_or(Err(ApiError::NotStoredYet))
    }
}

/// The only complaint about a rental that is under way.
struct UnderWay<'a> {
    desk: &'a Desk,
    rental: RentalId,
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.desk.under_way.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.rental);
    }
}

fn store_failed(error: impl std::fmt::Display) -> ApiError {
    tracing::error!(%error, "a complaint could not be taken");
    ApiError::Store
}

async fn read<T: Send + 'static>(
    archive: &Arc<dyn Archive>,
    work: impl FnOnce(&dyn Archive) -> Result<T, ArchiveError> + Send + 'static,
) -> Result<T, ApiError> {
    let archive = archive.clone();
    let read = tokio::task::spawn_blocking(move || work(archive.as_ref())).await;
    read.map_err(store_failed)?.map_err(store_failed)
}

async fn has(archive: &Arc<dyn Archive>, id: Hash32) -> Result<bool, ApiError> {
    read(archive, move |archive| archive.has_complaint(id)).await
}

/// `POST /v1/complaints`.
pub(super) async fn complain(State(shared): State<Arc<Shared>>, request: Request) -> Result<Response, ApiError> {
    let desk = shared.api.desk.clone();
    let most = desk.limits.body_bytes_max;
    let bytes = axum::body::to_bytes(request.into_body(), most).await;
    let bytes = bytes.map_err(|_| ApiError::LongComplaint { most })?;
    // Only now: a body that drips in must not hold a place.
    let _permit = shared.complaints.clone().try_acquire_owned().map_err(|_| {
        shared.counts.shed.fetch_add(1, Relaxed);
        ApiError::Busy
    })?;
    let body: ComplaintBody = serde_json::from_slice(&bytes)
        .map_err(|error| ApiError::BadComplaint { why: surety_core::limits::clip_text(&error.to_string()) })?;
    let now_secs = (desk.now_secs)();
    let (checking, archive) = (desk.clone(), shared.api.archive.clone());
    // Recovering a signer takes a good part of a millisecond: not on an async thread.
    let checked = tokio::task::spawn_blocking(move || checking.check(&body, now_secs)).await;
    let signed = checked.map_err(store_failed)??;
    let (id, rental) = (signed.statement.id(), signed.statement.rental);
    let looked_into_until_secs = signed.statement.open_until(now_secs);
    let taken = Taken { id, rental, looked_into_until_secs };
    let under_way = desk.begin(rental).ok_or(ApiError::OpenComplaint { until_secs: looked_into_until_secs })?;
    if has(&archive, id).await? {
        // The same again, as after a lost answer: nothing happens twice.
        return Ok((StatusCode::OK, axum::Json(taken)).into_response());
    }
    let kept = read(&archive, move |archive| archive.complaints_of(rental)).await?;
    desk.admit(&kept, now_secs)?;
    desk.place(now_secs)?;
    let (by, code) = (signed.signer, signed.statement.code);
    desk.hand_over(&archive, signed, id).await?;
    drop(under_way);
    tracing::info!(rental, %by, ?code, %id, "a renter complains");
    Ok((StatusCode::CREATED, axum::Json(taken)).into_response())
}

/// What is kept about one rental.
pub(super) fn page(archive: &dyn Archive, rental: RentalId) -> Result<ComplaintPage, ApiError> {
    let complaints = archive.complaints_of(rental).map_err(store_failed)?;
    Ok(ComplaintPage { complaints })
}
