/* The scan for delimiters, line ends and quotes: 64 bytes at a time become a mask, whose bits are visited in turn. */
#include "connectors/csv_scan.h"

#include "base/simd.h"

void wr_csv_scan_init(struct wr_csv_scan *s, char delimiter)
{
    *s = (struct wr_csv_scan){.delimiter = delimiter};
}

void wr_csv_scan_release(struct wr_csv_scan *s)
{
    wr_vec_release(&s->cell);
}

void wr_csv_scan_moved(struct wr_csv_scan *s)
{
    s->block = NULL;
}

void wr_csv_scan_restart(struct wr_csv_scan *s)
{
    wr_vec_clear(&s->cell);
    s->field = s->search = 0;
    s->block = NULL;
}

static uint64_t specials_of(const char *p, char delimiter)
{
    uint64_t mask = 0;
    for (unsigned i = 0; i < 64; i += 16) {
        uint32_t found = wr_equal16(p + i, (uint8_t)delimiter) | wr_equal16(p + i, '\n') | wr_equal16(p + i, '"');
        mask |= (uint64_t)found << i;
    }
    return mask;
}

/* The first special character at or behind p; `end` when there is none before it. */
static inline const char *special(struct wr_csv_scan *s, const char *p, const char *end)
{
    while (p < end) {
        if (!s->block || p < s->block || p - s->block >= 64) {
            s->block = p;
            s->specials = specials_of(p, s->delimiter);
        }
        uint64_t left = s->specials >> (p - s->block);
        if (left) {
            p += wr_lowest_bit(left);
            return p < end ? p : end;
        }
        p = s->block + 64;
    }
    return end;
}

enum step { STEP_FIELD, STEP_MORE, STEP_BAD };

/* The quoted field at p; *after is behind its closing quote. */
static enum step quoted_field(struct wr_csv_scan *s, const char *start, const char *p, const char *end, bool at_end,
                              struct wr_csv_cell *cell, const char **after)
{
    const char *q = start + s->search > p ? start + s->search : p + 1;
    for (;; q += 2) {
        const char *quote = q < end ? memchr(q, '"', (size_t)(end - q)) : NULL;
        if (!quote || (quote + 1 == end && !at_end)) {
            s->search = (size_t)((quote ? quote : end) - start);
            return at_end ? STEP_BAD : STEP_MORE;
        }
        if (quote + 1 < end && quote[1] == '"') {
            q = quote;
            continue;
        }
        /* Doubled quotes are looked for again: the scan may have been taken up in the middle. */
        *cell = (struct wr_csv_cell){(size_t)(p + 1 - start), (size_t)(quote - p - 1), true, false};
        cell->doubled = memchr(p + 1, '"', cell->size) != NULL;
        *after = quote + 1;
        return STEP_FIELD;
    }
}

static enum step plain_field(struct wr_csv_scan *s, const char *start, const char *p, const char *end, bool at_end,
                             struct wr_csv_cell *cell, const char **after)
{
    const char *q = start + s->search > p ? start + s->search : p;
    do q = special(s, q, end);
    while (q < end && *q == '"' && q++); /* inside of a field a quote is a character */
    if (q == end && !at_end) {
        s->search = (size_t)(end - start);
        return STEP_MORE;
    }
    bool carriage = q > p && q[-1] == '\r' && (q == end || *q == '\n');
    *cell = (struct wr_csv_cell){(size_t)(p - start), (size_t)(q - p) - carriage, false, false};
    *after = q;
    return STEP_FIELD;
}

enum wr_csv_found wr_csv_scan_record(struct wr_csv_scan *s, const char *start, const char *end, bool at_end,
                                     const char **next, enum wr_decode *why)
{
    const char *p = start + s->field;
    for (;;) {
        struct wr_csv_cell cell;
        const char *q;
        enum step step = p < end && *p == '"' ? quoted_field(s, start, p, end, at_end, &cell, &q)
                                              : plain_field(s, start, p, end, at_end, &cell, &q);
        *why = WR_DECODE_QUOTE_OPEN;
        if (step == STEP_BAD) return WR_CSV_BAD;
        if (step == STEP_MORE) return WR_CSV_MORE;
        if (cell.quoted && q < end && *q == '\r') {
            if (q + 1 == end && !at_end) {
                s->search = (size_t)(q - 1 - start);
                return WR_CSV_MORE;
            }
            if (q + 1 == end || q[1] == '\n') q++;
        }
        *why = WR_DECODE_QUOTE_TAIL;
        if (q < end && *q != s->delimiter && *q != '\n') return WR_CSV_BAD;
        wr_vec_push(&s->cell, cell);
        if (q == end || *q == '\n') {
            *next = q == end ? q : q + 1;
            return WR_CSV_RECORD;
        }
        p = q + 1;
        s->field = (size_t)(p - start);
    }
}

struct wr_slice wr_csv_text(struct wr_arena *arena, const char *start, const struct wr_csv_cell *cell)
{
    struct wr_slice text = wr_slice_of(start + cell->start, cell->size);
    if (!cell->doubled) return text;
    char *out = wr_arena_alloc_zero(arena, text.size + WR_DECODE_PADDING), *to = out;
    for (size_t i = 0; i < text.size; i++) {
        *to++ = text.data[i];
        if (text.data[i] == '"') i++;
    }
    return wr_slice_of(out, (size_t)(to - out));
}
