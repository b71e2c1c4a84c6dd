/* All memory of weir comes through here, so that tests can count it and make it fail.
 *
 * An allocation never returns NULL: when memory is out, wr_alloc unwinds to the innermost
 * WR_MEMORY_GUARD of the thread (the functions of weir.h set one), which turns it into a status;
 * what the interrupted call was building is owned by an arena or an engine that the caller then
 * frees whole. Without a guard the process ends with a message, exit 7. */
#ifndef WR_BASE_ALLOC_H
#define WR_BASE_ALLOC_H

#include "base/base.h"
#include <setjmp.h>

void *wr_alloc(size_t size);                    /* uninitialised; size 0 gives a valid pointer */
void *wr_alloc_zero(size_t size);
void *wr_realloc(void *memory, size_t size);    /* memory may be NULL */
/* Release with wr_free. From WR_LARGE_PAGE on it begins at such a page, and the system is asked to map it by them: what is
 * read at random over many megabytes spends most of its time on looking up pages else. */
void *wr_alloc_aligned(size_t alignment, size_t size);
enum { WR_LARGE_PAGE = 2 << 20 };
/* Who is told of this thread's allocations by large pages (base/populate.h); NULL: nobody. */
typedef void wr_alloc_large_fn(void *context, void *memory, size_t size);
void wr_alloc_watch_large(wr_alloc_large_fn *fn, void *context);
bool wr_alloc_is_watched(void);
void wr_free(void *memory);                     /* NULL is fine */
char *wr_strdup(const char *text);

/* Allocations made so far by this thread; tests assert that the steady state makes none. */
uint64_t wr_alloc_count(void);
/* Test hook: the n-th allocation from now on fails (0: never). */
void wr_alloc_fail_at(uint64_t n);

struct wr_memory_guard {
    jmp_buf jump;
    struct wr_memory_guard *outer;
};
void wr_memory_guard_push(struct wr_memory_guard *guard);
void wr_memory_guard_pop(struct wr_memory_guard *guard);
/* Goes on unwinding to the next guard outwards: for one that only had to give back what it held. */
_Noreturn void wr_memory_fail(void);
/* true on the way back after memory ran out (the guard is popped then). */
#define WR_MEMORY_GUARD(guard) (wr_memory_guard_push(guard), setjmp((guard)->jump) != 0)

#endif
