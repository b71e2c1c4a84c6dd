/* UTF-8, edit distance and suggestions. */
#include "base/text.h"

bool wr_slice_equal_nocase(struct wr_slice a, struct wr_slice b)
{
    if (a.size != b.size) return false;
    for (size_t i = 0; i < a.size; i++)
        if (wr_lower(a.data[i]) != wr_lower(b.data[i])) return false;
    return true;
}

/* The length of the valid sequence at p, or 0. */
static size_t sequence_length(const unsigned char *p, size_t room)
{
    if (p[0] < 0x80) return 1;
    size_t n = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
    if (p[0] < 0xc2 || p[0] > 0xf4 || room < n) return 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xc0) != 0x80) return 0;
    if (p[0] == 0xe0 && p[1] < 0xa0) return 0; /* overlong */
    if (p[0] == 0xed && p[1] > 0x9f) return 0; /* surrogates */
    if (p[0] == 0xf0 && p[1] < 0x90) return 0; /* overlong */
    if (p[0] == 0xf4 && p[1] > 0x8f) return 0; /* past U+10FFFF */
    return n;
}

size_t wr_utf8_check(struct wr_slice text)
{
    const unsigned char *p = (const unsigned char *)text.data;
    for (size_t i = 0; i < text.size;) {
        size_t n = sequence_length(p + i, text.size - i);
        if (n == 0) return i;
        i += n;
    }
    return text.size;
}

size_t wr_utf8_length(struct wr_slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) n += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return n;
}

size_t wr_utf8_encode(char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (size_t i = n - 1; i > 0; i--, c >>= 6) out[i] = (char)(0x80 | (c & 0x3f));
    out[0] = (char)((n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0) | c);
    return n;
}

enum { DISTANCE_SIZE_MAX = 64 };

unsigned wr_edit_distance(struct wr_slice a, struct wr_slice b, unsigned limit)
{
    if (a.size > DISTANCE_SIZE_MAX || b.size > DISTANCE_SIZE_MAX) return limit + 1;
    unsigned row[3][DISTANCE_SIZE_MAX + 1];
    unsigned *before = row[0], *last = row[1], *now = row[2];
    for (size_t j = 0; j <= b.size; j++) last[j] = (unsigned)j;
    for (size_t i = 1; i <= a.size; i++) {
        unsigned least = now[0] = (unsigned)i;
        for (size_t j = 1; j <= b.size; j++) {
            char x = wr_lower(a.data[i - 1]), y = wr_lower(b.data[j - 1]);
            unsigned d = last[j - 1] + (x != y);
            d = WR_MIN(d, WR_MIN(last[j], now[j - 1]) + 1);
            if (i > 1 && j > 1 && x == wr_lower(b.data[j - 2]) && wr_lower(a.data[i - 2]) == y)
                d = WR_MIN(d, before[j - 2] + 1);
            now[j] = d;
            least = WR_MIN(least, d);
        }
        if (least > limit) return limit + 1;
        unsigned *t = before;
        before = last;
        last = now;
        now = t;
    }
    return last[b.size] > limit ? limit + 1 : last[b.size];
}

void wr_suggestion_init(struct wr_suggestion *s, struct wr_slice wanted)
{
    unsigned limit = WR_MIN(3u, (unsigned)WR_MIN(wanted.size, (size_t)64) / 3 + 1);
    *s = (struct wr_suggestion){.wanted = wanted, .distance = limit + 1};
}

void wr_suggestion_offer(struct wr_suggestion *s, struct wr_slice candidate)
{
    if (s->offered < WR_SUGGESTION_LISTED) s->listed[s->offered] = candidate;
    s->offered++;
    unsigned d = wr_edit_distance(s->wanted, candidate, s->distance);
    if (d < s->distance) {
        s->best = candidate;
        s->distance = d;
        s->tie = false;
    } else if (d == s->distance && s->best.data && !wr_slice_equal_nocase(candidate, s->best)) {
        s->tie = true;
    }
}

struct wr_slice wr_suggestion_best(const struct wr_suggestion *s)
{
    /* Any letter is one edit from any other. */
    return s->tie || s->wanted.size < 2 ? (struct wr_slice){0} : s->best;
}

/* ---- Durations in words ----------------------------------------------------------------------------- */

static const struct {
    const char *name; /* with or without an s behind it */
    int64_t micros;
} duration_units[] = {
    {"week", 604800000000}, {"w", 604800000000}, {"day", 86400000000}, {"d", 86400000000}, {"hour", 3600000000},
    {"hr", 3600000000},     {"h", 3600000000},   {"minute", 60000000}, {"min", 60000000},  {"m", 60000000},
    {"second", 1000000},    {"sec", 1000000},    {"s", 1000000},       {"millisecond", 1000}, {"msec", 1000},
    {"ms", 1000},           {"microsecond", 1},  {"usec", 1},          {"us", 1}};

static int64_t duration_unit(struct wr_slice name)
{
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < WR_COUNT(duration_units); i++)
            if (wr_slice_equal_nocase(name, wr_slice_cstr(duration_units[i].name))) return duration_units[i].micros;
        if (name.size > 1 && wr_lower(name.data[name.size - 1]) == 's') name.size--;
    }
    return 0;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static void skip_blanks(struct wr_slice text, size_t *at)
{
    while (*at < text.size && text.data[*at] == ' ') (*at)++;
}

/* digits[.digits] of the unit that follows, added to *total; what is finer than a microsecond is refused. */
static bool duration_part(struct wr_slice text, size_t *at, int64_t *unit, int64_t *total)
{
    size_t start = *at, point = 0;
    while (*at < text.size && (is_digit(text.data[*at]) || (text.data[*at] == '.' && !point))) {
        if (text.data[*at] == '.') point = *at;
        (*at)++;
    }
    struct wr_slice number = wr_slice_of(text.data + start, *at - start);
    skip_blanks(text, at);
    size_t letters = *at;
    while (*at < text.size && ((text.data[*at] | 32) >= 'a' && (text.data[*at] | 32) <= 'z')) (*at)++;
    *unit = duration_unit(wr_slice_of(text.data + letters, *at - letters));
    if (number.size == 0 || !is_digit(number.data[0]) || !is_digit(number.data[number.size - 1]) || *unit == 0)
        return false;
    int64_t whole = 0, step = *unit;
    bool behind = false;
    for (size_t i = 0; i < number.size; i++) {
        int64_t digit = number.data[i] - '0', part;
        if (number.data[i] == '.') {
            behind = true;
        } else if (!behind) {
            if (__builtin_mul_overflow(whole, 10, &whole) || __builtin_add_overflow(whole, digit, &whole)) return false;
        } else {
            if (step % 10 && digit) return false;
            step /= 10;
            if (__builtin_mul_overflow(digit, step, &part) || __builtin_add_overflow(*total, part, total)) return false;
        }
    }
    return !__builtin_mul_overflow(whole, *unit, &whole) && !__builtin_add_overflow(*total, whole, total);
}

bool wr_duration_words(struct wr_slice text, int64_t *micros)
{
    size_t at = 0, parts = 0;
    int64_t total = 0, last = INT64_MAX;
    skip_blanks(text, &at);
    bool sign = at < text.size && (text.data[at] == '-' || text.data[at] == '+');
    bool negative = sign && text.data[at++] == '-';
    for (; at < text.size; parts++) {
        int64_t unit;
        if (!duration_part(text, &at, &unit, &total) || unit >= last) return false;
        last = unit;
        skip_blanks(text, &at);
    }
    if (parts == 0 || (sign && parts > 1)) return false;
    *micros = negative ? -total : total;
    return true;
}
