//! The kernels' own source, played on the processor, is bit for bit the reference device, over sizes and edge shapes.
#![allow(unsafe_code, clippy::unwrap_used)]

use surety_cuda::card::{At, Block, Card, CardError};
use surety_cuda::check::{agree, edges, measure, random_size};
use surety_cuda::device::CardDevice;
use surety_cuda::kernel::{Argument, Kernel, NAMES};
use surety_cuda_emulated::{self as emulated, Memory, Variant};
use surety_verifier::classes::ClassId;
use surety_verifier::device::{Device, DeviceError, FillJob};
use surety_verifier::params::Params;
use surety_verifier::verdict::Verdict;

const SMALL: Params =
    Params { inner: 64, cols: 64, rows: 64, rounds: 3, vectors: 1, openings: 4, walkers: 16, hops: 512, legs: 8 };

/// A card whose threads are played.
#[derive(Debug)]
struct Played {
    variant: Variant,
    blocks: Vec<Memory>,
    bytes_left: u64,
}

impl Played {
    fn new(variant: Variant) -> Self {
        Self { variant, blocks: Vec::new(), bytes_left: 1 << 28 }
    }
}

impl Card for Played {
    fn reserve(&mut self, bytes: u64) -> Result<Block, CardError> {
        let left = self.bytes_left.checked_sub(bytes);
        self.bytes_left = left.ok_or(CardError::Memory { asked_mib: bytes >> 20, free_mib: self.bytes_left >> 20 })?;
        self.blocks.push(Memory::new(usize::try_from(bytes).unwrap()));
        Ok(Block(self.blocks.len() - 1))
    }

    fn run(&mut self, kernel: &Kernel) -> Result<(), CardError> {
        let launch = kernel.launch();
        let given: Vec<emulated::Argument<'_>> = launch
            .arguments
            .iter()
            .map(|argument| match argument {
                Argument::Key(key) => emulated::Argument::Key(&key.0),
                Argument::At(At { block, offset }) => emulated::Argument::At(&self.blocks[block.0], *offset),
                Argument::U32(number) => emulated::Argument::Number((*number).into()),
                Argument::U64(number) => emulated::Argument::Number(*number),
            })
            .collect();
        let index = NAMES.iter().position(|name| *name == launch.name).unwrap();
        let index = u32::try_from(index).unwrap();
        // SAFETY: blocks are as large as `Work` lays them out for these kernels, and this thread alone has them.
        assert!(unsafe { emulated::run(self.variant, index, launch.grid, launch.threads, &given) });
        Ok(())
    }

    fn read(&mut self, from: At, bytes: usize) -> Result<Vec<u8>, CardError> {
        let read = self.blocks[from.block.0].read(usize::try_from(from.offset).unwrap(), bytes);
        read.ok_or(CardError::Driver { what: "reading memory", why: "beyond its end".into() })
    }

    fn release(&mut self) {
        *self = Self::new(self.variant);
    }
}

fn job(params: Params, seed: u8) -> FillJob {
    assert_eq!(params.check(), Ok(()));
    FillJob { params, epoch_seed: [seed; 32], gpu_seed: [!seed; 32] }
}

const VARIANTS: [Variant; 2] = [Variant::Mma, Variant::Dp4a];

fn agrees(variant: Variant, params: Params, seed: u8) {
    assert_eq!(params.check(), Ok(()), "{params:?}");
    let mut card = CardDevice::new(Played::new(variant));
    assert_eq!(agree(&mut card, params, seed), Ok(()));
}

#[test]
fn a_card_does_what_the_reference_does_at_the_sizes_of_the_test_class() {
    let params = Params { rounds: 2, openings: 8, ..Params::cpu_small(1) };
    VARIANTS.into_iter().for_each(|variant| agrees(variant, params, 1));
}

#[test]
fn a_card_does_what_the_reference_does_at_every_edge() {
    for (seed, params) in (2..).zip(edges()) {
        VARIANTS.into_iter().for_each(|variant| agrees(variant, params, seed));
    }
}

#[test]
fn a_card_does_what_the_reference_does_at_random_sizes() {
    for number in 0..12 {
        let variant = VARIANTS[usize::try_from(number % 2).unwrap()];
        agrees(variant, random_size(number), u8::try_from(number).unwrap());
    }
}

#[test]
fn random_sizes_are_sizes_that_a_session_can_have() {
    (0..2_000).for_each(|number| assert_eq!(random_size(number).check(), Ok(()), "{number}"));
}

#[test]
fn a_whole_session_with_two_played_cards_is_proven() {
    let card = || Box::new(CardDevice::new(Played::new(Variant::Mma))) as Box<dyn Device>;
    let measured = measure(vec![card(), card()], ClassId::CPU_TEST, [9; 32]).unwrap();
    assert_eq!(measured.verdict, Verdict::Proven { class: ClassId::CPU_TEST, count: 2 });
    assert!(measured.bytes > 1 << 20, "{measured:?}");
}

#[test]
fn a_device_says_what_it_lacks_and_goes_on_with_the_next_job() {
    let mut device = CardDevice::new(Played::new(Variant::Mma));
    assert_eq!(device.finish(), Err(DeviceError::NotFilled));
    assert_eq!(device.open(0, 0), Err(DeviceError::NotFilled));
    assert_eq!(device.start_walk(1), Err(DeviceError::NotFilled));
    device.start(job(SMALL, 1)).unwrap();
    device.finish().unwrap();
    assert_eq!(device.finish_walk(), Err(DeviceError::NotWalked));
    assert_eq!(device.open_leg(0, 0), Err(DeviceError::NotWalked));
    assert_eq!(device.open(3, 0), Err(DeviceError::NoSuchRow { round: 3, row: 0 }));
    assert_eq!(device.open(0, 64), Err(DeviceError::NoSuchRow { round: 0, row: 64 }));
    device.start_walk(1).unwrap();
    device.finish_walk().unwrap();
    assert_eq!(device.open_leg(16, 0), Err(DeviceError::NoSuchLeg { walker: 16, leg: 0 }));
    assert_eq!(device.open_leg(0, 16), Err(DeviceError::NoSuchLeg { walker: 0, leg: 16 }));
    device.release();
    assert_eq!(device.open(0, 0), Err(DeviceError::NotFilled));
    device.start(job(SMALL, 2)).unwrap();
    let again = device.finish().unwrap();
    device.start(job(SMALL, 2)).unwrap();
    assert_eq!(device.finish().unwrap(), again, "a job started on a full card begins anew");
}

#[test]
fn a_card_with_too_little_memory_says_how_much_it_lacks() {
    let mut device = CardDevice::new(Played { bytes_left: 1 << 20, ..Played::new(Variant::Mma) });
    device.start(job(Params { rounds: 4_096, ..SMALL }, 1)).unwrap();
    let refused = device.finish().unwrap_err().to_string();
    assert!(refused.contains("32 MiB are asked for, the card has 1 MiB left"), "{refused}");
}
