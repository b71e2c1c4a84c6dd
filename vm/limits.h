/* What SET max_… and on_limit say: how much state a program may keep, and what becomes of what is too much
 * (docs/limits.md). Read from the settings of a program, by the runtime and by explain. */
#ifndef WR_VM_LIMITS_H
#define WR_VM_LIMITS_H

#include "vm/program.h"

enum wr_on_limit { WR_ON_LIMIT_FAIL, WR_ON_LIMIT_DROP_OLDEST, WR_ON_LIMIT_DROP_NEW };

/* UINT64_MAX: no limit. */
struct wr_limits {
    uint64_t starts_key;     /* open starts of a key, in each pattern without LIMIT n STARTS PER KEY */
    uint64_t starts_pattern; /* of all keys of a pattern */
    uint64_t starts;         /* of all patterns */
    uint64_t keys;           /* of a query: with an open start or an open window */
    uint64_t rows;           /* kept by a pattern */
    uint64_t windows;        /* open in a query, of all keys */
    uint64_t bytes;          /* of a query */
    enum wr_on_limit policy;
    bool set;                /* some limit is the program's own */
};

enum { WR_STATE_BYTES_BLOCK = 65536 };
#define WR_STATE_BYTES_DEFAULT ((uint64_t)4 << 30)

/* A value that is none counts as not given: the compiler has refused it. */
void wr_limits_read(const struct wr_program *program, struct wr_limits *limits);
/* Does the pattern drop single starts by a setting? Then only the general matcher knows them all. */
bool wr_limits_drop_starts(const struct wr_limits *limits, const struct wr_pattern_node *pattern);
/* "4096", "64KB", "512MB", "4GB" (of 1024), no sign. */
bool wr_parse_bytes(struct wr_slice text, uint64_t *bytes);
/* "4 GB", "1000 bytes". */
void wr_print_bytes(uint64_t bytes, struct wr_buf *out);

#endif
