//! The machine's side: computes, commits, signs, shows. It trusts the keeper no more than the keeper trusts it.

use crate::classes::ClassId;
use crate::device::{Device, DeviceError, FillJob};
use crate::frame::{
    Bye, ByeCode, Echo, Frame, FrameType, Hello, HelloAck, Open, Root, Row, Segment, Start, Walk, Walked,
};
use crate::limits::{ECHO_COUNT, GPUS_MAX, OPENED_LEGS_MAX, OPENED_ROWS_MAX, PROTOCOL_VERSION};
use crate::params::{Params, ParamsError};
use crate::seed;
use crate::statement::{Signer, SignerError, Statement, WalkStatement};
use crate::{Address, Bytes32};

/// What the machine stands for; work for anything else is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claims {
    /// Chain that the machine is registered on.
    pub chain_id: u64,
    /// The machine's registration.
    pub registration: u32,
    /// Class of its GPUs; how many there are is the number of devices.
    pub class: ClassId,
    /// The keeper that is at the other end, if that is known: then nobody else's work is signed.
    pub keeper: Option<Address>,
    /// Most that the machine does.
    pub caps: Caps,
}

/// Most that a machine does for one session, so that a keeper cannot wear it out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// Bytes that each device needs, as [`crate::params::Params::device_bytes`] counts them.
    pub device_bytes: u64,
    /// int8 operations on each device.
    pub operations: u64,
    /// Bytes that each device's walk reads.
    pub walk_bytes: u64,
}

impl Caps {
    /// For CPU devices: 64 MiB, 2^36 operations and a walk over 16 GiB (seconds on one core) each.
    #[must_use]
    pub const fn cpu() -> Self {
        Self { device_bytes: 64 << 20, operations: 1 << 36, walk_bytes: 1 << 34 }
    }

    /// Just what these sizes ask for.
    #[must_use]
    pub fn of(params: &Params) -> Self {
        let (device_bytes, operations) = (params.device_bytes(), params.operations());
        Self { device_bytes, operations, walk_bytes: params.walk_bytes() }
    }
}

/// Why the machine ends a session.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProverError {
    /// The keeper speaks another version.
    #[error("the keeper speaks version {0}, this agent version {PROTOCOL_VERSION}: update the older of the two")]
    Version(u16),
    /// A frame that has no place here.
    #[error("{0:?} has no place here")]
    Unexpected(FrameType),
    /// Work that is meant for another machine, or asks for what this one does not claim.
    #[error("the work is for another {0}: it is not this machine's to sign")]
    NotMine(&'static str),
    /// Sizes out of the protocol's bounds.
    #[error(transparent)]
    Params(#[from] ParamsError),
    /// Sizes beyond what this machine accepts.
    #[error("{asked} {what} a device are asked for, {cap} is the most this machine does")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// What was asked for.
        asked: u64,
        /// Most that the machine does.
        cap: u64,
    },
    /// What is asked for is not k rows, or L legs, for each GPU.
    #[error("the {what} asked for are not {each} on each of {count} GPUs")]
    Openings {
        /// Rows or legs.
        what: &'static str,
        /// How many.
        each: u16,
        /// GPUs.
        count: u16,
    },
    /// A device failed.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// The host key could not be used.
    #[error(transparent)]
    Signer(#[from] SignerError),
}

impl ProverError {
    /// To be sent before hanging up.
    #[must_use]
    pub fn farewell(&self) -> Frame {
        let code = match self {
            Self::Version(_) => ByeCode::Version,
            Self::Unexpected(_) | Self::Params(_) | Self::Openings { .. } => ByeCode::Protocol,
            Self::NotMine(_) => ByeCode::NotMine,
            Self::TooLarge { .. } => ByeCode::TooLarge,
            Self::Device(_) => ByeCode::Device,
            Self::Signer(_) => ByeCode::Signer,
        };
        Frame::Bye(Bye { code })
    }
}

/// A session on the machine's side. [`Self::on_frame`] blocks while devices compute: call it where that is
/// allowed. It has no deadlines: whoever runs it hangs up on a keeper that says nothing for a while.
pub struct ProverSession<S> {
    devices: Vec<Box<dyn Device>>,
    signer: S,
    claims: Claims,
    state: State,
    verdict: Option<ByeCode>,
}

enum State {
    AwaitHello,
    AwaitEchoOrStart {
        echoes: u16,
    },
    /// With the digest of what was signed.
    AwaitWalk(Box<Start>, Bytes32),
    AwaitOpen(Box<Start>),
    AwaitBye,
    Over,
}

impl<S> std::fmt::Debug for ProverSession<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProverSession").field("claims", &self.claims).finish_non_exhaustive()
    }
}

impl<S: Signer> ProverSession<S> {
    /// A session that measures `devices`, in this order, 1 to 16.
    ///
    /// # Errors
    /// When there are no devices, or too many.
    pub fn new(devices: Vec<Box<dyn Device>>, signer: S, claims: Claims) -> Result<Self, ProverError> {
        if devices.is_empty() || devices.len() > usize::from(GPUS_MAX) {
            let asked = devices.len() as u64;
            return Err(ProverError::TooLarge { what: "devices", asked, cap: u64::from(GPUS_MAX) });
        }
        Ok(Self { devices, signer, claims, state: State::AwaitHello, verdict: None })
    }

    /// Whether nothing more is to be done.
    #[must_use]
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// What the keeper said at the end. A courtesy of the keeper: nothing hangs on it.
    #[must_use]
    pub fn verdict(&self) -> Option<ByeCode> {
        self.verdict
    }

    /// Takes a frame from the keeper and returns the answers, to be sent in order. Blocks while devices compute.
    ///
    /// # Errors
    /// When the session cannot go on; send [`ProverError::farewell`] and hang up.
    pub fn on_frame(&mut self, frame: Frame) -> Result<Vec<Frame>, ProverError> {
        let state = std::mem::replace(&mut self.state, State::Over);
        let answer = match (state, frame) {
            (State::Over, frame) => Err(ProverError::Unexpected(frame.kind())),
            (_, Frame::Bye(bye)) => self.on_bye(bye),
            (State::AwaitHello, Frame::Hello(hello)) => self.on_hello(hello),
            (State::AwaitEchoOrStart { echoes }, Frame::Echo(echo)) => self.on_echo(echoes, echo),
            (State::AwaitEchoOrStart { .. }, Frame::Start(start)) => self.on_start(start),
            (State::AwaitWalk(start, signed), Frame::Walk(walk)) => self.on_walk(start, signed, walk),
            (State::AwaitOpen(start), Frame::Open(open)) => self.on_open(&start, &open),
            (_, frame) => Err(ProverError::Unexpected(frame.kind())),
        };
        if self.is_done() {
            self.devices.iter_mut().for_each(|device| device.release());
        }
        answer
    }

    fn on_bye(&mut self, bye: Bye) -> Result<Vec<Frame>, ProverError> {
        self.verdict = Some(bye.code);
        Ok(Vec::new())
    }

    fn count(&self) -> u16 {
        u16::try_from(self.devices.len()).unwrap_or(GPUS_MAX) // `new` allows no more than GPUS_MAX
    }

    fn on_hello(&mut self, hello: Hello) -> Result<Vec<Frame>, ProverError> {
        if hello.version != PROTOCOL_VERSION {
            return Err(ProverError::Version(hello.version));
        }
        self.state = State::AwaitEchoOrStart { echoes: 0 };
        let (class, count) = (self.claims.class, self.count());
        Ok(vec![Frame::HelloAck(HelloAck { version: PROTOCOL_VERSION, class, count })])
    }

    fn on_echo(&mut self, echoes: u16, echo: Echo) -> Result<Vec<Frame>, ProverError> {
        if echoes >= ECHO_COUNT {
            return Err(ProverError::Unexpected(FrameType::Echo));
        }
        self.state = State::AwaitEchoOrStart { echoes: echoes + 1 };
        Ok(vec![Frame::EchoAck(echo)])
    }

    fn on_start(&mut self, start: Start) -> Result<Vec<Frame>, ProverError> {
        self.check_mine(&start)?;
        self.check_size(&start)?;
        let roots = self.fill(&start)?;
        let statement = Statement::answering(&start, &roots);
        let (signed, signature) = (statement.digest(), self.signer.sign(&statement.message())?);
        let root = Root { count: start.count, rounds: start.params.rounds, roots, signature };
        self.state = State::AwaitWalk(Box::new(start), signed);
        Ok(vec![Frame::Root(root)])
    }

    /// All devices are started before any is waited for.
    fn on_walk(&mut self, start: Box<Start>, results: Bytes32, walk: Walk) -> Result<Vec<Frame>, ProverError> {
        for (gpu, device) in (0..).zip(&mut self.devices) {
            device.start_walk(seed::walk_word(&walk.nonce, gpu))?;
        }
        let roots: Result<Vec<_>, _> = self.devices.iter_mut().map(|device| device.finish_walk()).collect();
        let roots = roots?;
        let statement = WalkStatement { machine: start.machine, results, nonce: walk.nonce, roots: &roots };
        let signature = self.signer.sign(&statement.message())?;
        self.state = State::AwaitOpen(start);
        Ok(vec![Frame::Walked(Walked { roots, signature })])
    }

    fn check_mine(&self, start: &Start) -> Result<(), ProverError> {
        let claims = &self.claims;
        let same = [
            ("chain", start.chain_id == claims.chain_id),
            ("machine", start.machine == self.signer.machine()),
            ("registration", start.registration == claims.registration),
            ("class", start.class == claims.class),
            ("count of GPUs", start.count == self.count()),
            ("keeper", claims.keeper.is_none_or(|keeper| keeper == start.keeper)),
        ];
        match same.into_iter().find(|(_, same)| !same) {
            Some((what, _)) => Err(ProverError::NotMine(what)),
            None => Ok(()),
        }
    }

    fn check_size(&self, start: &Start) -> Result<(), ProverError> {
        let (params, caps) = (&start.params, &self.claims.caps);
        params.check()?;
        let on_all = |each: u16| u64::from(each) * u64::from(start.count);
        let sizes = [
            ("bytes", params.device_bytes(), caps.device_bytes),
            ("operations", params.operations(), caps.operations),
            ("bytes of a walk", params.walk_bytes(), caps.walk_bytes),
            ("rows", on_all(params.openings), u64::from(OPENED_ROWS_MAX)),
            ("legs", on_all(params.legs), u64::from(OPENED_LEGS_MAX)),
        ];
        match sizes.into_iter().find(|(_, asked, cap)| asked > cap) {
            Some((what, asked, cap)) => Err(ProverError::TooLarge { what, asked, cap }),
            None => Ok(()),
        }
    }

    /// All devices are started before any is waited for.
    fn fill(&mut self, start: &Start) -> Result<Vec<Bytes32>, ProverError> {
        for (gpu, device) in (0..).zip(&mut self.devices) {
            let gpu_seed = seed::gpu_seed(&start.session_seed, gpu);
            device.start(FillJob { params: start.params, epoch_seed: start.epoch_seed, gpu_seed })?;
        }
        let mut roots = Vec::with_capacity(self.devices.len() * start.params.rounds as usize);
        for device in &mut self.devices {
            roots.extend(device.finish()?);
        }
        Ok(roots)
    }

    fn on_open(&mut self, start: &Start, open: &Open) -> Result<Vec<Frame>, ProverError> {
        let (params, count) = (&start.params, start.count);
        let (rows, legs) = (open.rows.iter().map(|at| at.gpu), open.legs.iter().map(|at| at.gpu));
        evenly("rows", rows, params.openings, count)?;
        evenly("legs", legs, params.legs, count)?;
        let mut shown = Vec::with_capacity(open.rows.len() + open.legs.len());
        for at in &open.rows {
            let opening = self.devices[usize::from(at.gpu)].open(at.round, at.row)?;
            shown.push(Frame::Row(Row { at: *at, block: opening.block, path: opening.path }));
        }
        for at in &open.legs {
            let leaves = self.devices[usize::from(at.gpu)].open_leg(at.walker, at.leg)?;
            shown.push(Frame::Segment(Segment { at: *at, leaves }));
        }
        self.state = State::AwaitBye;
        Ok(shown)
    }
}

/// What is asked for lies on the machine's `count` GPUs, `each` on each.
fn evenly(what: &'static str, gpus: impl Iterator<Item = u16>, each: u16, count: u16) -> Result<(), ProverError> {
    let mut asked = vec![0_u16; usize::from(count)];
    let uneven = ProverError::Openings { what, each, count };
    for gpu in gpus {
        let asked = asked.get_mut(usize::from(gpu)).ok_or_else(|| uneven.clone())?;
        *asked = asked.saturating_add(1);
    }
    if asked.iter().all(|asked| *asked == each) { Ok(()) } else { Err(uneven) }
}
