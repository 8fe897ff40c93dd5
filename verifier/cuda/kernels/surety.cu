// What a card does in a measurement: matrices from seeds, their product as residues, the BLAKE3 trees over it, the walk.
// PROTOCOL.md says what each number means; `surety_verifier` computes the same on a processor, bit for bit.
//
// This is plain C but for what `platform.h` names, so that one source is compiled twice: by NVRTC to the PTX beside it
// (`scripts/ptx`), and by the tests as C, where one processor plays every thread of every block (`emulated/`).
#ifdef SURETY_EMULATED
#include "emulate.h"
#else
#include "platform.h"
#endif

// ---------------------------------------------------------------------------------------------------------------------
// ChaCha8: the generator. A block of 64 bytes is a function of key, stream and counter, so blocks are computed apart.

#define ROTATE(x, n) (((x) << (n)) | ((x) >> (32 - (n))))
#define QUARTER(a, b, c, d)                                                                                             \
    a += b; d = ROTATE(d ^ a, 16);                                                                                      \
    c += d; b = ROTATE(b ^ c, 12);                                                                                      \
    a += b; d = ROTATE(d ^ a, 8);                                                                                       \
    c += d; b = ROTATE(b ^ c, 7);

typedef struct {
    u32 word[8];
} Key;

// 16 bytes that are read or written at once.
typedef struct ALIGN_16 {
    u32 word[4];
} Quad;
typedef struct ALIGN_16 {
    u64 low, high;
} Pair;

DEVICE void read_block(const Quad *from, u32 block[16]) {
    UNROLL
    for (int i = 0; i < 4; i++) {
        Quad quad = from[i];
        UNROLL
        for (int j = 0; j < 4; j++) block[4 * i + j] = quad.word[j];
    }
}

DEVICE void write_block(Quad *to, const u32 block[16]) {
    UNROLL
    for (int i = 0; i < 4; i++) {
        Quad quad;
        UNROLL
        for (int j = 0; j < 4; j++) quad.word[j] = block[4 * i + j];
        to[i] = quad;
    }
}

// Block `counter` of stream `stream`: 16 words, which lie in memory as they are here (little-endian).
DEVICE void chacha8(const Key *key, u32 counter, u32 stream, u32 out[16]) {
    u32 initial[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, key->word[0], key->word[1],
                       key->word[2], key->word[3], key->word[4], key->word[5], key->word[6], key->word[7],
                       counter, 0, stream, 0};
    UNROLL
    for (int i = 0; i < 16; i++) out[i] = initial[i];
    UNROLL
    for (int i = 0; i < 4; i++) {
        QUARTER(out[0], out[4], out[8], out[12])
        QUARTER(out[1], out[5], out[9], out[13])
        QUARTER(out[2], out[6], out[10], out[14])
        QUARTER(out[3], out[7], out[11], out[15])
        QUARTER(out[0], out[5], out[10], out[15])
        QUARTER(out[1], out[6], out[11], out[12])
        QUARTER(out[2], out[7], out[8], out[13])
        QUARTER(out[3], out[4], out[9], out[14])
    }
    UNROLL
    for (int i = 0; i < 16; i++) out[i] += initial[i];
}

// `rows` rows of `row_blocks` times 64 bytes, one after the other: A. One thread a block of 64 bytes.
KERNEL surety_rows(Key key, u32 rows, u32 row_blocks, Quad *out) {
    u64 at = (u64)BLOCK_X * THREADS_X + THREAD_X;
    if (at >= (u64)rows * row_blocks) return;
    u32 words[16];
    chacha8(&key, (u32)(at % row_blocks), (u32)(at / row_blocks), words);
    write_block(out + 4 * at, words);
}

// The transpose of `rows` rows of `columns` bytes: B as the product reads it. 64 threads take a square of 64 by 64
// bytes: each generates 64 bytes of one row, and writes 64 bytes of one column.
KERNEL surety_columns(Key key, u32 rows, u8 *out) {
    SHARED u32 square[64][17];
    u32 row = 64 * BLOCK_X + THREAD_X, column = 64 * BLOCK_Y + THREAD_X;
    u32 words[16];
    chacha8(&key, BLOCK_Y, row, words);
    UNROLL
    for (int i = 0; i < 16; i++) square[THREAD_X][i] = words[i];
    SYNC_BLOCK();
    u32 word = THREAD_X / 4, shift = 8 * (THREAD_X % 4);
    UNROLL
    for (int i = 0; i < 16; i++) {
        words[i] = 0;
        UNROLL
        for (int j = 0; j < 4; j++) words[i] |= ((square[4 * i + j][word] >> shift) & 0xff) << (8 * j);
    }
    write_block((Quad *)(out + (u64)column * rows + 64 * BLOCK_X), words);
}

// ---------------------------------------------------------------------------------------------------------------------
// The product. A block of 256 threads computes 128 by 128 sums, 64 of K at a time, and leaves their residues.

#define TILE 128
#define DEPTH 64
// Bytes from row to row in shared memory: 20 words, so that the 8 rows and 4 words that a warp reads at once lie in 32
// different banks.
#define STRIDE 80

// a mod 65521, 0 to 65520.
DEVICE u32 residue(int a) {
    int r = a % 65521;
    return (u32)(r < 0 ? r + 65521 : r);
}

// Two neighbouring residues at an even column.
DEVICE void store_pair(u16 *out, u32 rows, u32 columns, u32 row, u32 column, int first, int second) {
    if (row < rows && column < columns)
        *(u32 *)(out + (u64)row * columns + column) = residue(first) | (residue(second) << 16);
}

// 64 bytes of each of 128 rows into shared memory, zeros beyond `rows`. Each thread copies twice 16 bytes.
DEVICE void load_tile(u8 tile[TILE][STRIDE], const u8 *from, u32 first, u32 rows, u32 inner, u32 at) {
    UNROLL
    for (u32 piece = THREAD_X; piece < TILE * 4; piece += 256) {
        u32 row = piece / 4, column = 16 * (piece % 4);
        u32 inside = first + row < rows;
        const u8 *source = from + (u64)(inside ? first + row : 0) * inner + at + column;
        COPY_16(&tile[row][column], source, inside);
    }
}

#if SURETY_MMA
// Warps stand two by four over the tile, 64 by 32 sums each: four by four products of 16 by 8 sums.
DEVICE void multiply_tile(u8 a[TILE][STRIDE], u8 b[TILE][STRIDE], int sums[4][4][4]) {
    u32 lane = THREAD_X % 32, warp = THREAD_X / 32;
    u32 row = 64 * (warp / 4) + lane / 4, column = 32 * (warp % 4) + lane / 4, four = 4 * (lane % 4);
    UNROLL
    for (u32 depth = 0; depth < DEPTH; depth += 32) {
        u32 left[4][4], right[4][2];
        UNROLL
        for (int i = 0; i < 4; i++) {
            left[i][0] = *(u32 *)&a[row + 16 * i][depth + four];
            left[i][1] = *(u32 *)&a[row + 16 * i + 8][depth + four];
            left[i][2] = *(u32 *)&a[row + 16 * i][depth + four + 16];
            left[i][3] = *(u32 *)&a[row + 16 * i + 8][depth + four + 16];
            right[i][0] = *(u32 *)&b[column + 8 * i][depth + four];
            right[i][1] = *(u32 *)&b[column + 8 * i][depth + four + 16];
        }
        UNROLL
        for (int i = 0; i < 4; i++) {
            UNROLL
            for (int j = 0; j < 4; j++) MMA_16_8_32(sums[i][j], left[i], right[j]);
        }
    }
}

DEVICE void store_tile(int sums[4][4][4], u16 *out, u32 rows, u32 columns, u32 first_row, u32 first_column) {
    u32 lane = THREAD_X % 32, warp = THREAD_X / 32;
    u32 row = first_row + 64 * (warp / 4) + lane / 4, column = first_column + 32 * (warp % 4) + 2 * (lane % 4);
    UNROLL
    for (int i = 0; i < 4; i++) {
        UNROLL
        for (int j = 0; j < 4; j++) {
            store_pair(out, rows, columns, row + 16 * i, column + 8 * j, sums[i][j][0], sums[i][j][1]);
            store_pair(out, rows, columns, row + 16 * i + 8, column + 8 * j, sums[i][j][2], sums[i][j][3]);
        }
    }
}
#else
// Threads stand 16 by 16 over the tile. Each has 8 rows, 16 apart, and 8 neighbouring columns.
DEVICE void multiply_tile(u8 a[TILE][STRIDE], u8 b[TILE][STRIDE], int sums[4][4][4]) {
    u32 row = THREAD_X / 16, column = THREAD_X % 16;
    for (u32 depth = 0; depth < DEPTH; depth += 4) {
        u32 left[8], right[8];
        UNROLL
        for (int i = 0; i < 8; i++) {
            left[i] = *(u32 *)&a[row + 16 * i][depth];
            right[i] = *(u32 *)&b[8 * column + i][depth];
        }
        UNROLL
        for (int i = 0; i < 8; i++) {
            UNROLL
            for (int j = 0; j < 8; j++) {
                int *sum = &sums[i / 2][2 * (i % 2) + j / 4][j % 4];
                DOT_4(*sum, left[i], right[j]);
            }
        }
    }
}

DEVICE void store_tile(int sums[4][4][4], u16 *out, u32 rows, u32 columns, u32 first_row, u32 first_column) {
    u32 row = first_row + THREAD_X / 16, column = first_column + 8 * (THREAD_X % 16);
    UNROLL
    for (int i = 0; i < 8; i++) {
        UNROLL
        for (int j = 0; j < 8; j += 2) {
            int *pair = &sums[i / 2][2 * (i % 2) + j / 4][j % 4];
            store_pair(out, rows, columns, row + 16 * i, column + j, pair[0], pair[1]);
        }
    }
}
#endif

// out[i][j] = sum of a[i][k] * b[j][k] over k, mod 65521. `inner` is a multiple of 64, `columns` of 2. |sum| < 2^31.
KERNEL surety_multiply(const u8 *a, const u8 *b, u16 *out, u32 rows, u32 columns, u32 inner) {
    SHARED u8 left[2][TILE][STRIDE];
    SHARED u8 right[2][TILE][STRIDE];
    int sums[4][4][4];
    UNROLL
    for (int i = 0; i < 64; i++) sums[i / 16][i / 4 % 4][i % 4] = 0;
    u32 first_row = TILE * BLOCK_Y, first_column = TILE * BLOCK_X;
    load_tile(left[0], a, first_row, rows, inner, 0);
    load_tile(right[0], b, first_column, columns, inner, 0);
    COPY_COMMIT();
    u32 now = 0;
    for (u32 at = 0; at < inner; at += DEPTH) {
        // The next piece is on its way while this one is worked on.
        if (at + DEPTH < inner) {
            load_tile(left[1 - now], a, first_row, rows, inner, at + DEPTH);
            load_tile(right[1 - now], b, first_column, columns, inner, at + DEPTH);
        }
        COPY_COMMIT();
        COPY_WAIT_ALL_BUT_1();
        SYNC_BLOCK();
        multiply_tile(left[now], right[now], sums);
        SYNC_BLOCK();
        now = 1 - now;
    }
    store_tile(sums, out, rows, columns, first_row, first_column);
}

// ---------------------------------------------------------------------------------------------------------------------
// BLAKE3 in key-derivation mode: leaves of 1 KiB, then pairs.

#define CHUNK_START 1
#define CHUNK_END 2
#define PARENT 4
#define ROOT 8
#define DERIVE_KEY_MATERIAL 64

#define MIX(a, b, c, d, x, y)                                                                                           \
    a += b + (x); d = ROTATE(d ^ a, 16);                                                                                \
    c += d; b = ROTATE(b ^ c, 20);                                                                                      \
    a += b + (y); d = ROTATE(d ^ a, 24);                                                                                \
    c += d; b = ROTATE(b ^ c, 25);

// Rotations to the right by 12, 8 and 7 are those to the left by 20, 24 and 25.
DEVICE void compress(u32 chain[8], const u32 block[16], u32 counter, u32 length, u32 flags) {
    static const u8 ORDER[7][16] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8},
        {3, 4, 10, 12, 13, 2, 7, 14, 6, 5, 9, 0, 11, 15, 8, 1}, {10, 7, 12, 9, 14, 3, 13, 15, 4, 0, 11, 2, 5, 8, 1, 6},
        {12, 13, 9, 11, 15, 10, 14, 8, 7, 2, 5, 3, 0, 1, 6, 4}, {9, 14, 11, 5, 8, 12, 15, 1, 13, 3, 0, 10, 2, 6, 4, 7},
        {11, 15, 5, 0, 1, 9, 8, 6, 14, 10, 2, 12, 3, 4, 7, 13}};
    u32 s[16] = {chain[0], chain[1], chain[2], chain[3], chain[4], chain[5], chain[6], chain[7],
                 0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, counter, 0, length, flags};
    UNROLL
    for (int i = 0; i < 7; i++) {
        MIX(s[0], s[4], s[8], s[12], block[ORDER[i][0]], block[ORDER[i][1]])
        MIX(s[1], s[5], s[9], s[13], block[ORDER[i][2]], block[ORDER[i][3]])
        MIX(s[2], s[6], s[10], s[14], block[ORDER[i][4]], block[ORDER[i][5]])
        MIX(s[3], s[7], s[11], s[15], block[ORDER[i][6]], block[ORDER[i][7]])
        MIX(s[0], s[5], s[10], s[15], block[ORDER[i][8]], block[ORDER[i][9]])
        MIX(s[1], s[6], s[11], s[12], block[ORDER[i][10]], block[ORDER[i][11]])
        MIX(s[2], s[7], s[8], s[13], block[ORDER[i][12]], block[ORDER[i][13]])
        MIX(s[3], s[4], s[9], s[14], block[ORDER[i][14]], block[ORDER[i][15]])
    }
    UNROLL
    for (int i = 0; i < 8; i++) chain[i] = s[i] ^ s[i + 8];
}

// The chaining value of each leaf. One thread a leaf; there are less than 2^32, so the counter's high half is 0.
KERNEL surety_leaves(Key key, const Quad *bytes, u32 leaves, u32 *out) {
    u32 leaf = BLOCK_X * THREADS_X + THREAD_X;
    if (leaf >= leaves) return;
    const Quad *from = bytes + (u64)64 * leaf;
    u32 chain[8];
    UNROLL
    for (int i = 0; i < 8; i++) chain[i] = key.word[i];
    for (u32 at = 0; at < 16; at++) {
        u32 block[16];
        read_block(from + 4 * at, block);
        u32 flags = DERIVE_KEY_MATERIAL | (at == 0 ? CHUNK_START : 0) | (at == 15 ? CHUNK_END : 0);
        compress(chain, block, leaf, 64, flags);
    }
    UNROLL
    for (int i = 0; i < 8; i++) out[(u64)8 * leaf + i] = chain[i];
}

// Each pair of nodes becomes one; the last pair of all becomes the root.
KERNEL surety_pairs(Key key, const Quad *nodes, u32 pairs, u32 is_root, u32 *out) {
    u32 pair = BLOCK_X * THREADS_X + THREAD_X;
    if (pair >= pairs) return;
    u32 chain[8], block[16];
    UNROLL
    for (int i = 0; i < 8; i++) chain[i] = key.word[i];
    read_block(nodes + (u64)4 * pair, block);
    compress(chain, block, 0, 64, DERIVE_KEY_MATERIAL | PARENT | (is_root ? ROOT : 0));
    UNROLL
    for (int i = 0; i < 8; i++) out[(u64)8 * pair + i] = chain[i];
}

// ---------------------------------------------------------------------------------------------------------------------
// The walk. One thread a walker.

#define SPREAD 0x9E3779B97F4A7C15ull
#define LEG_HOPS 32

KERNEL surety_walk(const Pair *memory, u32 lines, u64 word, u32 walkers, u32 legs, u64 *checkpoints) {
    u32 walker = BLOCK_X * THREADS_X + THREAD_X;
    if (walker >= walkers) return;
    u64 state = 0;
    for (u32 leg = 0; leg < legs; leg++) {
        state ^= (word + (((u64)walker << 32) | leg)) * SPREAD;
        for (int hop = 0; hop < LEG_HOPS; hop++) {
            const Pair *line = memory + 8 * (((state >> 32) * lines) >> 32);
            Pair pairs[8];
            // A line is four sectors of 32 bytes: one load of each first, so that none waits for another.
            UNROLL
            for (int i = 0; i < 4; i++) LOAD_PAIR(pairs[2 * i], line + 2 * i);
            UNROLL
            for (int i = 0; i < 4; i++) LOAD_PAIR(pairs[2 * i + 1], line + 2 * i + 1);
            UNROLL
            for (int i = 0; i < 8; i++) {
                state = (state ^ pairs[i].low) * SPREAD;
                state ^= state >> 32;
                state = (state ^ pairs[i].high) * SPREAD;
                state ^= state >> 32;
            }
        }
        checkpoints[(u64)walker * legs + leg] = state;
    }
}
