/* The lexer: bytes to tokens, one at a time. It knows nothing of the grammar but the kinds of tokens.
 * Errors of single tokens are reported here; the token then is the nearest sensible one, or
 * TOK_WEIR_DSL_error, which starts the parser's recovery without a second message. */
#ifndef WR_DSL_LEXER_H
#define WR_DSL_LEXER_H

#include "dsl/build.h"

/* The comments of a text in their order; grows in the arena of the diagnostics. */
struct wr_comments {
    struct wr_comment *at;
    uint32_t count, capacity;
};

struct wr_lexer {
    struct wr_diags *diags;
    uint32_t file;
    const unsigned char *start, *cursor, *marker, *limit; /* a NUL stands at *limit */
    struct wr_comments *comments;                         /* NULL: comments are passed over */
};

/* The text of source number `file`; it must not change while the lexer lives. A byte order mark
 * at its start is passed over; the first NUL byte and the first invalid UTF-8 are reported. */
void wr_lexer_init(struct wr_lexer *lexer, struct wr_diags *diags, uint32_t file);
/* At the end of the text TOK_YYEOF, again and again. */
struct wr_token wr_lexer_next(struct wr_lexer *lexer);

/* The value of a duration token in microseconds; false when its parts are out of order or the
 * whole does not fit. Units: w d h m s ms us. */
bool wr_duration_decode(struct wr_slice text, int64_t *micros);

#endif
