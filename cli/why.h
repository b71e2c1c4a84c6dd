/* Why a pattern matched or not, in words: for `weir why` and for tests that fail. */
#ifndef WR_CLI_WHY_H
#define WR_CLI_WHY_H

#include "base/arena.h"
#include "cli/cli.h"
#include "cli/wtest.h"

/* How rows and times are called: `row` appends the one, `time` the other (NULL: RFC 3339). */
struct wr_why_words {
    void (*row)(void *context, const weir_row *row, struct wr_buf *out);
    void (*time)(void *context, int64_t us, struct wr_buf *out);
    void *context;
};
/* What became of a start, in lines. */
void wr_why_print_start(const weir_start *start, const struct wr_why_words *words, struct wr_buf *out);
/* What a match of the pattern begins with, in lines. */
void wr_why_print_beginnings(const struct wr_program *program, const char *pattern, struct wr_buf *out);
/* Rows among what it had taken: without moments. */
size_t wr_why_rows(const weir_start *start);

struct wr_why_start {
    weir_start start; /* what it points to is its keeper's */
};
/* A copy, with all that it points to in the arena. */
struct wr_why_start wr_why_copy_start(struct wr_arena *arena, const weir_start *start);

/* ---- Rows that took no part (why_aside.c) -------------------------------------------------------- */

enum { WR_ASIDES_SHOWN = 5 };
enum wr_aside_kind { WR_ASIDE_LATE, WR_ASIDE_BAD, WR_ASIDE_FILTERED, WR_ASIDE_SEEN };
struct wr_why_aside {
    enum wr_aside_kind kind;
    uint32_t partition;
    const char *stream;
    uint64_t record;
    int64_t time_us, late_us;         /* time_us: where it stands */
    bool no_time;                     /* a record that is no row */
    const char *reason, *code, *what; /* BAD; FILTERED: reason is the view whose WHERE it was, or "" */
    const char *key, *text;           /* SEEN: of the pattern's rows */
    uint64_t variables;               /* SEEN: bits over .variable, whose conditions on the row it satisfies */
};
struct wr_why_asides {
    const char *pattern, *key; /* asked about; key NULL: any */
    struct wr_arena arena;
    WR_VEC(struct wr_why_aside) row;
    WR_VEC(const char *) name;
    WR_VEC(const char *) variable;
    WR_VEC(const char *) upstream; /* queries and streams on the way to the pattern, and itself */
    const char *last_key;
    size_t own_rows;
};
void wr_why_asides_init(struct wr_why_asides *all, const char *pattern, const char *key);
void wr_why_asides_release(struct wr_why_asides *all);
void wr_why_asides_of(struct wr_why_asides *all, const struct wr_program *program, uint32_t node);
void wr_why_asides_late(struct wr_why_asides *all, const weir_drop *late);
void wr_why_asides_drop(struct wr_why_asides *all, const weir_drop *drop);
void wr_why_asides_seen(struct wr_why_asides *all, const weir_seen *seen);
/* Those that might have mattered to a start (by their times; of another key by what it waited for); start NULL: to the
 * key that was asked about. */
void wr_why_asides_print(const struct wr_why_asides *all, const weir_start *start, const struct wr_why_words *words,
                         struct wr_buf *out);
void wr_why_asides_json(const struct wr_why_asides *all, const weir_start *start, struct wr_buf *out);

/* ---- The whole answer ---------------------------------------------------------------------------- */

/* {"version":1,"matches":N,"partial":N,"starts":[…]} */
void wr_why_print_json(const struct wr_why_start *start, size_t count, uint64_t matches,
                       uint64_t partials, const struct wr_why_asides *asides, struct wr_buf *out);
/* The start as a .wtest with the fewest rows that still show it. The exit code, after a message. */
int wr_why_as_test(struct wr_args *args, const weir_start *start, const struct wr_why_asides *asides, struct wr_buf *out);

#endif
