// Plays the blocks of a launch one after the other, and the threads of a block in turns on stacks of their own.
#include <stdlib.h>
#include <ucontext.h>

// Both variants are linked into one program: each has names of its own.
#if SURETY_MMA
#define NAME(name) name##_mma
#else
#define NAME(name) name##_dp4a
#endif
#define emulated_where NAME(emulated_where)
#define emulated_sync_block NAME(emulated_sync_block)
#define emulated_mma NAME(emulated_mma)
#define emulated_dot_4 NAME(emulated_dot_4)
#define emulated_copy_16 NAME(emulated_copy_16)
#define emulated_copy_commit NAME(emulated_copy_commit)
#define emulated_copy_wait NAME(emulated_copy_wait)

#include "../kernels/surety.cu"

enum { THREADS = 256, STACK = 64 * 1024, COPIES = 16 };

Where emulated_where;

typedef struct {
    void *to;
    u8 bytes[16];
    u32 group;
} Copy;

typedef struct {
    ucontext_t context;
    u8 *stack;
    int done;
    // Warp-wide products begun, and copies that have not arrived.
    u32 products, copies, group;
    Copy copy[COPIES];
} Thread;

static Thread thread[THREADS];
static ucontext_t scheduler;
static u32 threads, at_barrier, barriers;
static u32 in_warp[THREADS / 32], warp_barriers[THREADS / 32];
static struct {
    u32 a[32][4], b[32][2];
} fragments[THREADS / 32][2];

static void (*body)(const u64 *);
static const u64 *arguments;

static void yield_to_others(void) {
    u32 self = emulated_where.thread;
    swapcontext(&thread[self].context, &scheduler);
}

void emulated_sync_block(void) {
    u32 mine = barriers;
    if (++at_barrier == threads) {
        at_barrier = 0;
        barriers++;
    }
    while (barriers == mine) yield_to_others();
}

static void sync_warp(u32 warp) {
    u32 mine = warp_barriers[warp];
    if (++in_warp[warp] == 32) {
        in_warp[warp] = 0;
        warp_barriers[warp]++;
    }
    while (warp_barriers[warp] == mine) yield_to_others();
}

static int byte_of(u32 word, u32 index) { return (int8_t)(word >> (8 * index)); }

int emulated_dot_4(u32 a, u32 b) {
    int sum = 0;
    for (u32 i = 0; i < 4; i++) sum += byte_of(a, i) * byte_of(b, i);
    return sum;
}

// PTX ISA, "Matrix Fragments for mma.m16n8k32" of 8-bit integers. Row i of A and column k of it: lane 4 * (i % 8) +
// k % 16 / 4, register (i >= 8) + 2 * (k >= 16), byte k % 4. Row k and column j of B: lane 4 * j + k % 16 / 4, register
// k >= 16, byte k % 4. C: rows lane / 4 and that + 8, columns 2 * (lane % 4) and the next.
void emulated_mma(int c[4], const u32 a[4], const u32 b[2]) {
    u32 self = emulated_where.thread, lane = self % 32, warp = self / 32;
    // Two sets of fragments in turns: whoever is ahead cannot overwrite what others still read.
    u32 turn = thread[self].products++ % 2;
    memcpy(fragments[warp][turn].a[lane], a, 16);
    memcpy(fragments[warp][turn].b[lane], b, 8);
    sync_warp(warp);
    for (u32 i = 0; i < 4; i++) {
        u32 row = lane / 4 + (i >= 2 ? 8 : 0), column = 2 * (lane % 4) + i % 2;
        for (u32 k = 0; k < 32; k++) {
            u32 left = fragments[warp][turn].a[4 * (row % 8) + k % 16 / 4][(row >= 8) + 2 * (k >= 16)];
            u32 right = fragments[warp][turn].b[4 * column + k % 16 / 4][k >= 16];
            c[i] += byte_of(left, k % 4) * byte_of(right, k % 4);
        }
    }
}

void emulated_copy_16(void *to, const void *from, u32 inside) {
    Thread *self = &thread[emulated_where.thread];
    if (self->copies == COPIES) abort();
    Copy *copy = &self->copy[self->copies++];
    copy->to = to;
    copy->group = self->group;
    if (inside) memcpy(copy->bytes, from, 16);
    else memset(copy->bytes, 0, 16);
    // Until it arrives, what is there is nothing to rely on.
    memset(to, 0xa5, 16);
}

void emulated_copy_commit(void) { thread[emulated_where.thread].group++; }

// All groups but the newest have arrived.
void emulated_copy_wait(void) {
    Thread *self = &thread[emulated_where.thread];
    u32 left = 0;
    for (u32 i = 0; i < self->copies; i++) {
        Copy *copy = &self->copy[i];
        if (copy->group + 1 < self->group) memcpy(copy->to, copy->bytes, 16);
        else self->copy[left++] = *copy;
    }
    self->copies = left;
}

static void run_thread(void) {
    body(arguments);
    thread[emulated_where.thread].done = 1;
}

static void run_block(u32 x, u32 y) {
    at_barrier = 0;
    memset(in_warp, 0, sizeof in_warp);
    emulated_where = (Where){0, threads, x, y};
    for (u32 i = 0; i < threads; i++) {
        Thread *one = &thread[i];
        one->done = 0;
        one->products = one->copies = one->group = 0;
        if (!one->stack && !(one->stack = malloc(STACK))) abort();
        getcontext(&one->context);
        one->context.uc_stack.ss_sp = one->stack;
        one->context.uc_stack.ss_size = STACK;
        one->context.uc_link = &scheduler;
        makecontext(&one->context, run_thread, 0);
    }
    for (u32 left = threads; left > 0;) {
        left = 0;
        for (u32 i = 0; i < threads; i++) {
            if (thread[i].done) continue;
            emulated_where.thread = i;
            swapcontext(&scheduler, &thread[i].context);
            left += !thread[i].done;
        }
    }
}

// Each kernel with its arguments: pointers and numbers as u64, a key as the address of its 32 bytes.
static Key key_at(u64 address) { return *(const Key *)(uintptr_t)address; }
#define POINTER(type, i) ((type *)(uintptr_t)a[i])

static void rows(const u64 *a) { surety_rows(key_at(a[0]), a[1], a[2], POINTER(Quad, 3)); }
static void columns(const u64 *a) { surety_columns(key_at(a[0]), a[1], POINTER(u8, 2)); }
static void multiply(const u64 *a) {
    surety_multiply(POINTER(u8, 0), POINTER(u8, 1), POINTER(u16, 2), a[3], a[4], a[5]);
}
static void leaves(const u64 *a) { surety_leaves(key_at(a[0]), POINTER(Quad, 1), a[2], POINTER(u32, 3)); }
static void pairs(const u64 *a) { surety_pairs(key_at(a[0]), POINTER(Quad, 1), a[2], a[3], POINTER(u32, 4)); }
static void walk(const u64 *a) { surety_walk(POINTER(Pair, 0), a[1], a[2], a[3], a[4], POINTER(u64, 5)); }

// 0 if there is no such kernel, or more threads are asked for than can be played.
int NAME(emulated_run)(u32 kernel, u32 grid_x, u32 grid_y, u32 block_threads, const u64 *given) {
    static void (*const ALL[])(const u64 *) = {rows, columns, multiply, leaves, pairs, walk};
    if (kernel >= sizeof ALL / sizeof ALL[0] || block_threads > THREADS) return 0;
    body = ALL[kernel];
    arguments = given;
    threads = block_threads;
    for (u32 y = 0; y < grid_y; y++)
        for (u32 x = 0; x < grid_x; x++) run_block(x, y);
    return 1;
}
