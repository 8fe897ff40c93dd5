//! Every hard bound of the protocol. A value beyond one of these is refused before anything is allocated for it.

/// Version of the protocol in this crate; the first frame of each side carries it.
pub const PROTOCOL_VERSION: u16 = 2;

/// GPUs in one machine. The largest machines on offer hold 8; 16 leaves room for double-density boards.
pub const GPUS_MAX: u16 = 16;

/// K, the inner dimension: K·128·128 must stay below 2^31, so that an int32 accumulator cannot overflow.
pub const INNER_MAX: u32 = 1 << 16;

/// N, the columns of B and of every result.
pub const COLS_MAX: u32 = 1 << 15;

/// M, the rows of one round.
pub const ROWS_MAX: u32 = 1 << 16;

/// T, the rounds. 90 % of a 180 GB card in rounds of 64 MiB are below 2600.
pub const ROUNDS_MAX: u32 = 4096;

/// V, the secret vectors. Four give 2^-64 for each row.
pub const VECTORS_MAX: u8 = 8;

/// Rows opened in one session, over all GPUs: 16 GPUs with 32 rows each are 512.
pub const OPENED_ROWS_MAX: u16 = 1024;

/// Bytes of a leaf of the commitment tree: the chunk of BLAKE3, which is not a free choice.
pub const LEAF_BYTES: usize = 1024;

/// Bytes of an opened block: one row of [`COLS_MAX`] residues, which is larger than a leaf.
pub const BLOCK_BYTES_MAX: usize = 2 * COLS_MAX as usize;

/// W, the walkers of one GPU.
pub const WALKERS_MAX: u32 = 1 << 20;

/// H, the hops of one walker.
pub const HOPS_MAX: u32 = 1 << 24;

/// Bytes of all checkpoints of one GPU: a twentieth of the largest cards there are.
pub const CHECKPOINT_BYTES_MAX: u64 = 1 << 33;

/// Legs opened in one session, over all GPUs: 16 GPUs with 4 legs each are 64.
pub const OPENED_LEGS_MAX: u16 = 256;

/// Leaves in one opened leg: one for each of 32 hops, and those that hold the checkpoints at its ends.
pub const SEGMENT_LEAVES_MAX: usize = 34;

/// Hashes in one path: a round has at most 2^22 leaves, the checkpoints of a GPU 2^23.
pub const PATH_MAX: usize = 23;

/// Echo frames that measure the round trip, one after the other.
pub const ECHO_COUNT: u16 = 20;

/// Longest that a keeper may hold a machine back between two phases, so that others of its round catch up, in
/// milliseconds. No clock of the machine's runs meanwhile.
pub const HOLD_MAX_MS: u64 = 50_000;

/// Most that the round trip may be forgiven, in milliseconds: a far-away machine gains at most this much.
pub const RTT_CREDIT_MAX_MS: u64 = 150;

/// Frames in one transcript: hello, echoes, start, root, walk, open and farewell both ways, rows and legs.
pub const TRANSCRIPT_EVENTS_MAX: usize =
    10 + 2 * ECHO_COUNT as usize + OPENED_ROWS_MAX as usize + OPENED_LEGS_MAX as usize;

/// Bytes of one encoded transcript: the largest rows, legs and roots there can be, with room for headers.
pub const TRANSCRIPT_BYTES_MAX: usize = 96 << 20;
