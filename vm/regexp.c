/* REGEXP through PCRE2's DFA matcher, which follows all alternatives at once: no back-tracking, and one pass
 * over the text, because the search for the beginning is part of the automaton ('.*?' in front).
 *
 * What would need back-tracking or a pass of its own at each character (back references, recursion,
 * look-around, atomic groups, possessive quantifiers, conditions) is refused when a pattern is compiled. */
#include "vm/builtin_impl.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdio.h>

/* States that may be open at one character are workspace / 6 or so; a pattern that needs more is an error
 * of the row. Begun small: most patterns need a few. */
enum { WORKSPACE_MIN = 1000, WORKSPACE_MAX = 64000 };

struct wr_regexp {
    struct wr_slice pattern;
    pcre2_code *code;
    pcre2_match_data *match;
    pcre2_match_context *context;
    int *workspace;
    size_t workspace_size;
    int first; /* the byte that every match begins with, or -1 */
};

static struct wr_regexp *refuse(char *message, size_t size, const char *what)
{
    snprintf(message, size, "%s cannot be matched in linear time", what);
    return NULL;
}

/* What a group that begins with (? would need; NULL: nothing special. p is behind the '?'. */
static const char *group_refusal(const char *p, const char *end)
{
    char c = p < end ? *p : 0, d = p + 1 < end ? p[1] : 0;
    if (c == '=' || c == '!' || (c == '<' && (d == '=' || d == '!'))) return "look-around";
    if (c == '>' || (c == '|')) return c == '>' ? "an atomic group" : "a branch reset";
    if (c == '(') return "a condition";
    if (c == 'C') return "a callout";
    if (c == 'R' || c == '&' || c == '+' || (c >= '0' && c <= '9') || (c == '-' && d >= '0' && d <= '9'))
        return "recursion";
    if (c == 'P' && (d == '>' || d == '=')) return "a reference to a group";
    return NULL;
}

static const char *escape_refusal(char c)
{
    if ((c >= '1' && c <= '9') || c == 'k') return "a back reference";
    if (c == 'g') return "a reference to a group";
    if (c == 'K' || c == 'C' || c == 'G') return "this escape";
    return NULL;
}

/* Walks the pattern; NULL when all of it is linear. Escapes and classes are stepped over. */
static const char *refusal(struct wr_slice pattern)
{
    const char *p = pattern.data, *end = p + pattern.size, *why = NULL;
    WR_ASSERT(p);
    bool quantified = false; /* the element before p was a quantifier */
    while (p < end && !why) {
        char c = *p++;
        bool quantifier = false;
        if (c == '\\' && p < end) {
            if (*p == 'Q') {
                while (p < end && !(p[0] == '\\' && p + 1 < end && p[1] == 'E')) p++;
                if (p < end) p += 2;
                continue;
            }
            why = escape_refusal(*p++);
        } else if (c == '[') {
            if (p < end && *p == '^') p++;
            if (p < end && *p == ']') p++;
            for (; p < end && *p != ']'; p++) {
                if (*p == '\\' && p + 1 < end) p++;
                else if (*p == '[' && p + 1 < end && (p[1] == ':' || p[1] == '.' || p[1] == '=')) {
                    const char *close = p + 2;
                    while (close + 1 < end && !(close[0] == p[1] && close[1] == ']')) close++;
                    if (close + 1 < end) p = close + 1;
                }
            }
            if (p < end) p++;
        } else if (c == '(' && p < end && *p == '*') {
            why = "a verb";
        } else if (c == '(' && p < end && *p == '?') {
            why = group_refusal(p + 1, end);
        } else if (c == '*' || c == '?' || c == '+') {
            if (c == '+' && quantified) why = "a possessive quantifier";
            quantifier = !quantified;
        } else if (c == '{') {
            const char *q = p;
            while (q < end && ((*q >= '0' && *q <= '9') || *q == ',')) q++;
            if (q > p && q < end && *q == '}') quantifier = true, p = q + 1;
        }
        quantified = quantifier;
    }
    return why;
}

static pcre2_code *compile(struct wr_slice pattern, char *message, size_t size)
{
    int error;
    PCRE2_SIZE offset;
    pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern.data, pattern.size,
                                     PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C, &error, &offset, NULL);
    if (!code) {
        PCRE2_UCHAR text[128];
        pcre2_get_error_message(error, text, sizeof text);
        snprintf(message, size, "%s, at character %zu of the regular expression", (const char *)text, offset + 1);
    }
    return code;
}

/* '(?s:.*?)(?:P)'. A quotation or a comment that P leaves open is closed first. */
static pcre2_code *compile_search(struct wr_slice pattern, char *message, size_t size)
{
    static const char *const ends[] = {"\\E)", "\n)"};
    pcre2_code *code = NULL;
    for (size_t i = 0; i < WR_COUNT(ends) && !code; i++) {
        struct wr_buf text = {0};
        wr_buf_add_cstr(&text, "(?s:.*?)(?:");
        wr_buf_add_slice(&text, pattern);
        wr_buf_add_cstr(&text, ends[i]);
        code = compile(wr_buf_slice(&text), message, size);
        wr_buf_release(&text);
    }
    return code;
}

/* The byte that begins every match, where the pattern has no options that could fold its case. */
static int first_byte(const pcre2_code *code, struct wr_slice pattern)
{
    uint32_t type = 0, unit = 0;
    for (size_t i = 0; i + 1 < pattern.size; i++)
        if (pattern.data[i] == '(' && pattern.data[i + 1] == '?') return -1;
    if (pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODETYPE, &type) || type != 1) return -1;
    if (pcre2_pattern_info(code, PCRE2_INFO_FIRSTCODEUNIT, &unit)) return -1;
    WR_ASSERT(unit <= 0xff);
    return unit < 0x80 ? (int)unit : -1;
}

struct wr_regexp *wr_regexp_new(struct wr_slice pattern, char *message, size_t size)
{
    if (!pattern.data) pattern.data = "";
    const char *why = refusal(pattern);
    if (why) return refuse(message, size, why);
    pcre2_code *alone = compile(pattern, message, size);
    if (!alone) return NULL;
    int first = first_byte(alone, pattern);
    pcre2_code_free(alone);
    pcre2_code *code = compile_search(pattern, message, size);
    if (!code) return NULL;
    struct wr_regexp *regexp = wr_alloc_zero(sizeof *regexp);
    char *copy = wr_alloc(pattern.size + 1);
    memcpy(copy, pattern.data, pattern.size);
    *regexp = (struct wr_regexp){.pattern = wr_slice_of(copy, pattern.size), .code = code, .first = first};
    regexp->match = pcre2_match_data_create(1, NULL);
    regexp->context = pcre2_match_context_create(NULL);
    WR_ASSERT(regexp->match && regexp->context);
    regexp->workspace_size = WORKSPACE_MIN;
    regexp->workspace = wr_alloc(sizeof(int) * regexp->workspace_size);
    return regexp;
}

void wr_regexp_free(void *data)
{
    struct wr_regexp *regexp = data;
    if (!regexp) return;
    pcre2_code_free(regexp->code);
    pcre2_match_data_free(regexp->match);
    pcre2_match_context_free(regexp->context);
    wr_free((void *)(uintptr_t)regexp->pattern.data);
    wr_free(regexp->workspace);
    wr_free(regexp);
}

struct wr_slice wr_regexp_pattern(const struct wr_regexp *regexp)
{
    return regexp->pattern;
}

int wr_regexp_find(struct wr_regexp *regexp, struct wr_slice text)
{
    PCRE2_SIZE start = 0;
    WR_ASSERT(regexp->code && regexp->workspace_size >= WORKSPACE_MIN);
    if (!text.data) text.data = "";
    if (regexp->first >= 0) {
        const char *hit = text.size ? memchr(text.data, regexp->first, text.size) : NULL;
        if (!hit) return 0;
        start = (PCRE2_SIZE)(hit - text.data);
    }
    for (;;) {
        int result = pcre2_dfa_match(regexp->code, (PCRE2_SPTR)text.data, text.size, start,
                                     PCRE2_DFA_SHORTEST | PCRE2_ANCHORED, regexp->match, regexp->context,
                                     regexp->workspace, regexp->workspace_size);
        if (result >= 0) return 1;
        if (result == PCRE2_ERROR_NOMATCH) return 0;
        if (result != PCRE2_ERROR_DFA_WSSIZE || regexp->workspace_size >= WORKSPACE_MAX) return -1;
        regexp->workspace_size *= 4;
        regexp->workspace = wr_realloc(regexp->workspace, sizeof(int) * regexp->workspace_size);
    }
}
