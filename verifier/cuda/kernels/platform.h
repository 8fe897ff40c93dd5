// What the kernels need of CUDA, by names of our own: `emulated/emulate.h` gives the same names to a C compiler.
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define KERNEL extern "C" __global__ void
#define DEVICE static __device__ __forceinline__
#define SHARED __shared__ __align__(16)
#define ALIGN_16 __align__(16)
#define UNROLL _Pragma("unroll")
#define THREAD_X threadIdx.x
#define THREADS_X blockDim.x
#define BLOCK_X blockIdx.x
#define BLOCK_Y blockIdx.y
#define SYNC_BLOCK() __syncthreads()
#define SURETY_MMA (__CUDA_ARCH__ >= 800)

// sum += the four products of signed bytes.
#define DOT_4(sum, a, b) asm("dp4a.s32.s32 %0, %1, %2, %0;" : "+r"(sum) : "r"(a), "r"(b))

// sums += a * b for 16 by 32 and 32 by 8 signed bytes, spread over a warp as PTX's mma.m16n8k32 has it.
#define MMA_16_8_32(c, a, b)                                                                                            \
    asm volatile("mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "              \
                 "{%0,%1,%2,%3};"                                                                                       \
                 : "+r"((c)[0]), "+r"((c)[1]), "+r"((c)[2]), "+r"((c)[3])                                               \
                 : "r"((a)[0]), "r"((a)[1]), "r"((a)[2]), "r"((a)[3]), "r"((b)[0]), "r"((b)[1]))

// 16 bytes of a line of 128, all of which the cache should fetch from memory at once.
#if SURETY_MMA
#define LOAD_PAIR(to, from)                                                                                             \
    asm volatile("ld.global.L2::128B.v2.u64 {%0, %1}, [%2];" : "=l"((to).low), "=l"((to).high) : "l"(from))
#else
#define LOAD_PAIR(to, from) (to) = *(from)
#endif

// 16 bytes from global to shared memory, or zeros where `inside` is 0. Both are aligned to 16.
#if SURETY_MMA
#define COPY_16(to, from, inside)                                                                                       \
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;"                                                        \
                 :                                                                                                      \
                 : "r"((u32)__cvta_generic_to_shared(to)), "l"(from), "r"((inside) ? 16 : 0)                            \
                 : "memory")
#define COPY_COMMIT() asm volatile("cp.async.commit_group;" ::: "memory")
#define COPY_WAIT_ALL_BUT_1() asm volatile("cp.async.wait_group 1;" ::: "memory")
#else
#define COPY_16(to, from, inside) (*(uint4 *)(to) = (inside) ? *(const uint4 *)(from) : make_uint4(0, 0, 0, 0))
#define COPY_COMMIT()
#define COPY_WAIT_ALL_BUT_1()
#endif
