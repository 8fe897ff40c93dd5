//! 0x07 multiplication, 0x08 pairing, 0x09 *addition* of alt_bn128 points: addition sits where Ethereum has blake2,
//! because 0x06 is Dispatch (D2). Bad points fail and keep all gas.

use super::{PrecompileResult, error, output};
use evm::executor::stack::{PrecompileFailure, PrecompileHandle};
use substrate_bn::{AffineG1, AffineG2, Fq, Fq2, Fr, G1, G2, Group, Gt, pairing_batch};

fn word(input: &[u8], at: usize) -> [u8; 32] {
    let mut word = [0; 32];
    for (to, from) in word.iter_mut().zip(input.iter().skip(at)) {
        *to = *from;
    }
    word
}

fn field(input: &[u8], at: usize) -> Result<Fq, PrecompileFailure> {
    Fq::from_slice(&word(input, at)).map_err(|_| error("bn128: not a field element"))
}

fn point(input: &[u8], at: usize) -> Result<G1, PrecompileFailure> {
    let (x, y) = (field(input, at)?, field(input, at + 32)?);
    if x.is_zero() && y.is_zero() {
        return Ok(G1::zero());
    }
    AffineG1::new(x, y).map(Into::into).map_err(|_| error("bn128: not a point"))
}

fn twist_point(input: &[u8], at: usize) -> Result<G2, PrecompileFailure> {
    let [xi, x, yi, y] = [0, 32, 64, 96].map(|offset| field(input, at + offset));
    let (x, y) = (Fq2::new(x?, xi?), Fq2::new(y?, yi?));
    if x.is_zero() && y.is_zero() {
        return Ok(G2::zero());
    }
    AffineG2::new(x, y).map(Into::into).map_err(|_| error("bn128: not a point of the twist"))
}

fn encode(point: G1) -> PrecompileResult {
    let mut bytes = vec![0u8; 64];
    if let Some(affine) = AffineG1::from_jacobian(point) {
        let written = affine.x().to_big_endian(&mut bytes[..32]).and(affine.y().to_big_endian(&mut bytes[32..]));
        written.map_err(|_| error("bn128: cannot encode"))?;
    }
    output(bytes)
}

pub(super) fn add(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    handle.record_cost(150)?;
    encode(point(handle.input(), 0)? + point(handle.input(), 64)?)
}

pub(super) fn mul(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    handle.record_cost(6_000)?;
    let scalar = Fr::from_slice(&word(handle.input(), 64)).map_err(|_| error("bn128: not a scalar"))?;
    encode(point(handle.input(), 0)? * scalar)
}

pub(super) fn pairing(handle: &mut impl PrecompileHandle) -> PrecompileResult {
    const PAIR_BYTES: usize = 192;
    let length = handle.input().len();
    handle.record_cost(45_000 + 34_000 * (length / PAIR_BYTES) as u64)?;
    if !length.is_multiple_of(PAIR_BYTES) {
        return Err(error("bn128: input is no whole number of pairs"));
    }
    let pairs: Result<Vec<(G1, G2)>, PrecompileFailure> = (0..length)
        .step_by(PAIR_BYTES)
        .map(|at| Ok((point(handle.input(), at)?, twist_point(handle.input(), at + 64)?)))
        .collect();
    let mut answer = vec![0u8; 32];
    answer[31] = (pairing_batch(&pairs?) == Gt::one()).into();
    output(answer)
}
