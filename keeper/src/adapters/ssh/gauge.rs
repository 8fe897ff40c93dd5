//! Soft figures of a machine: the keeper logs in as for a measurement, asks for work on processors, memory, disk and
//! line, and times the answers. Nothing here is a fault, and a machine that hangs up has fewer figures.

use super::measure::{log_in, unreached};
use super::pinned::{self, Bounds};
use super::{KeeperKey, SshLimits, bounded};
use russh::client::Msg;
use russh::{Channel, ChannelMsg};
use std::time::Duration;
use surety_core::types::{Endpoint, MachineId};
use surety_verifier::Bytes32;
use surety_verifier::gauge::wire::{DECLINED, DONE};
use surety_verifier::gauge::{Ask, Figures, Gauge, MAGIC, Sizes, Wrong};
use tokio::time::{Instant, timeout, timeout_at};

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub struct GaugeTarget {
    /// Where.
    pub endpoint: Endpoint,
    /// The host key it must present.
    pub machine: MachineId,
    /// How much is asked for.
    pub sizes: Sizes,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gauged {
    /// What was measured.
    pub figures: Figures,
    /// Why it ended before everything was asked, if it did.
    pub ended: Option<String>,
}

/// All questions together; a machine answers them in some 10 to 20 s, one with 512 GiB of memory in a minute.
const ALL_MAX: Duration = Duration::from_secs(240);

/// An upload of 16 MiB, two answers of at most 1 MiB, and what SSH adds.
const BYTES_MAX: u64 = 24 << 20;

/// One conversation. `secret` is 32 bytes of fresh randomness.
pub async fn gauge(
    target: &GaugeTarget,
    keeper_user: &str,
    secret: Bytes32,
    key: &KeeperKey,
    limits: &SshLimits,
) -> Gauged {
    let deadline = Instant::now() + limits.login_deadline + ALL_MAX;
    let bounds = Bounds { deadline, bytes_max: BYTES_MAX, keep_max: 0 };
    let mut machine = match pinned::open(target.endpoint, target.machine, limits, bounds).await {
        Ok(machine) => machine,
        Err(seen) => return nothing(&unreached(&seen)),
    };
    let gauged = match timeout(limits.login_deadline, log_in(&mut machine, keeper_user, key)).await {
        Ok(Ok(channel)) => {
            let mut talk = Talk { channel, heard: Vec::new(), gauge: Some(Gauge::new(secret, target.sizes)) };
            let ended = match timeout_at(deadline, talk.run()).await {
                Ok(ended) => ended.err(),
                Err(_) => Some("the time for soft figures has passed".to_owned()),
            };
            let figures = talk.gauge.map(|gauge| *gauge.figures()).unwrap_or_default();
            Gauged { figures, ended: ended.map(|why| bounded(&why)) }
        }
        Ok(Err(why)) => nothing(&why),
        Err(_) => nothing("no session within the time for a log-in"),
    };
    machine.leave().await;
    gauged
}

fn nothing(why: &str) -> Gauged {
    Gauged { figures: Figures::default(), ended: Some(bounded(why)) }
}

struct Talk {
    channel: Channel<Msg>,
    /// Bytes that came and were not taken yet.
    heard: Vec<u8>,
    /// None while a thread has it, and for good when that thread died.
    gauge: Option<Gauge>,
}

impl Talk {
    async fn run(&mut self) -> Result<(), String> {
        self.send(MAGIC.to_vec()).await?;
        while let Some((ask, payload)) = self.on_thread(|gauge| gauge.ask().map(|ask| (ask, gauge.payload()))).await? {
            let began = Instant::now();
            let answering = timeout(Duration::from_millis(ask.task.allowed_ms()), self.put(&ask, payload));
            let answer = answering.await.map_err(|_| format!("no answer in time to {:?}", ask.task))??;
            let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
            let taken = self.on_thread(move |gauge| take(gauge, answer, took_us)).await?;
            taken.map_err(|wrong| wrong.to_string())?;
        }
        Ok(())
    }

    /// Puts a question and reads its answer; None when the machine declines.
    async fn put(&mut self, ask: &Ask, payload: Vec<u8>) -> Result<Option<Vec<u8>>, String> {
        self.send([&ask.encode()[..], &payload].concat()).await?;
        match self.read(1).await?[..] {
            [DONE] => self.read(ask.task.answer_bytes()).await.map(Some),
            [DECLINED] => Ok(None),
            _ => Err("the answer is none".to_owned()),
        }
    }

    async fn send(&self, bytes: Vec<u8>) -> Result<(), String> {
        self.channel.data_bytes(bytes).await.map_err(|error| format!("a question was not sent: {error}"))
    }

    /// Exactly so many bytes. What comes unasked is bounded with all else that the machine sends.
    async fn read(&mut self, count: usize) -> Result<Vec<u8>, String> {
        while self.heard.len() < count {
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => self.heard.extend_from_slice(&data),
                Some(ChannelMsg::Eof | ChannelMsg::Close | ChannelMsg::Failure) | None => {
                    return Err("the machine hung up: it is busy, was measured lately, or knows nothing of this".into());
                }
                Some(_) => {}
            }
        }
        let rest = self.heard.split_off(count);
        Ok(std::mem::replace(&mut self.heard, rest))
    }

    /// Generating and checking take up to half a second: not on an async thread.
    async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Gauge) -> T + Send + 'static,
    ) -> Result<T, String> {
        let mut gauge = self.gauge.take().ok_or("the measurement died")?;
        let working = tokio::task::spawn_blocking(move || {
            let done = work(&mut gauge);
            (gauge, done)
        });
        let (gauge, done) = working.await.map_err(|error| format!("the measurement died: {error}"))?;
        self.gauge = Some(gauge);
        Ok(done)
    }
}

fn take(gauge: &mut Gauge, answer: Option<Vec<u8>>, took_us: u64) -> Result<(), Wrong> {
    match answer {
        Some(answer) => gauge.answered(&answer, took_us),
        None => {
            gauge.declined();
            Ok(())
        }
    }
}
