/* Where the fields of a CSV record lie (RFC 4180): quotes count only at the beginning of a field, line ends inside of
 * quotes belong to the field, a doubled quote inside of quotes is one. */
#ifndef WR_CONNECTORS_CSV_SCAN_H
#define WR_CONNECTORS_CSV_SCAN_H

#include "base/slice.h"
#include "base/vec.h"
#include "connectors/decode.h"

struct wr_csv_cell {
    size_t start, size; /* from the record's start; without the quotes */
    bool quoted, doubled; /* doubled: holds "" that stand for " */
};

struct wr_csv_scan {
    char delimiter;
    WR_VEC(struct wr_csv_cell) cell; /* of the record at hand */
    /* how far an unfinished record was looked through */
    size_t field, search;
    /* the special characters of 64 bytes */
    const char *block;
    uint64_t specials;
};

void wr_csv_scan_init(struct wr_csv_scan *s, char delimiter);
void wr_csv_scan_release(struct wr_csv_scan *s);
/* Memory has moved, or another record begins at another place than behind the last one. */
void wr_csv_scan_moved(struct wr_csv_scan *s);
void wr_csv_scan_restart(struct wr_csv_scan *s);

enum wr_csv_found { WR_CSV_RECORD, WR_CSV_MORE, WR_CSV_BAD };
/* Looks at the record that begins at `start`; `end` is followed by 64 readable bytes. RECORD: .cell is filled and
 * *next is behind its line end. MORE: it is not whole yet; the next call gets the same record with more behind it.
 * BAD: *why says QUOTE_OPEN or QUOTE_TAIL. */
enum wr_csv_found wr_csv_scan_record(struct wr_csv_scan *s, const char *start, const char *end, bool at_end,
                                     const char **next, enum wr_decode *why);

/* The text of a cell of the record that begins at `start`, doubled quotes undone: lent from the record, or in the arena with
 * WR_DECODE_PADDING bytes behind it. */
struct wr_slice wr_csv_text(struct wr_arena *arena, const char *start, const struct wr_csv_cell *cell);

#endif
