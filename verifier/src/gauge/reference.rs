//! The answers to all questions, without memory, disk or threads: what would be read is generated again. For tests of
//! keepers, and to compare a second implementation with.

use super::CHUNK;
use super::content::{self, Content, Walk};
use super::wire::{Ask, Claims, Medium, Task};
use std::convert::Infallible;

/// A machine that says it has `claims` and keeps nothing.
#[derive(Clone, Debug)]
pub struct Echoing {
    claims: Claims,
    filled: Option<(Medium, u64, Content)>,
}

impl Echoing {
    /// With what it says it has.
    #[must_use]
    pub fn new(claims: Claims) -> Self {
        Self { claims, filled: None }
    }

    /// The right answer, after the byte that says that there is one; `payload` is what followed the question. None
    /// where a machine declines: nothing of that medium was filled last, or not as much.
    pub fn answer(&mut self, ask: &Ask, payload: &[u8]) -> Option<Vec<u8>> {
        let seed = &ask.seed;
        Some(match ask.task {
            Task::Claims => self.claims.encode(),
            Task::Echo => seed.to_vec(),
            Task::Steps { threads, each } => {
                let chain = |thread| always(content::chain(seed, thread, each, || Ok(())));
                encode((0..threads).flat_map(chain))
            }
            Task::Fill { medium, bytes } => {
                self.filled = Some((medium, bytes, Content::of(seed)));
                Vec::new()
            }
            Task::Read { medium, bytes } => {
                let (filled, content) = self.filled_with(medium)?;
                let sum = |number| {
                    let mut chunk = vec![0; CHUNK];
                    content.chunk(number, &mut chunk);
                    content::sum(content::start(seed, 0), &chunk)
                };
                (filled == bytes).then(|| encode((0..content::chunks(bytes)).map(sum)))?
            }
            Task::Scatter { writes } => {
                let (bytes, content) = self.filled_with(Medium::Disk)?;
                self.filled = Some((Medium::Disk, bytes, content.scattered(seed, writes, bytes)));
                Vec::new()
            }
            Task::Gather { medium, each } => {
                let (bytes, content) = self.filled_with(medium)?;
                let walk = Walk { medium, bytes, places: content.places(), each };
                let read = |block, out: &mut [u8]| {
                    content.block(medium, block, out);
                    Ok(())
                };
                encode(always(walk.all(content::start(seed, 0), read, || Ok(()))))
            }
            Task::Download { .. } => blake3::hash(payload).as_bytes().to_vec(),
            Task::Upload { bytes } => content::drawn(seed, bytes),
        })
    }

    fn filled_with(&self, medium: Medium) -> Option<(u64, Content)> {
        let (filled, bytes, content) = self.filled.as_ref()?;
        (*filled == medium).then(|| (*bytes, content.clone()))
    }
}

fn always<T>(done: Result<T, Infallible>) -> T {
    match done {
        Ok(done) => done,
    }
}

fn encode(words: impl IntoIterator<Item = u64>) -> Vec<u8> {
    words.into_iter().flat_map(u64::to_be_bytes).collect()
}
