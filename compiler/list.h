/* A growable array in an arena: nothing to release, nothing lost when memory runs out in the
 * middle. `WR_LIST(int) v = {0}; wr_list_push(arena, &v, 3); v.at[0]`. Pointers into it are good
 * until the next push. */
#ifndef WR_COMPILER_LIST_H
#define WR_COMPILER_LIST_H

#include "base/arena.h"

#define WR_LIST(type)                                                                            \
    struct {                                                                                     \
        type *at;                                                                                \
        uint32_t count, capacity;                                                                \
    }

#define wr_list_push(arena, list, ...)                                                           \
    ((void)((list)->count < (list)->capacity                                                     \
                ? (void)0                                                                        \
                : (void)((list)->at = wr_list_grown((arena), (list)->at, (list)->count,          \
                                                    &(list)->capacity, sizeof *(list)->at))),    \
     (void)((list)->at[(list)->count++] = (__VA_ARGS__)))

static inline void *wr_list_grown(struct wr_arena *arena, const void *old, uint32_t count,
                                  uint32_t *capacity, size_t size)
{
    *capacity = count ? count * 2 : 8;
    void *grown = wr_arena_alloc_zero(arena, *capacity * size);
    if (count) memcpy(grown, old, count * size);
    return grown;
}

#endif
