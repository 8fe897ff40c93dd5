//! Fill, commit, walk and open on a card.

mod work;

use std::thread::JoinHandle;

use crate::card::Card;
use surety_verifier::Bytes32;
use surety_verifier::device::{Device, DeviceError, FillJob, Opening};
use surety_verifier::frame::Leaf;
use work::Work;

/// A card as a device. Each works in a thread of its own, so that several work at once.
#[derive(Debug)]
pub struct CardDevice<C> {
    state: State<C>,
}

#[derive(Debug)]
enum State<C> {
    Idle(C),
    Working(JoinHandle<Result<Work<C>, DeviceError>>),
    Ready(Work<C>),
    /// Its thread died, and the card with it.
    Lost,
}

impl<C: Card + 'static> CardDevice<C> {
    /// An idle device.
    #[must_use]
    pub fn new(card: C) -> Self {
        Self { state: State::Idle(card) }
    }

    fn spawn(
        &mut self,
        name: &str,
        work: impl FnOnce() -> Result<Work<C>, DeviceError> + Send + 'static,
    ) -> Result<(), DeviceError> {
        let thread = std::thread::Builder::new().name(name.into());
        let handle = thread.spawn(work).map_err(|error| DeviceError::Failed(error.to_string()))?;
        self.state = State::Working(handle);
        Ok(())
    }

    /// What the card holds, once whatever it is doing is done.
    fn ready(&mut self) -> Result<&mut Work<C>, DeviceError> {
        let work = self.take()?;
        self.state = State::Ready(work);
        match &mut self.state {
            State::Ready(work) => Ok(work),
            State::Idle(_) | State::Working(_) | State::Lost => Err(DeviceError::NotFilled),
        }
    }

    fn take(&mut self) -> Result<Work<C>, DeviceError> {
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Ready(work) => Ok(work),
            State::Working(handle) => handle.join().map_err(|_| DeviceError::Failed("the thread panicked".into()))?,
            State::Lost => Err(DeviceError::Failed("the card was lost by an earlier failure".into())),
            idle @ State::Idle(_) => {
                self.state = idle;
                Err(DeviceError::NotFilled)
            }
        }
    }
}

impl<C: Card + 'static> Device for CardDevice<C> {
    fn start(&mut self, job: FillJob) -> Result<(), DeviceError> {
        self.release();
        match std::mem::replace(&mut self.state, State::Lost) {
            State::Idle(card) => self.spawn("surety-fill", move || Work::fill(card, &job)),
            State::Working(_) | State::Ready(_) | State::Lost => {
                Err(DeviceError::Failed("the card was lost by an earlier failure".into()))
            }
        }
    }

    fn finish(&mut self) -> Result<Vec<Bytes32>, DeviceError> {
        Ok(self.ready()?.roots())
    }

    fn open(&mut self, round: u32, row: u32) -> Result<Opening, DeviceError> {
        self.ready()?.open(round, row)
    }

    fn start_walk(&mut self, word: u64) -> Result<(), DeviceError> {
        let work = self.take()?;
        self.spawn("surety-walk", move || work.walk(word))
    }

    fn finish_walk(&mut self) -> Result<Bytes32, DeviceError> {
        self.ready()?.walk_root()
    }

    fn open_leg(&mut self, walker: u32, leg: u32) -> Result<Vec<Leaf>, DeviceError> {
        self.ready()?.open_leg(walker, leg)
    }

    fn release(&mut self) {
        if let Ok(work) = self.take() {
            self.state = State::Idle(work.release());
        }
    }
}
