/* A growable array on the heap: `WR_VEC(int) v = {0}; wr_vec_push(&v, 3); v.at[0]; wr_vec_release(&v);`
 * Pointers into it are good until the next push. */
#ifndef WR_BASE_VEC_H
#define WR_BASE_VEC_H

#include "base/alloc.h"

#define WR_VEC(type)                                                                             \
    struct {                                                                                     \
        type *at;                                                                                \
        size_t count, capacity;                                                                  \
    }

#define wr_vec_reserve(vec, n)                                                                   \
    ((vec)->capacity >= (size_t)(n)                                                              \
         ? (void)0                                                                               \
         : (void)((vec)->at = wr_vec_grown((vec)->at, &(vec)->capacity, (n), sizeof *(vec)->at)))
#define wr_vec_push(vec, ...)                                                                    \
    (wr_vec_reserve(vec, (vec)->count + 1), (void)((vec)->at[(vec)->count++] = (__VA_ARGS__)))
#define wr_vec_pop(vec) ((vec)->at[--(vec)->count])
#define wr_vec_last(vec) ((vec)->at[(vec)->count - 1])
#define wr_vec_clear(vec) ((void)((vec)->count = 0))
#define wr_vec_release(vec)                                                                      \
    (wr_free((vec)->at), (void)((vec)->at = NULL, (vec)->count = (vec)->capacity = 0))

/* Grows to at least `wanted` elements, at least doubling. */
static inline void *wr_vec_grown(void *memory, size_t *capacity, size_t wanted, size_t element_size)
{
    size_t grown = *capacity * 2 > wanted ? *capacity * 2 : wanted;
    if (grown < 8) grown = 8;
    memory = wr_realloc(memory, grown * element_size); /* may unwind: the vector stays what it was */
    *capacity = grown;
    return memory;
}

#endif
