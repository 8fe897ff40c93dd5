//! NVIDIA's driver as a [`Card`]: everything that knows CUDA, and all unsafe code.
//!
//! The driver's library is loaded when it is first asked for, and need not be there. Nothing that a card says of itself
//! is believed by a keeper; names and sizes here are for the machine's owner.
#![allow(unsafe_code)]

use std::sync::Arc;

use crate::card::{At, Block, Card, CardError};
use crate::kernel::{Argument, Kernel, Key, NAMES};
use cudarc::driver::result::{device, init};
use cudarc::driver::sys::{self, CUdevice_attribute};
use cudarc::driver::{
    CudaContext, CudaFunction, CudaSlice, CudaStream, DevicePtr, DeviceRepr, DriverError, LaunchConfig, PushKernelArg,
};
use cudarc::nvrtc::Ptx;

/// For cards of compute capability 8.0 and newer: `mma.sync` on int8, copies that do not wait.
const PTX_80: &str = include_str!("../kernels/surety.sm_80.ptx");

/// For older ones, down to 6.1: `dp4a`.
const PTX_61: &str = include_str!("../kernels/surety.sm_61.ptx");

/// Oldest driver that takes this PTX (version 8.0): CUDA 12.0, drivers from 525 on.
const DRIVER_MIN: i32 = 12_000;

// SAFETY: 32 bytes without padding, which the kernels take by value as a struct of eight u32.
unsafe impl DeviceRepr for Key {}

/// Why there are no cards to be had.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoCards {
    /// The driver's library is not there.
    #[error("no NVIDIA driver here (libcuda.so.1 cannot be loaded): install the driver, version 525 or newer")]
    NoDriver,
    /// The driver is older than the kernels.
    #[error("the NVIDIA driver speaks CUDA {major}.{minor}, 12.0 is needed: install driver version 525 or newer")]
    OldDriver {
        /// Of the version that it speaks.
        major: i32,
        /// Of the version that it speaks.
        minor: i32,
    },
    /// The driver failed; the text is its own.
    #[error("the NVIDIA driver failed: {0}")]
    Failed(String),
}

/// What a card says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// Its number.
    pub ordinal: usize,
    /// Its name.
    pub name: String,
    /// Its UUID, as NVIDIA's own tools write it.
    pub uuid: String,
    /// Its compute capability, as in (8, 9).
    pub capability: (i32, i32),
    /// Bytes of memory that a program sees.
    pub memory_bytes: u64,
    /// Whether its memory corrects errors: it costs some of it, and without it a wrong bit is the card's own risk.
    pub has_ecc: bool,
    /// Whether it is a part of a card (MIG), which is no card of any class.
    pub is_slice: bool,
}

/// How many cards there are, once it is certain that asking will not panic.
fn count() -> Result<usize, NoCards> {
    // SAFETY: looks for the library and loads it; nothing else of it is called where it is not there.
    if !unsafe { sys::is_culib_present() } {
        return Err(NoCards::NoDriver);
    }
    match init() {
        // The driver works, and there is no card for it.
        Err(DriverError(sys::CUresult::CUDA_ERROR_NO_DEVICE)) => return Ok(0),
        initialised => initialised.map_err(failed)?,
    }
    let mut version = 0;
    // SAFETY: writes one int to the address given.
    unsafe { sys::cuDriverGetVersion(&raw mut version) }.result().map_err(failed)?;
    if version < DRIVER_MIN {
        return Err(NoCards::OldDriver { major: version / 1_000, minor: version % 1_000 / 10 });
    }
    let count = device::get_count().map_err(failed)?;
    Ok(usize::try_from(count).unwrap_or_default())
}

/// All cards there are, as they describe themselves; none where the driver works and sees none.
///
/// # Errors
/// When there is no driver that could be asked.
pub fn cards() -> Result<Vec<Described>, NoCards> {
    (0..count()?).map(|ordinal| describe(ordinal).map_err(failed)).collect()
}

fn failed(error: DriverError) -> NoCards {
    NoCards::Failed(words(error))
}

/// Without a context on the card, which would take memory from whoever is using it.
fn describe(ordinal: usize) -> Result<Described, DriverError> {
    let card = device::get(i32::try_from(ordinal).unwrap_or(i32::MAX))?;
    let name = device::get_name(card)?;
    let uuid = device::get_uuid(card)?.bytes.map(i8::cast_unsigned);
    // SAFETY: the device is one that the driver has just given.
    let asked = |attribute| unsafe { device::get_attribute(card, attribute) };
    // SAFETY: as above.
    let memory_bytes = unsafe { device::total_mem(card) }? as u64;
    let major = asked(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)?;
    let minor = asked(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR)?;
    let has_ecc = asked(CUdevice_attribute::CU_DEVICE_ATTRIBUTE_ECC_ENABLED)? != 0;
    let (capability, is_slice) = ((major, minor), name.contains("MIG"));
    Ok(Described { ordinal, name, uuid: spelled(&uuid), capability, memory_bytes, has_ecc, is_slice })
}

/// As NVIDIA's own tools write it: `GPU-` and 8, 4, 4, 4 and 12 digits.
fn spelled(uuid: &[u8; 16]) -> String {
    let digits: String = uuid.iter().map(|byte| format!("{byte:02x}")).collect();
    let parts = [&digits[..8], &digits[8..12], &digits[12..16], &digits[16..20], &digits[20..]];
    format!("GPU-{}", parts.join("-"))
}

/// One card, with the kernels on it.
pub struct DriverCard {
    context: Arc<CudaContext>,
    stream: Arc<CudaStream>,
    kernels: Vec<CudaFunction>,
    blocks: Vec<CudaSlice<u8>>,
}

impl std::fmt::Debug for DriverCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DriverCard").field("ordinal", &self.context.ordinal()).finish_non_exhaustive()
    }
}

impl DriverCard {
    /// Card number `ordinal`. The driver compiles the kernels for it, which takes a second the first time.
    ///
    /// # Errors
    /// When there is no driver, or the card or the driver refuses.
    pub fn open(ordinal: usize) -> Result<Self, NoCards> {
        count()?;
        let context = CudaContext::new(ordinal).map_err(failed)?;
        let (major, _) = context.compute_capability().map_err(failed)?;
        let ptx = if major >= 8 { PTX_80 } else { PTX_61 };
        let module = context.load_module(Ptx::from_src(ptx)).map_err(failed)?;
        let kernels: Result<Vec<_>, _> = NAMES.iter().map(|name| module.load_function(name)).collect();
        let stream = context.new_stream().map_err(failed)?;
        Ok(Self { context, stream, kernels: kernels.map_err(failed)?, blocks: Vec::new() })
    }

    fn pointer(&self, at: At) -> Result<u64, CardError> {
        let outside = CardError::Driver { what: "finding memory", why: "no such block, or beyond its end".into() };
        let block = self.blocks.get(at.block.0).ok_or(outside.clone())?;
        if at.offset >= block.num_bytes() as u64 {
            return Err(outside);
        }
        let (pointer, _guard) = block.device_ptr(&self.stream);
        Ok(pointer + at.offset)
    }
}

/// An argument as the driver copies it.
enum Passed {
    Key(Key),
    Small(u32),
    Large(u64),
}

impl Card for DriverCard {
    fn reserve(&mut self, bytes: u64) -> Result<Block, CardError> {
        let refused = driver("reserving memory");
        let (free, _) = self.context.mem_get_info().map_err(&refused)?;
        if bytes > free as u64 {
            return Err(CardError::Memory { asked_mib: bytes >> 20, free_mib: free as u64 >> 20 });
        }
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        // SAFETY: kernels write all of a block before any reads it: that is what `Work` lays out, and tests compare.
        let block = unsafe { self.stream.alloc::<u8>(bytes) }.map_err(&refused)?;
        self.blocks.push(block);
        Ok(Block(self.blocks.len() - 1))
    }

    fn run(&mut self, kernel: &Kernel) -> Result<(), CardError> {
        let launch = kernel.launch();
        let index = NAMES.iter().position(|name| *name == launch.name).unwrap_or_default();
        let passed: Result<Vec<Passed>, CardError> = launch
            .arguments
            .iter()
            .map(|argument| {
                Ok(match *argument {
                    Argument::Key(key) => Passed::Key(key),
                    Argument::At(at) => Passed::Large(self.pointer(at)?),
                    Argument::U32(number) => Passed::Small(number),
                    Argument::U64(number) => Passed::Large(number),
                })
            })
            .collect();
        let passed = passed?;
        let mut builder = self.stream.launch_builder(&self.kernels[index]);
        for argument in &passed {
            match argument {
                Passed::Key(key) => builder.arg(key),
                Passed::Small(number) => builder.arg(number),
                Passed::Large(number) => builder.arg(number),
            };
        }
        let (grid_dim, block_dim) = ((launch.grid.0, launch.grid.1, 1), (launch.threads, 1, 1));
        // SAFETY: arguments are those of the kernel in number, order and size (`Kernel::launch`, which the tests run
        // against the same source); pointers lie in blocks that are held; sizes come from checked parameters.
        unsafe { builder.launch(LaunchConfig { grid_dim, block_dim, shared_mem_bytes: 0 }) }
            .map(drop)
            .map_err(driver("starting a kernel"))
    }

    fn read(&mut self, from: At, bytes: usize) -> Result<Vec<u8>, CardError> {
        let refused = driver("reading memory");
        let outside = CardError::Driver { what: "reading memory", why: "beyond the end of its block".into() };
        let block = self.blocks.get(from.block.0).ok_or(outside.clone())?;
        let start = usize::try_from(from.offset).unwrap_or(usize::MAX);
        let end = start.checked_add(bytes).ok_or(outside.clone())?;
        let view = block.try_slice(start..end).ok_or(outside)?;
        let read = self.stream.clone_dtoh(&view).map_err(&refused)?;
        self.stream.synchronize().map_err(&refused)?;
        Ok(read)
    }

    fn release(&mut self) {
        self.blocks.clear();
        // Memory is given back in the stream's own time, and what is reserved next is to find it. If this fails, that
        // says so.
        self.stream.synchronize().ok();
    }
}

fn driver(what: &'static str) -> impl Fn(DriverError) -> CardError {
    move |error| CardError::Driver { what, why: words(error) }
}

/// The driver's own name for an error; asking it for the words may fail too.
fn words(error: DriverError) -> String {
    let text = error.error_string().ok().and_then(|text| text.to_str().ok()).map(str::to_owned);
    text.unwrap_or_else(|| format!("{error:?}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use sha2::{Digest, Sha256};

    /// On a machine with a driver this shows its cards; on any other, that nothing panics and what to do is said.
    #[test]
    fn a_machine_without_a_driver_is_told_what_to_install() {
        match cards() {
            Ok(cards) => cards.iter().for_each(|card| assert!(card.memory_bytes > 0, "{card:?}")),
            Err(NoCards::NoDriver) => {
                assert!(NoCards::NoDriver.to_string().contains("install the driver, version 525"));
                assert_eq!(DriverCard::open(0).err(), Some(NoCards::NoDriver));
            }
            Err(other) => assert!(!other.to_string().is_empty()),
        }
        assert_eq!(spelled(&[0xab; 16]), "GPU-abababab-abab-abab-abab-abababababab");
        assert!(NoCards::OldDriver { major: 11, minor: 4 }.to_string().contains("speaks CUDA 11.4, 12.0 is needed"));
    }

    /// What the compiler makes of them is checked by `scripts/ptx --check`; this needs no compiler.
    #[test]
    fn the_programs_were_compiled_from_the_source_as_it_is() {
        let source = [&include_bytes!("../kernels/surety.cu")[..], include_bytes!("../kernels/platform.h")].concat();
        let digest: String = Sha256::digest(&source).iter().map(|byte| format!("{byte:02x}")).collect();
        for ptx in [PTX_80, PTX_61] {
            let first = ptx.lines().next();
            let says = format!("// sha256 of surety.cu and platform.h: {digest}");
            assert_eq!(first, Some(&*says), "run scripts/ptx");
        }
    }

    #[test]
    fn every_kernel_is_in_both_programs_with_the_arguments_it_is_given() {
        for ptx in [PTX_80, PTX_61] {
            for name in NAMES {
                assert!(ptx.contains(&format!(".visible .entry {name}(")), "{name}");
            }
        }
        assert!(PTX_80.contains("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32") && PTX_80.contains("cp.async"));
        assert!(PTX_61.contains("dp4a.s32.s32") && !PTX_61.contains("mma.sync"));
    }
}
