//! The kernels' own source, played on the processor, is bit for bit the reference device, over sizes and edge shapes.
#![allow(unsafe_code, clippy::unwrap_used)]

use surety_cuda::card::{At, Block, Card, CardError};
use surety_cuda::device::CardDevice;
use surety_cuda::kernel::{Argument, Kernel, NAMES};
use surety_cuda_emulated::{self as emulated, Memory, Variant};
use surety_verifier::device::{CpuDevice, Device, DeviceError, FillJob};
use surety_verifier::params::Params;

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

/// Both devices do the same job; every root, row and leg that is looked at is the same.
fn agree(variant: Variant, params: Params, seed: u8) {
    let (mut card, mut reference) = (CardDevice::new(Played::new(variant)), CpuDevice::new());
    for device in [&mut card as &mut dyn Device, &mut reference] {
        device.start(job(params, seed)).unwrap();
    }
    let roots = card.finish().unwrap();
    assert_eq!(roots, reference.finish().unwrap(), "roots of {params:?}");
    for round in [0, params.rounds - 1] {
        for row in [0, 1, params.rows / 2, params.rows - 1] {
            assert_eq!(card.open(round, row), reference.open(round, row), "round {round}, row {row} of {params:?}");
        }
    }
    let word = 0x0123_4567_89ab_cdef ^ u64::from(seed);
    for device in [&mut card as &mut dyn Device, &mut reference] {
        device.start_walk(word).unwrap();
    }
    assert_eq!(card.finish_walk(), reference.finish_walk(), "walk of {params:?}");
    for walker in [0, params.walkers - 1] {
        for leg in [0, 1, params.legs_each() - 1].into_iter().filter(|leg| *leg < params.legs_each()) {
            let shown = card.open_leg(walker, leg);
            assert_eq!(shown, reference.open_leg(walker, leg), "walker {walker}, leg {leg} of {params:?}");
        }
    }
}

const VARIANTS: [Variant; 2] = [Variant::Mma, Variant::Dp4a];

#[test]
fn a_card_does_what_the_reference_does_at_the_sizes_of_the_test_class() {
    VARIANTS
        .into_iter()
        .for_each(|variant| agree(variant, Params { rounds: 2, openings: 8, ..Params::cpu_small(1) }, 1));
}

#[test]
fn products_smaller_than_a_tile_than_a_row_of_tiles_and_larger_than_one_are_right() {
    let shapes = [(64, 64, 16), (64, 128, 8), (128, 64, 64), (64, 512, 2), (64, 64, 256), (128, 256, 128)];
    for (seed, (inner, cols, rows)) in (2..).zip(shapes) {
        let params = Params { inner, cols, rows, rounds: 1, openings: 1, ..SMALL };
        VARIANTS.into_iter().for_each(|variant| agree(variant, params, seed));
    }
}

#[test]
fn blocks_of_one_leaf_and_of_several_and_trees_of_two_nodes_are_right() {
    let one_leaf = Params { cols: 512, rows: 2, openings: 1, ..SMALL };
    let several = Params { cols: 2_048, rows: 4, openings: 1, ..SMALL };
    let shared = Params { cols: 64, rows: 16, openings: 1, ..SMALL };
    [one_leaf, several, shared].into_iter().for_each(|params| agree(Variant::Mma, params, 11));
}

#[test]
fn walks_of_one_leg_of_two_walkers_and_of_more_walkers_than_a_block_has_threads_are_right() {
    let short = Params { walkers: 256, hops: 32, ..SMALL };
    let long = Params { walkers: 2, hops: 4_096, ..SMALL };
    let wide = Params { walkers: 1_024, hops: 64, ..SMALL };
    [short, long, wide].into_iter().for_each(|params| agree(Variant::Mma, params, 12));
}

#[test]
fn a_thousand_and_more_of_inner_dimension_run_through_both_halves_of_shared_memory() {
    let deep = Params { inner: 1_024, rows: 16, rounds: 1, openings: 1, ..SMALL };
    VARIANTS.into_iter().for_each(|variant| agree(variant, deep, 13));
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
