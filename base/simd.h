/* SIMD behind one header. Each function has a scalar twin of the same meaning, which is always compiled and which
 * tests compare with it. SSE2 is part of x86-64 and NEON of AArch64, so the choice is made when compiling and no
 * dispatch stands in a probe; wider vectors would gain nothing on one group of 16 bytes. -DWR_NO_SIMD takes the
 * scalar twins. */
#ifndef WR_BASE_SIMD_H
#define WR_BASE_SIMD_H

#include "base/base.h"

#if !defined(WR_NO_SIMD) && defined(__SSE2__)
#define WR_SIMD_SSE2 1
#include <emmintrin.h>
#elif !defined(WR_NO_SIMD) && defined(__aarch64__) && defined(__ARM_NEON)
#define WR_SIMD_NEON 1
#include <arm_neon.h>
#endif

/* Asks for a cache line that will be read soon. Any address is fine. The empty statement is an effect: compilers take a
 * function that does nothing but prefetch for one without any, and drop its calls. */
static inline void wr_prefetch(const void *address)
{
#if defined(__GNUC__)
    __builtin_prefetch(address, 0, 3);
    __asm__ volatile("");
#else
    WR_UNUSED(address);
#endif
}

/* Bit i of the result says that byte i of the 16 at `bytes` equals `value`. */
static inline uint32_t wr_equal16_scalar(const void *bytes, uint8_t value)
{
    const uint8_t *p = bytes;
    uint32_t mask = 0;
    for (unsigned i = 0; i < 16; i++) mask |= (uint32_t)(p[i] == value) << i;
    return mask;
}

static inline uint32_t wr_equal16(const void *bytes, uint8_t value)
{
#if defined(WR_SIMD_SSE2)
    __m128i group = _mm_loadu_si128((const __m128i *)bytes);
    return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(group, _mm_set1_epi8((char)value)));
#elif defined(WR_SIMD_NEON)
    static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8x16_t equal = vceqq_u8(vld1q_u8(bytes), vdupq_n_u8(value));
    uint8x16_t bits = vandq_u8(equal, vld1q_u8(weights));
    return (uint32_t)vaddv_u8(vget_low_u8(bits)) | (uint32_t)vaddv_u8(vget_high_u8(bits)) << 8;
#else
    return wr_equal16_scalar(bytes, value);
#endif
}

/* Index of the lowest bit of a mask that is not 0. */
static inline unsigned wr_lowest_bit(uint64_t mask)
{
#if defined(__GNUC__)
    return (unsigned)__builtin_ctzll(mask);
#else
    unsigned i = 0;
    while (!(mask >> i & 1)) i++;
    return i;
#endif
}

#endif
