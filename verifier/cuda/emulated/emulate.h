// The names of `../kernels/platform.h` for a C compiler: every thread of a block is a stack of its own, and one runs
// until it has to wait for others (`emulate.c`).
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef unsigned long long u64;

typedef struct {
    u32 thread, threads, block_x, block_y;
} Where;
extern Where emulated_where;
void emulated_sync_block(void);
void emulated_mma(int c[4], const u32 a[4], const u32 b[2]);
int emulated_dot_4(u32 a, u32 b);

#define KERNEL static void
#define DEVICE static inline
#define SHARED static _Alignas(16)
#define ALIGN_16 __attribute__((aligned(16)))
#define UNROLL
#define THREAD_X emulated_where.thread
#define THREADS_X emulated_where.threads
#define BLOCK_X emulated_where.block_x
#define BLOCK_Y emulated_where.block_y
#define SYNC_BLOCK() emulated_sync_block()
#define MMA_16_8_32(c, a, b) emulated_mma(c, a, b)
#define DOT_4(sum, a, b) ((sum) += emulated_dot_4(a, b))
#define LOAD_PAIR(to, from) ((to) = *(from))
// A copy that nobody waited for is not there: it arrives at COPY_WAIT, as late as CUDA may let it.
void emulated_copy_16(void *to, const void *from, u32 inside);
void emulated_copy_commit(void);
void emulated_copy_wait(void);
#define COPY_16(to, from, inside) emulated_copy_16(to, from, inside)
#define COPY_COMMIT() emulated_copy_commit()
#define COPY_WAIT_ALL_BUT_1() emulated_copy_wait()
