/* Bump allocation in blocks that double up to a megabyte. */
#include "base/arena.h"

#include "base/alloc.h"
#include <stdarg.h>
#include <stdio.h>

struct wr_arena_block {
    struct wr_arena_block *older;
    size_t size; /* of data */
    _Alignas(16) char data[];
};

enum { BLOCK_MIN = 4096, BLOCK_MAX = 1 << 20, ALIGN = 16 };

void wr_arena_init(struct wr_arena *arena)
{
    *arena = (struct wr_arena){0};
}

void wr_arena_release(struct wr_arena *arena)
{
    for (struct wr_arena_block *b = arena->block, *older; b; b = older) {
        older = b->older;
        wr_free(b);
    }
    *arena = (struct wr_arena){0};
}

void wr_arena_clear(struct wr_arena *arena)
{
    struct wr_arena_block *keep = arena->block;
    for (struct wr_arena_block *b = keep ? keep->older : NULL, *older; b; b = older) {
        older = b->older;
        wr_free(b);
    }
    if (keep) {
        keep->older = NULL;
        arena->next = keep->data;
        arena->end = keep->data + keep->size;
    }
    arena->used = 0;
}

void *wr_arena_alloc(struct wr_arena *arena, size_t size)
{
    size_t rounded = (size + ALIGN - 1) & ~(size_t)(ALIGN - 1);
    if (WR_UNLIKELY(!arena->block || (size_t)(arena->end - arena->next) < rounded)) {
        size_t want = arena->block ? WR_MIN(arena->block->size * 2, (size_t)BLOCK_MAX) : BLOCK_MIN;
        if (want < rounded) want = rounded;
        struct wr_arena_block *b = wr_alloc(sizeof *b + want);
        *b = (struct wr_arena_block){.older = arena->block, .size = want};
        arena->block = b;
        arena->next = b->data;
        arena->end = b->data + want;
    }
    void *memory = arena->next;
    arena->next += rounded;
    arena->used += rounded;
    return memory;
}

void *wr_arena_alloc_zero(struct wr_arena *arena, size_t size)
{
    return memset(wr_arena_alloc(arena, size), 0, size);
}

struct wr_slice wr_arena_copy(struct wr_arena *arena, struct wr_slice bytes)
{
    char *copy = wr_arena_alloc(arena, bytes.size + 1);
    if (bytes.size) memcpy(copy, bytes.data, bytes.size);
    copy[bytes.size] = 0;
    return wr_slice_of(copy, bytes.size);
}

char *wr_arena_cstr(struct wr_arena *arena, struct wr_slice text)
{
    char *copy = wr_arena_alloc(arena, text.size + 1);
    if (text.size) memcpy(copy, text.data, text.size);
    copy[text.size] = 0;
    return copy;
}

struct wr_slice wr_arena_printf(struct wr_arena *arena, const char *format, ...)
{
    WR_ASSERT(format != NULL);
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    WR_ASSERT(size >= 0);
    char *text = wr_arena_alloc(arena, (size_t)size + 1);
    vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return wr_slice_of(text, (size_t)size);
}
