#include "vm/json.h"

#include "vm/text.h"
#include <jansson.h>

/* Integers past 64 bits are read as doubles. Deeper than jansson's own limit (2,048 levels) is refused by
 * it, so no text can exhaust the stack. */
static json_t *load(struct wr_slice text)
{
    size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    json_error_t error;
    if (text.size == 0) return NULL;
    json_t *value = json_loadb(text.data, text.size, flags, &error);
    if (!value && json_error_code(&error) == json_error_numeric_overflow)
        value = json_loadb(text.data, text.size, flags | JSON_DECODE_INT_AS_REAL, &error);
    return value;
}

bool wr_json_is_text(struct wr_slice text)
{
    json_t *value = load(text);
    if (value) json_decref(value);
    return value != NULL;
}

struct step {
    bool is_index;
    struct wr_slice name;
    int64_t index; /* negative: from the end */
};

/* The next step at *p; -1: bad, 0: the path has ended, 1: *out is it. */
static int next_step(const char **p, const char *end, struct step *out)
{
    const char *s = *p;
    WR_ASSERT(s <= end);
    if (s == end) return 0;
    if (*s == '.') {
        const char *start = ++s;
        while (s < end && *s != '.' && *s != '[') s++;
        out->is_index = false;
        out->name = wr_slice_of(start, (size_t)(s - start));
        *p = s;
        return out->name.size ? 1 : -1;
    }
    if (*s++ != '[' || s == end) return -1;
    if (*s == '"' || *s == '\'') {
        const char quote = *s++, *start = s;
        while (s < end && *s != quote) s++;
        if (end - s < 2 || s[1] != ']') return -1;
        out->is_index = false;
        out->name = wr_slice_of(start, (size_t)(s - start));
        *p = s + 2;
        return 1;
    }
    const char *start = s;
    while (s < end && *s != ']') s++;
    if (s == end || !wr_parse_i64(wr_slice_of(start, (size_t)(s - start)), &out->index)) return -1;
    out->is_index = true;
    *p = s + 1;
    return 1;
}

bool wr_json_path_check(struct wr_slice path)
{
    if (path.size == 0 || path.data[0] != '$') return false;
    const char *p = path.data + 1, *end = path.data + path.size;
    struct step step;
    int found;
    while ((found = next_step(&p, end, &step)) == 1) {
    }
    return found == 0;
}

static const json_t *take_step(const json_t *at, const struct step *step)
{
    if (!step->is_index) return json_object_getn(at, step->name.data, step->name.size);
    int64_t size = (int64_t)json_array_size(at);
    int64_t index = step->index < 0 ? step->index + size : step->index;
    return index >= 0 && index < size ? json_array_get(at, (size_t)index) : NULL;
}

static struct wr_slice dump(struct wr_arena *arena, const json_t *at)
{
    size_t flags = JSON_ENCODE_ANY | JSON_COMPACT;
    size_t size = json_dumpb(at, NULL, 0, flags);
    char *text = wr_arena_alloc(arena, size + 1);
    size_t written = json_dumpb(at, text, size, flags);
    WR_ASSERT(written == size);
    return wr_slice_of(text, size);
}

static bool scalar(struct wr_arena *arena, const json_t *at, struct wr_slice *out)
{
    char text[WR_TEXT_MAX];
    WR_ASSERT(at);
    if (json_is_string(at)) {
        *out = wr_arena_copy(arena, wr_slice_of(json_string_value(at), json_string_length(at)));
    } else if (json_is_integer(at)) {
        *out = wr_arena_copy(arena, wr_slice_of(text, wr_print_i64(text, json_integer_value(at))));
    } else if (json_is_real(at)) {
        *out = wr_arena_copy(arena, wr_slice_of(text, wr_print_f64(text, json_real_value(at))));
    } else if (json_is_boolean(at)) {
        *out = json_is_true(at) ? WR_SLICE("true") : WR_SLICE("false");
    } else {
        return false;
    }
    return true;
}

enum wr_json_found wr_json_find(struct wr_arena *arena, struct wr_slice text, struct wr_slice path, bool as_text,
                                struct wr_slice *out)
{
    if (!wr_json_path_check(path)) return WR_JSON_BAD_PATH;
    json_t *value = load(text);
    if (!value) return WR_JSON_BAD_TEXT;
    const char *p = path.data + 1, *end = path.data + path.size;
    const json_t *at = value;
    struct step step;
    while (at && next_step(&p, end, &step) == 1) at = take_step(at, &step);
    bool found = at != NULL;
    if (found && as_text) found = scalar(arena, at, out);
    if (found && !as_text) *out = dump(arena, at);
    json_decref(value);
    return found ? WR_JSON_FOUND : WR_JSON_ABSENT;
}
