//! Checking one row of a product without computing it: secret vectors, and what the keeper prepares once an epoch.
//!
//! For a secret vector r, ⟨C_i, r⟩ = ⟨A_i, B·r⟩. The right side costs K multiplications once B·r is known, and B·r
//! is the same for a whole epoch. If a row differs from the right one in any residue, the difference d is not zero,
//! and ⟨d, r⟩ = 0 holds for exactly one in p of all r; V independent vectors leave p^-V (V = 4: 2^-64). This needs r
//! to be independent of d, that is: secret. So r comes from a key that nobody but the keeper ever has, and never from
//! E, which every machine learns. An answer tells a machine only pass or fail, so after q wrong rows the chance that
//! any has passed is at most q·p^-V; a failure rotates the key all the same.

use rayon::prelude::*;

use crate::Bytes32;
use crate::field::{Halved, Lowered, P, Terms};
use crate::matrix;
use crate::params::Params;
use crate::seed::{self, generator};
use rand_core::RngCore;

/// The public side of an epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Epoch {
    /// Hash of the block that the epoch starts with.
    #[serde(with = "crate::hexed")]
    pub block_hash: Bytes32,
    /// What the keeper committed to an epoch before.
    #[serde(with = "crate::hexed")]
    pub secret_commitment: Bytes32,
    /// E.
    #[serde(with = "crate::hexed")]
    pub seed: Bytes32,
}

impl Epoch {
    /// From the block's hash and the keeper's secret.
    #[must_use]
    pub fn new(block_hash: Bytes32, keeper_secret: &Bytes32) -> Self {
        Self {
            block_hash,
            secret_commitment: seed::secret_commitment(keeper_secret),
            seed: seed::epoch_seed(&block_hash, keeper_secret),
        }
    }

    /// Whether a secret, revealed after the epoch, is the one that was committed to and gives this E.
    #[must_use]
    pub fn opened_by(&self, keeper_secret: &Bytes32) -> bool {
        self.secret_commitment == seed::secret_commitment(keeper_secret)
            && self.seed == seed::epoch_seed(&self.block_hash, keeper_secret)
    }
}

/// What is wrong with an opened row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFault {
    /// An entry is 65521 or more: no residue at all.
    NotAResidue,
    /// The residues are not those of the product.
    WrongProduct,
}

/// What a keeper prepares once an epoch and keeps to itself: the secret vectors and their images under B.
pub struct EpochSecrets {
    epoch: Epoch,
    inner: u32,
    cols: u32,
    /// V vectors of N residues.
    vectors: Vec<Halved>,
    /// V images B·r of K residues.
    images: Vec<Lowered>,
}

impl std::fmt::Debug for EpochSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EpochSecrets").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}

impl EpochSecrets {
    /// Draws the vectors and streams B once: K·N·V multiplications (0.26 s on one core at full size).
    ///
    /// `keeper_secret` makes E and is revealed after the epoch; `vector_secret` is never revealed, must come from the
    /// operating system's randomness, and must be replaced after a failed check. `params` must have passed
    /// [`Params::check`].
    #[must_use]
    pub fn new(block_hash: Bytes32, keeper_secret: &Bytes32, vector_secret: &Bytes32, params: &Params) -> Self {
        Self::of(Epoch::new(block_hash, keeper_secret), vector_secret, params)
    }

    /// The same for an epoch whose E is known: what was measured then is checked again with other vectors. A right
    /// row passes whatever the vectors, a wrong one with probability p^-V, so this finds what its keeper found.
    ///
    /// `vector_secret` and `params` as for [`Self::new`].
    #[must_use]
    pub fn of(epoch: Epoch, vector_secret: &Bytes32, params: &Params) -> Self {
        let vectors = secret_vectors(vector_secret, params);
        let images = images(&epoch.seed, &vectors, params).iter().map(|image| Lowered::new(image)).collect();
        let vectors = vectors.iter().map(|vector| Halved::new(vector)).collect();
        Self { epoch, inner: params.inner, cols: params.cols, vectors, images }
    }

    /// The public side.
    #[must_use]
    pub fn epoch(&self) -> &Epoch {
        &self.epoch
    }

    /// Whether these were prepared for this epoch and these sizes.
    #[must_use]
    pub fn fit(&self, epoch: &Epoch, params: &Params) -> bool {
        self.epoch == *epoch
            && self.inner == params.inner
            && self.cols == params.cols
            && self.vectors.len() == usize::from(params.vectors)
    }

    /// Checks a row of residues against the row of A that it must come from. A right row always passes; any other
    /// passes with probability p^-V.
    ///
    /// # Errors
    /// What is wrong with the row.
    pub fn check_row(&self, a: &[i8], residues: &[u16]) -> Result<(), RowFault> {
        if residues.iter().any(|residue| *residue >= P) {
            return Err(RowFault::NotAResidue);
        }
        let (a, residues) = (Terms::new(a), Lowered::new(residues));
        let mut pairs = self.vectors.iter().zip(&self.images);
        if pairs.all(|(vector, image)| vector.dot(&residues) == a.dot(image)) {
            return Ok(());
        }
        Err(RowFault::WrongProduct)
    }
}

/// The V secret vectors of N residues that a vector secret gives. As secret as their input.
#[must_use]
pub fn secret_vectors(vector_secret: &Bytes32, params: &Params) -> Vec<Vec<u16>> {
    let key = seed::vectors_key(vector_secret);
    (0..params.vectors).map(|index| secret_vector(&key, index, params.cols)).collect()
}

/// Stream `index`: little-endian u16 draws; those of 65521 and above are thrown away.
fn secret_vector(key: &Bytes32, index: u8, cols: u32) -> Vec<u16> {
    let mut generator = generator(key, u64::from(index));
    let mut vector = Vec::with_capacity(cols as usize);
    while vector.len() < cols as usize {
        let mut block = [0; 64];
        generator.fill_bytes(&mut block);
        let draws = block.as_chunks::<2>().0.iter().map(|pair| u16::from_le_bytes(*pair));
        vector.extend(draws.filter(|draw| *draw < P));
    }
    vector.truncate(cols as usize);
    vector
}

/// The images B·r of vectors of N residues: as many vectors of K residues. As secret as the vectors.
#[must_use]
pub fn images(epoch_seed: &Bytes32, vectors: &[Vec<u16>], params: &Params) -> Vec<Vec<u16>> {
    let b_key = seed::matrix_b_key(epoch_seed);
    let vectors: Vec<Lowered> = vectors.iter().map(|vector| Lowered::new(vector)).collect();
    let by_row: Vec<Vec<u16>> = (0..params.inner)
        .into_par_iter()
        .map(|index| matrix::row(&b_key, index, params.cols))
        .map(|row| Terms::new(&row))
        .map(|row| vectors.iter().map(|vector| row.dot(vector)).collect())
        .collect();
    (0..vectors.len()).map(|v| by_row.iter().map(|row| row[v]).collect()).collect()
}
