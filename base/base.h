/* The ground floor: assertions, fixed-width helpers and the 128-bit integer, for every folder.
 *
 * WR_ASSERT states an invariant of the program (never something about input) and is always on.
 * WR_DCHECK may cost O(n) and exists in debug and sanitizer builds only. */
#ifndef WR_BASE_BASE_H
#define WR_BASE_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef __int128 wr_i128;
__extension__ typedef unsigned __int128 wr_u128;

_Noreturn void wr_assert_failed(const char *file, int line, const char *text);

#define WR_ASSERT(condition)                                                                     \
    ((condition) ? (void)0 : wr_assert_failed(__FILE__, __LINE__, #condition))

#ifdef WR_DEBUG
#define WR_DCHECK(condition) WR_ASSERT(condition)
#else
#define WR_DCHECK(condition) ((void)sizeof(condition))
#endif

#define WR_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WR_MIN(a, b) ((a) < (b) ? (a) : (b))
#define WR_MAX(a, b) ((a) > (b) ? (a) : (b))
#define WR_UNUSED(x) ((void)(x))

#if defined(__GNUC__)
#define WR_PRINTF(index, first) __attribute__((format(printf, index, first)))
#define WR_LIKELY(x) __builtin_expect(!!(x), 1)
#define WR_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define WR_MUST_USE __attribute__((warn_unused_result))
#else
#define WR_PRINTF(index, first)
#define WR_LIKELY(x) (x)
#define WR_UNLIKELY(x) (x)
#define WR_MUST_USE
#endif

/* Times are microseconds since 1970 UTC in an int64_t; WR_TIME_MAX stands for 'never' / +infinity. */
#define WR_TIME_MIN INT64_MIN
#define WR_TIME_MAX INT64_MAX

#endif
