/* Which keys of which operators have been met: a set of 128-bit hashes, for reading a store newest first. */
#ifndef WR_RUNTIME_KEY_SET_H
#define WR_RUNTIME_KEY_SET_H

#include "base/hash.h"

struct wr_key_set {
    struct wr_hash128 *slot; /* high 0: empty */
    uint64_t mask, count;
    uint64_t seed;           /* set it before the first key, by chance where keys come from outside */
};

/* true: for the first time. Two keys are taken for one with a chance of count * count / 2^127. */
bool wr_key_set_add(struct wr_key_set *set, uint32_t op, struct wr_slice key);
bool wr_key_set_has(const struct wr_key_set *set, uint32_t op, struct wr_slice key);
void wr_key_set_clear(struct wr_key_set *set);
void wr_key_set_release(struct wr_key_set *set); /* a zeroed struct is a valid empty set */

#endif
