/* Diagnostics: what is wrong with a program, where, and what would mend it.
 *
 * Codes live in dsl/diag.def, one line each: DIAG(code, severity, title, help page). From it come
 * the enum, `weir help W1203`, docs/errors.md and the check that each code has a text case.
 * A list collects up to WR_DIAG_ERRORS_MAX errors (then a count); rendering is in diag_render.c. */
#ifndef WR_DSL_DIAG_H
#define WR_DSL_DIAG_H

#include "base/buf.h"
#include "dsl/source.h"

enum wr_severity { WR_SEVERITY_ERROR, WR_SEVERITY_WARNING };

enum wr_diag_code {
#define DIAG(code, severity, title, page) WR_DIAG_##code,
#include "dsl/diag.def"
#undef DIAG
    WR_DIAG_COUNT
};

struct wr_diag {
    enum wr_diag_code code;
    struct wr_span span;
    struct wr_slice message;      /* one sentence in the user's terms, no full stop */
    struct wr_slice label;        /* beside the caret; may be empty */
    bool has_second;
    struct wr_span second;        /* another place that matters: the declaration */
    struct wr_slice second_label;
    struct wr_slice help;         /* "did you mean 'amount'?"; may be empty */
};

enum { WR_DIAG_ERRORS_MAX = 20 };

struct wr_diags {
    struct wr_arena *arena; /* owns messages */
    struct wr_sources *sources;
    struct wr_diag *at;
    uint32_t count, capacity;
    uint32_t error_count, warning_count; /* all, also those past the maximum */
    struct wr_diag *spare;               /* what is given out past the maximum */
};

void wr_diags_init(struct wr_diags *diags, struct wr_arena *arena, struct wr_sources *sources);

/* Adds one and returns it, so that a second place or a help can be put in; never NULL (past the
 * maximum it returns a scratch one). Two errors at the same span with the same code are one. */
struct wr_diag *wr_diag_add(struct wr_diags *diags, enum wr_diag_code code, struct wr_span span,
                            const char *format, ...) WR_PRINTF(4, 5);
void wr_diag_label(struct wr_diags *diags, struct wr_diag *d, const char *format, ...) WR_PRINTF(3, 4);
void wr_diag_second(struct wr_diags *diags, struct wr_diag *d, struct wr_span span,
                    const char *format, ...) WR_PRINTF(4, 5);
void wr_diag_help(struct wr_diags *diags, struct wr_diag *d, const char *format, ...) WR_PRINTF(3, 4);
/* "did you mean 'x'?" where a candidate is near; else, where there are few, `all` and their list: "there are a, b". */
struct wr_suggestion;
void wr_diag_suggest(struct wr_diags *diags, struct wr_diag *diag, const struct wr_suggestion *near, const char *all);

static inline bool wr_diags_failed(const struct wr_diags *diags)
{
    return diags->error_count != 0;
}

/* "W1203" etc. */
const char *wr_diag_name(enum wr_diag_code code);
const char *wr_diag_title(enum wr_diag_code code);
enum wr_severity wr_diag_severity(enum wr_diag_code code);
/* The help page: explanation, an example, its repair. */
const char *wr_diag_page(enum wr_diag_code code);
/* WR_DIAG_COUNT when there is no such code. */
enum wr_diag_code wr_diag_find(struct wr_slice name);

/* All diagnostics in the order of their places, errors and warnings mixed, then the count of
 * errors left out. JSON: {"version":1,"diagnostics":[{...}]}. */
/* The list in order of place, in its arena. */
const struct wr_diag **wr_diags_by_place(const struct wr_diags *diags);
void wr_diags_render(const struct wr_diags *diags, bool color, struct wr_buf *out);
void wr_diags_render_json(const struct wr_diags *diags, struct wr_buf *out);

#endif
