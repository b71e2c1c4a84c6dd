/* How meanings are hashed, for identity.c and meaning_code.c only: fields go into a buffer, each in one way, and what
 * stands there since a mark becomes a hash. */
#ifndef WR_VM_MEANING_H
#define WR_VM_MEANING_H

#include "vm/identity.h"

struct wr_meanings {
    const struct wr_program *program;
    struct wr_arena arena;       /* everything below */
    struct wr_buf bytes;         /* what is being hashed */
    struct wr_buf registers;     /* of the block that is being followed */
    struct wr_hash128 *rows;     /* per node: which rows it gives */
    struct wr_hash128 **column;  /* per node: what each column is */
    struct wr_meaning_results *results; /* per code */
};
/* What each result of a block is, where its columns are those of `from`; hash NULL: not asked for yet. */
struct wr_meaning_results {
    struct wr_hash128 *hash;
    uint32_t from;
    const struct wr_pattern_node *pattern;
};

static inline size_t wr_meaning_begin(struct wr_meanings *m, const char *what)
{
    size_t mark = m->bytes.size;
    wr_buf_add(&m->bytes, what, strlen(what) + 1);
    return mark;
}
struct wr_hash128 wr_meaning_end(struct wr_meanings *m, size_t mark);
void wr_meaning_number(struct wr_meanings *m, int64_t number); /* 8 bytes, little endian */
void wr_meaning_text(struct wr_meanings *m, struct wr_slice text);
void wr_meaning_name(struct wr_meanings *m, struct wr_slice name); /* without case */
void wr_meaning_type(struct wr_meanings *m, struct wr_type type);
void wr_meaning_hash(struct wr_meanings *m, struct wr_hash128 hash);
/* Hashes whose order does not count; sorts them in place. */
void wr_meaning_unordered(struct wr_meanings *m, struct wr_hash128 *hash, size_t count);

/* What a value of outside is; `from` is the node whose columns are read, pattern NULL: COLUMN and event time only. */
struct wr_hash128 wr_meaning_of_input(struct wr_meanings *m, const struct wr_input *input, uint32_t from,
                                      const struct wr_pattern_node *pattern);
struct wr_hash128 wr_meaning_of_aggregate(struct wr_meanings *m, const struct wr_aggregate *aggregate, uint32_t from,
                                          const struct wr_pattern_node *pattern);
/* What a result of a block is, whatever else the block computes. Blocks of rows alone: pattern NULL. */
struct wr_hash128 wr_meaning_of_result(struct wr_meanings *m, uint32_t code, uint32_t result, uint32_t from,
                                       const struct wr_pattern_node *pattern);
struct wr_hash128 wr_meaning_of_constant(struct wr_meanings *m, uint32_t constant);
/* A variable set as the variables that it holds. */
void wr_meaning_set(struct wr_meanings *m, const struct wr_pattern_node *pattern, uint32_t set);

#endif
