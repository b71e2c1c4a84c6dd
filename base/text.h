/* Text helpers: UTF-8, edit distance for suggestions, case. */
#ifndef WR_BASE_TEXT_H
#define WR_BASE_TEXT_H

#include "base/slice.h"

/* The offset of the first byte that is not part of valid UTF-8, or text.size. */
size_t wr_utf8_check(struct wr_slice text);
/* Code points in valid UTF-8 text. */
size_t wr_utf8_length(struct wr_slice text);
/* Encodes one code point; returns the bytes written (1 to 4). */
size_t wr_utf8_encode(char out[4], uint32_t code_point);

/* Damerau-Levenshtein distance without regard to ASCII case, or limit + 1 when it is more. */
unsigned wr_edit_distance(struct wr_slice a, struct wr_slice b, unsigned limit);

/* The best of the candidates offered one by one: at most min(3, length/3 + 1) edits away,
 * and only when no second one is as near. The first few are kept, to be listed where none is near. */
enum { WR_SUGGESTION_LISTED = 8 };
struct wr_suggestion {
    struct wr_slice wanted, best;
    unsigned distance;
    bool tie;
    uint32_t offered; /* how many there were */
    struct wr_slice listed[WR_SUGGESTION_LISTED];
};
void wr_suggestion_init(struct wr_suggestion *s, struct wr_slice wanted);
void wr_suggestion_offer(struct wr_suggestion *s, struct wr_slice candidate);
/* An empty slice when nothing is near enough. */
struct wr_slice wr_suggestion_best(const struct wr_suggestion *s);

/* A duration as people and other databases write it: '1 day', '5 minutes', '1 hour 30 min', '1.5 hours', '-90 s'; units
 * in any case, the greater first, each once; a sign only before a single part. false when it is none. */
bool wr_duration_words(struct wr_slice text, int64_t *micros);

/* What stands around a name in a message, so that no name reads as prose; nothing around a clause. */
static inline const char *wr_quote_of(const char *what)
{
    struct wr_slice text = wr_slice_cstr(what);
    return wr_slice_equal(text, WR_SLICE("WHERE")) || wr_slice_equal(text, WR_SLICE("HAVING")) ? "" : "'";
}

static inline char wr_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

#endif
