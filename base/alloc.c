/* Allocation with a counter, a test hook that makes one fail, and unwinding when memory is out. */
#include "base/alloc.h"
#include "base/fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

static _Thread_local uint64_t allocations;
static _Thread_local uint64_t fail_at;
static _Thread_local struct wr_memory_guard *innermost;
static _Thread_local wr_alloc_large_fn *on_large;
static _Thread_local void *on_large_context;

_Noreturn void wr_assert_failed(const char *file, int line, const char *text)
{
    fprintf(stderr, "weir: defect: %s:%d: %s does not hold\n", file, line, text);
    abort();
}

static _Noreturn void out_of_memory(size_t size)
{
    struct wr_memory_guard *guard = innermost;
    if (guard) {
        innermost = guard->outer;
        longjmp(guard->jump, 1);
    }
    fprintf(stderr, "weir: out of memory (%zu bytes wanted)\n", size);
    _Exit(7); /* as for every other limit of a run */
}

void wr_memory_fail(void)
{
    out_of_memory(0);
}

/* true when this allocation is to fail. */
static bool counted(void)
{
    allocations++;
    return (WR_UNLIKELY(fail_at != 0) && --fail_at == 0) || WR_FAULT_DUE(WR_FAULT_ALLOC);
}

void *wr_alloc(size_t size)
{
    void *memory = counted() ? NULL : malloc(size ? size : 1);
    if (WR_UNLIKELY(!memory)) out_of_memory(size);
    return memory;
}

void *wr_alloc_zero(size_t size)
{
    void *memory = counted() ? NULL : calloc(1, size ? size : 1);
    if (WR_UNLIKELY(!memory)) out_of_memory(size);
    return memory;
}

void *wr_realloc(void *memory, size_t size)
{
    void *grown = counted() ? NULL : realloc(memory, size ? size : 1);
    if (WR_UNLIKELY(!grown)) out_of_memory(size);
    return grown;
}

void *wr_alloc_aligned(size_t alignment, size_t size)
{
    WR_ASSERT(alignment && (alignment & (alignment - 1)) == 0);
    if (size >= WR_LARGE_PAGE) alignment = WR_MAX(alignment, (size_t)WR_LARGE_PAGE);
    size_t rounded = (size + alignment - 1) & ~(alignment - 1);
    void *memory = counted() ? NULL : aligned_alloc(alignment, rounded ? rounded : alignment);
    if (WR_UNLIKELY(!memory)) out_of_memory(size);
    if (size < WR_LARGE_PAGE) return memory;
    (void)madvise(memory, rounded, MADV_HUGEPAGE); /* a wish: without it only time is lost */
    if (WR_UNLIKELY(on_large)) on_large(on_large_context, memory, rounded);
    return memory;
}

void wr_alloc_watch_large(wr_alloc_large_fn *fn, void *context)
{
    on_large = fn;
    on_large_context = context;
}

bool wr_alloc_is_watched(void)
{
    return on_large != NULL;
}

void wr_free(void *memory)
{
    free(memory);
}

char *wr_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    return memcpy(wr_alloc(size), text, size);
}

uint64_t wr_alloc_count(void)
{
    return allocations;
}

void wr_alloc_fail_at(uint64_t n)
{
    fail_at = n;
}

void wr_memory_guard_push(struct wr_memory_guard *guard)
{
    guard->outer = innermost;
    innermost = guard;
}

void wr_memory_guard_pop(struct wr_memory_guard *guard)
{
    WR_ASSERT(innermost == guard);
    innermost = guard->outer;
}
