/* The key table: from the encoded columns of a key to a dense id (0, 1, 2 … in order of first appearance, ids of
 * removed keys are used again). The owner keeps its state in arrays or slabs by id.
 *
 * Open addressing with one-line buckets: a tag byte for each slot is compared by SIMD (base/simd.h, scalar twin
 * included), a keyed hash so that nobody can choose collisions, a whole batch looked up at a time with rolling
 * prefetch; growth by migration in steps, never a pause. No allocation per event in the steady state. */
#ifndef WR_RUNTIME_KEYTABLE_H
#define WR_RUNTIME_KEYTABLE_H

#include "vm/batch.h"

struct wr_keytable;
struct wr_keytable *wr_keytable_new(const struct wr_type *type, uint32_t columns, uint64_t seed);
void wr_keytable_free(struct wr_keytable *table);
void wr_keytable_clear(struct wr_keytable *table);

enum { WR_KEY_NONE = -1 };

/* For every row whose bit is set in `select`: id[row] becomes the key's id, or WR_KEY_NONE when it is new and its
 * bit in `insert` is not set. New keys with the bit in `insert` set are added. NULLs are one key; errors in a key
 * column must have been dropped before. `column` lists the key columns of the batch. */
void wr_keytable_lookup(struct wr_keytable *table, const struct wr_batch *batch, const uint32_t *column,
                        const uint64_t *select, const uint64_t *insert, int32_t *id);
/* One key from its encoded bytes (load, tests). */
int32_t wr_keytable_find(struct wr_keytable *table, struct wr_slice encoded, bool insert);
/* Room for so many keys beforehand; the table must be empty. Asks for the memory that a find of this key will read. */
void wr_keytable_reserve(struct wr_keytable *table, uint64_t keys);
void wr_keytable_prefetch(struct wr_keytable *table, struct wr_slice encoded);
/* The encoded key of an id (lent until the next insertion): the logical form in saved state. */
struct wr_slice wr_keytable_key(const struct wr_keytable *table, uint32_t id);
/* Reads column number i of an id's key back as a value (strings lent). */
struct wr_value wr_keytable_value(const struct wr_keytable *table, uint32_t id, uint32_t column);
/* The same for many ids: value i goes to row i of the vector (of the column's class; strings lent), NULLs to its mask. */
void wr_keytable_values(const struct wr_keytable *table, const uint32_t *id, uint32_t count, uint32_t column,
                        struct wr_vector *out);
/* First appearance: a number that grows with every insertion; kept by save and load. */
/* The number that the next new key will have: keys of a smaller one were there before. */
uint64_t wr_keytable_next_order(const struct wr_keytable *table);
uint64_t wr_keytable_order(const struct wr_keytable *table, uint32_t id);
void wr_keytable_set_order(struct wr_keytable *table, uint32_t id, uint64_t order);
void wr_keytable_remove(struct wr_keytable *table, uint32_t id);
uint32_t wr_keytable_count(const struct wr_keytable *table);
uint32_t wr_keytable_id_limit(const struct wr_keytable *table); /* ids are below this */
bool wr_keytable_is_live(const struct wr_keytable *table, uint32_t id);
uint64_t wr_keytable_bytes(const struct wr_keytable *table);
uint64_t wr_keytable_live_bytes(const struct wr_keytable *table); /* of the keys in it */
/* What a key takes at most (just behind a growth); one of more than 15 encoded bytes takes these too. */
uint32_t wr_keytable_key_bytes(void);
/* Asks for the memory in which an id's key lies; the id may be of none. */
void wr_keytable_prefetch_entry(const struct wr_keytable *table, uint32_t id);
/* Four bytes beside the key that are the owner's, 0 at first: what it reads for every row is in cache already when the
 * key was looked up. Stays where it is as long as the key lives. */
uint32_t *wr_keytable_owned(const struct wr_keytable *table, uint32_t id);
/* All live ids in order of first appearance, into a caller's array of wr_keytable_count elements. */
void wr_keytable_ordered(const struct wr_keytable *table, uint32_t *id);

/* Encodes the key columns of a row: per column a byte (0 NULL, 1 value) and the value: BOOL 1 byte, I64/F64 8
 * little-endian bytes (-0.0 as 0.0, every NaN alike), DEC 16, STR a LEB128 length and the bytes. */
void wr_key_encode(const struct wr_batch *batch, uint32_t row, const uint32_t *column, uint32_t columns, struct wr_buf *out);

/* Is this the encoding of a key of such columns? What is read from a file is asked before it is put in. */
bool wr_key_is_valid(const struct wr_type *type, uint32_t columns, struct wr_slice encoded);

void wr_keytable_check(const struct wr_keytable *table); /* asserts every invariant; O(n) */

#endif
