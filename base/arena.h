/* An arena: memory that is freed all at once. Nothing in it is freed by itself.
 * Each arena is named for a lifetime: parse, compile, program, engine, batch. */
#ifndef WR_BASE_ARENA_H
#define WR_BASE_ARENA_H

#include "base/slice.h"

struct wr_arena_block;

struct wr_arena {
    struct wr_arena_block *block; /* newest first */
    char *next, *end;             /* free part of the newest block */
    size_t used;                  /* bytes handed out since init or clear */
};

void wr_arena_init(struct wr_arena *arena);
void wr_arena_release(struct wr_arena *arena);
/* Forgets everything handed out and keeps the largest block for reuse. */
void wr_arena_clear(struct wr_arena *arena);

void *wr_arena_alloc(struct wr_arena *arena, size_t size);      /* 16-byte aligned, uninitialised */
void *wr_arena_alloc_zero(struct wr_arena *arena, size_t size);
/* A copy of the bytes, with a NUL behind it (not counted in the size). */
struct wr_slice wr_arena_copy(struct wr_arena *arena, struct wr_slice bytes);
char *wr_arena_cstr(struct wr_arena *arena, struct wr_slice text);
struct wr_slice wr_arena_printf(struct wr_arena *arena, const char *format, ...) WR_PRINTF(2, 3);

#define WR_NEW(arena, type) ((type *)wr_arena_alloc_zero(arena, sizeof(type)))
#define WR_NEW_ARRAY(arena, type, n) ((type *)wr_arena_alloc_zero(arena, sizeof(type) * (size_t)(n)))

#endif
