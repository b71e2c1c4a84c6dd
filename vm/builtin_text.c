/* Functions of text. Text is UTF-8; what is not is handled byte by byte, never read past its end. */
#include "vm/builtin_impl.h"

#include "base/text.h"
#include "vm/json.h"

/* A text that may be walked even when it is empty and nowhere. */
static struct wr_slice text_of(const struct wr_value *value)
{
    return wr_slice_of(value->u.str.data ? value->u.str.data : "", value->u.str.size);
}
#define STR(n) (text_of(&argument[n]))

/* ---- Characters ----------------------------------------------------------------------------------- */

/* Bytes of the character at p (at least 1, never past the end). */
static size_t char_size(const char *p, const char *end)
{
    unsigned char c = (unsigned char)*p;
    WR_ASSERT(p < end);
    size_t size = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    return WR_MIN(size, (size_t)(end - p));
}

/* Bytes of the character before `end`. */
static size_t char_size_before(const char *start, const char *end)
{
    const char *p = end - 1;
    WR_ASSERT(start < end);
    while (p > start && end - p < 4 && ((unsigned char)*p & 0xc0) == 0x80) p--;
    return char_size(p, end) == (size_t)(end - p) ? (size_t)(end - p) : 1;
}

static const char *find(struct wr_slice text, struct wr_slice part)
{
    if (part.size == 0) return text.data ? text.data : "";
    return text.size < part.size ? NULL : memmem(text.data, text.size, part.data, part.size);
}

/* ---- Case ----------------------------------------------------------------------------------------- */

/* Alphabets whose capital and small letters lie a fixed distance apart, or alternate (distance 1). */
static const struct {
    uint16_t first, last; /* capitals; of alternating ones: the whole range, a capital first */
    uint16_t distance;
} alphabets[] = {
    {'A', 'Z', 32},          {0xc0, 0xd6, 32},       {0xd8, 0xde, 32},       {0x100, 0x12f, 1},
    {0x132, 0x137, 1},       {0x139, 0x148, 1},      {0x14a, 0x177, 1},      {0x179, 0x17e, 1},
    {0x386, 0x386, 0x26},    {0x388, 0x38a, 0x25},   {0x38c, 0x38c, 0x40},   {0x38e, 0x38f, 0x3f},
    {0x391, 0x3a1, 32},      {0x3a3, 0x3ab, 32},     {0x400, 0x40f, 80},     {0x410, 0x42f, 32},
    {0x460, 0x481, 1},       {0x48a, 0x4bf, 1},      {0x4c1, 0x4ce, 1},      {0x4d0, 0x52f, 1},
    {0x531, 0x556, 48},      {0x1e00, 0x1e95, 1},    {0x1ea0, 0x1eff, 1},
};

static uint32_t to_case(uint32_t c, bool upper)
{
    if (c == 0xff && upper) return 0x178;
    if (c == 0x178 && !upper) return 0xff;
    if (c == 0x3c2 && upper) return 0x3a3; /* the final sigma */
    for (size_t i = 0; i < WR_COUNT(alphabets); i++) {
        uint32_t first = alphabets[i].first, last = alphabets[i].last, distance = alphabets[i].distance;
        if (distance == 1) {
            if (c < first || c > last) continue;
            bool is_upper = ((c - first) & 1) == 0;
            return is_upper == upper ? c : upper ? c - 1 : c + 1;
        }
        if (!upper && c >= first && c <= last) return c + distance;
        if (upper && c >= first + distance && c <= last + distance) return c - distance;
    }
    return c;
}

static enum wr_reason change_case(struct wr_call *call, struct wr_slice text, bool upper, struct wr_value *out)
{
    char *to = wr_arena_alloc(call->strings, text.size + 1), *next = to;
    const char *p = text.data, *end = p + text.size;
    while (p < end) {
        size_t size = char_size(p, end);
        if (size == 1) {
            char c = *p;
            if (upper ? c >= 'a' && c <= 'z' : c >= 'A' && c <= 'Z') c = (char)(c ^ 32);
            *next++ = c;
        } else if (size == 4) {
            memcpy(next, p, size);
            next += size;
        } else {
            const unsigned char *u = (const unsigned char *)p;
            uint32_t c = size == 2 ? (u[0] & 0x1fu) << 6 | (u[1] & 0x3fu)
                                   : (u[0] & 0xfu) << 12 | (u[1] & 0x3fu) << 6 | (u[2] & 0x3fu);
            uint32_t changed = to_case(c, upper);
            if (changed == c) memcpy(next, p, size), next += size;
            else next += wr_utf8_encode(next, changed);
        }
        p += size;
    }
    WR_ASSERT((size_t)(next - to) <= text.size);
    out->u.str = wr_slice_of(to, (size_t)(next - to));
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(upper)
{
    WR_ASSERT(count == 1);
    return change_case(call, STR(0), true, out);
}

WR_BUILTIN_FN(lower)
{
    WR_ASSERT(count == 1);
    return change_case(call, STR(0), false, out);
}

/* ---- Parts ---------------------------------------------------------------------------------------- */

static bool is_one_of(struct wr_slice set, const char *c, size_t size)
{
    const char *p = set.data, *end = p + set.size;
    while (p < end) {
        size_t n = char_size(p, end);
        if (n == size && memcmp(p, c, n) == 0) return true;
        p += n;
    }
    return false;
}

static enum wr_reason trim(const struct wr_value *argument, unsigned count, bool left, bool right,
                           struct wr_value *out)
{
    struct wr_slice set = count > 1 ? STR(1) : WR_SLICE(" ");
    const char *start = STR(0).data, *end = start + STR(0).size;
    while (left && start < end && is_one_of(set, start, char_size(start, end))) start += char_size(start, end);
    while (right && start < end) {
        size_t size = char_size_before(start, end);
        if (!is_one_of(set, end - size, size)) break;
        end -= size;
    }
    out->u.str = wr_slice_of(start, (size_t)(end - start));
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(trim)
{
    WR_UNUSED(call);
    WR_ASSERT(count >= 1 && count <= 2);
    return trim(argument, count, true, true, out);
}

WR_BUILTIN_FN(ltrim)
{
    WR_UNUSED(call);
    WR_ASSERT(count >= 1 && count <= 2);
    return trim(argument, count, true, false, out);
}

WR_BUILTIN_FN(rtrim)
{
    WR_UNUSED(call);
    WR_ASSERT(count >= 1 && count <= 2);
    return trim(argument, count, false, true, out);
}

/* SQL's: characters from position `from` up to, not including, from + length; positions below 1 are empty. */
WR_BUILTIN_FN(substring)
{
    int64_t from = argument[1].u.i64, stop = INT64_MAX;
    const char *p = STR(0).data, *end = p + STR(0).size;
    WR_UNUSED(call);
    WR_ASSERT(count >= 2 && count <= 3);
    if (count > 2) {
        int64_t length = argument[2].u.i64;
        if (length < 0) return WR_REASON_DOMAIN;
        if (__builtin_add_overflow(from, length, &stop)) stop = INT64_MAX;
    }
    int64_t position = 1;
    for (; p < end && position < from; position++) p += char_size(p, end);
    const char *start = p;
    for (; p < end && position < stop; position++) p += char_size(p, end);
    out->u.str = wr_slice_of(start, (size_t)(p - start));
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(length)
{
    const char *p = STR(0).data, *end = p + STR(0).size;
    WR_UNUSED(call);
    WR_ASSERT(count == 1);
    for (out->u.i64 = 0; p < end; p += char_size(p, end)) out->u.i64++;
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(length_bytes)
{
    WR_UNUSED(call);
    WR_ASSERT(count == 1);
    out->u.i64 = (int64_t)STR(0).size;
    return WR_REASON_NONE;
}

/* Part n of the text, from 1, or from the end when n is negative. */
WR_BUILTIN_FN(split)
{
    struct wr_slice separator = STR(1);
    int64_t n = argument[2].u.i64, parts = 1;
    const char *p = STR(0).data, *end = p + STR(0).size, *hit;
    WR_UNUSED(call);
    WR_ASSERT(count == 3);
    if (n == 0) return WR_REASON_DOMAIN;
    if (n < 0) {
        const char *q = p;
        while (separator.size && (hit = find(wr_slice_of(q, (size_t)(end - q)), separator)))
            q = hit + separator.size, parts++;
        n = n < -parts ? 0 : parts + 1 + n;
    }
    out->flag = WR_FLAG_NULL;
    for (int64_t i = 1; n > 0; i++) {
        hit = separator.size ? find(wr_slice_of(p, (size_t)(end - p)), separator) : NULL;
        if (i == n) {
            out->flag = WR_FLAG_VALUE;
            out->u.str = wr_slice_of(p, (size_t)((hit ? hit : end) - p));
            break;
        }
        if (!hit) break;
        p = hit + separator.size;
    }
    return WR_REASON_NONE;
}

/* ---- Making text ---------------------------------------------------------------------------------- */

WR_BUILTIN_FN(concat)
{
    size_t size = 0;
    for (unsigned i = 0; i < count; i++) size += STR(i).size;
    if (size > WR_TEXT_SIZE_MAX) return WR_REASON_LENGTH;
    char *to = wr_arena_alloc(call->strings, size + 1);
    out->u.str = wr_slice_of(to, size);
    for (unsigned i = 0; i < count; i++) {
        if (STR(i).size) memcpy(to, STR(i).data, STR(i).size);
        to += STR(i).size;
    }
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(replace)
{
    struct wr_slice old = STR(1), new = STR(2);
    const char *p = STR(0).data, *end = p + STR(0).size, *hit;
    size_t hits = 0;
    WR_ASSERT(count == 3);
    out->u.str = STR(0);
    if (old.size == 0) return WR_REASON_NONE;
    for (const char *q = p; (hit = find(wr_slice_of(q, (size_t)(end - q)), old)); q = hit + old.size) hits++;
    if (hits == 0) return WR_REASON_NONE;
    size_t rest = STR(0).size - hits * old.size;
    if (new.size && hits > WR_TEXT_SIZE_MAX / new.size) return WR_REASON_LENGTH;
    if (rest + hits * new.size > WR_TEXT_SIZE_MAX) return WR_REASON_LENGTH;
    char *to = wr_arena_alloc(call->strings, rest + hits * new.size + 1);
    out->u.str = wr_slice_of(to, rest + hits * new.size);
    while (hits-- > 0) {
        hit = find(wr_slice_of(p, (size_t)(end - p)), old);
        WR_ASSERT(hit);
        memcpy(to, p, (size_t)(hit - p));
        to += hit - p;
        if (new.size) memcpy(to, new.data, new.size);
        to += new.size;
        p = hit + old.size;
    }
    memcpy(to, p, (size_t)(end - p));
    return WR_REASON_NONE;
}

/* ---- Finding -------------------------------------------------------------------------------------- */

WR_BUILTIN_FN(starts_with)
{
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    out->u.boolean = STR(0).size >= STR(1).size && wr_slice_equal(wr_slice_of(STR(0).data, STR(1).size), STR(1));
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(ends_with)
{
    size_t size = STR(0).size, part = STR(1).size;
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    out->u.boolean = size >= part && (part == 0 || memcmp(STR(0).data + size - part, STR(1).data, part) == 0);
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(contains)
{
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    out->u.boolean = find(STR(0), STR(1)) != NULL;
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(position)
{
    const char *hit = find(STR(1), STR(0)), *p = STR(1).data;
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    out->u.i64 = hit ? 1 : 0;
    if (hit && STR(0).size)
        for (; p < hit; p += char_size(p, hit)) out->u.i64++;
    return WR_REASON_NONE;
}

/* One element of a LIKE pattern. */
struct like_step {
    enum { LIKE_END, LIKE_ANY, LIKE_ONE, LIKE_TEXT, LIKE_BAD } kind;
    const char *text;
    size_t size;
    const char *next;
};

static struct like_step like_step(const char *p, const char *end, struct wr_slice escape)
{
    struct like_step s = {LIKE_END, p, 0, p};
    if (p == end) return s;
    s.size = char_size(p, end);
    s.next = p + s.size;
    s.kind = LIKE_TEXT;
    if (escape.size && s.size == escape.size && memcmp(p, escape.data, s.size) == 0) {
        if (s.next == end) return (struct like_step){LIKE_BAD, p, 0, p};
        s.text = s.next;
        s.size = char_size(s.next, end);
        s.next += s.size;
    } else if (*p == '%') {
        s.kind = LIKE_ANY;
    } else if (*p == '_') {
        s.kind = LIKE_ONE;
    }
    return s;
}

/* Greedy with one point of return, the last %: at most text times pattern steps. */
WR_BUILTIN_FN(like)
{
    struct wr_slice escape = count > 2 ? STR(2) : (struct wr_slice){"", 0};
    const char *t = STR(0).data, *end = t + STR(0).size, *p = STR(1).data, *stop = p + STR(1).size;
    const char *back_p = NULL, *back_t = NULL;
    WR_UNUSED(call);
    WR_ASSERT(count >= 2 && count <= 3);
    if (count > 2 && (escape.size == 0 || char_size(escape.data, escape.data + escape.size) != escape.size))
        return WR_REASON_DOMAIN;
    for (struct like_step s; (s = like_step(p, stop, escape)).kind != LIKE_END; p = s.next)
        if (s.kind == LIKE_BAD) return WR_REASON_DOMAIN;
    p = STR(1).data;
    for (;;) {
        struct like_step s = like_step(p, stop, escape);
        if (s.kind == LIKE_ANY) {
            back_p = p = s.next;
            back_t = t;
            continue;
        }
        if (s.kind == LIKE_END && t == end) break;
        if (s.kind == LIKE_ONE && t < end) {
            t += char_size(t, end);
            p = s.next;
            continue;
        }
        if (s.kind == LIKE_TEXT && (size_t)(end - t) >= s.size && memcmp(t, s.text, s.size) == 0) {
            t += s.size;
            p = s.next;
            continue;
        }
        if (!back_p || back_t == end) {
            out->u.boolean = false;
            return WR_REASON_NONE;
        }
        back_t += char_size(back_t, end);
        t = back_t;
        p = back_p;
    }
    out->u.boolean = true;
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(regexp)
{
    void **data = &call->cache->slot[WR_CACHE_PATTERN].data;
    char message[128];
    WR_ASSERT(count == 2);
    if (!*data || !wr_slice_equal(wr_regexp_pattern(*data), STR(1))) {
        struct wr_regexp *compiled = wr_regexp_new(STR(1), message, sizeof message);
        if (!compiled) return WR_REASON_DOMAIN;
        wr_regexp_free(*data);
        *data = compiled;
        call->cache->slot[WR_CACHE_PATTERN].release = wr_regexp_free;
    }
    int found = wr_regexp_find(*data, STR(0));
    out->u.boolean = found > 0;
    return found < 0 ? WR_REASON_DOMAIN : WR_REASON_NONE;
}

/* ---- JSON ----------------------------------------------------------------------------------------- */

static enum wr_reason json(struct wr_call *call, const struct wr_value *argument, bool as_text, struct wr_value *out)
{
    switch (wr_json_find(call->strings, STR(0), STR(1), as_text, &out->u.str)) {
    case WR_JSON_FOUND: return WR_REASON_NONE;
    case WR_JSON_ABSENT: out->flag = WR_FLAG_NULL; return WR_REASON_NONE;
    case WR_JSON_BAD_TEXT: return WR_REASON_CAST;
    case WR_JSON_BAD_PATH: break;
    }
    return WR_REASON_DOMAIN;
}

WR_BUILTIN_FN(json_value)
{
    WR_ASSERT(count == 2);
    return json(call, argument, true, out);
}

WR_BUILTIN_FN(json_query)
{
    WR_ASSERT(count == 2);
    return json(call, argument, false, out);
}
