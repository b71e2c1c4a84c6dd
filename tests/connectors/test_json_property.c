/* Random records, sound and damaged, against another parser: what jansson takes is read with the same values, what it
 * refuses is a bad record, and no line has anything to do with its neighbours. */
#include "connectors/harness.h"

#include "connectors/encode.h"

#include <jansson.h>

static uint64_t seed;

static unsigned below(unsigned n)
{
    seed = wr_mix64(seed);
    return (unsigned)(seed >> 32) % n;
}

static void put_space(struct wr_buf *out)
{
    static const char *const spaces[] = {"", "", "", " ", "\t", "  "};
    wr_buf_add_cstr(out, spaces[below(WR_COUNT(spaces))]);
}

static void put_string(struct wr_buf *out)
{
    static const char *const parts[] = {"a", "b", "card", "\\\"", "\\\\", "\\n", "\\u00e9", "\\ud83d\\ude00",
        "\xc3\xa9", "\xf0\x9f\x98\x80",
                                        " ", ",", "}", "{", "[", ":", "0123456789", "\\/"};
    wr_buf_add_char(out, '"');
    for (unsigned n = below(6); n > 0; n--) wr_buf_add_cstr(out, parts[below(WR_COUNT(parts))]);
    wr_buf_add_char(out, '"');
}

static void put_number(struct wr_buf *out)
{
    switch (below(6)) {
    case 0: wr_buf_printf(out, "%u", below(1000)); break;
    case 1: wr_buf_printf(out, "-%u", below(1000000)); break;
    case 2: wr_buf_printf(out, "%u.%02u", below(100000), below(100)); break;
    case 3: wr_buf_printf(out, "%.17g", (double)below(1000000) / 7 * 1e3); break;
    case 4: wr_buf_printf(out, "%u%u%u", 1 + below(1000), below(1000), below(1000)); break;
    default: wr_buf_printf(out, "%u.%ue%s%u", below(10), below(1000000), below(2) ? "-" : "", below(30)); break;
    }
}

/* All fields are columns, so that nothing of a record goes unread: s STRING, d DOUBLE, b BOOLEAN, n BIGINT. */
static void put_record(struct wr_buf *out)
{
    static const char *const keys[] = {"\"s\"", "\"d\"", "\"b\"", "\"i\""};
    bool first = true;
    put_space(out);
    wr_buf_add_char(out, '{');
    put_space(out);
    for (unsigned k = 0, start = below(4); k < 4; k++) {
        unsigned f = below(10) ? (start + k) % 4 : k;
        if (below(8) == 0) continue;
        if (!first) wr_buf_add_char(out, ',');
        first = false;
        put_space(out);
        wr_buf_add_cstr(out, keys[f]);
        put_space(out);
        wr_buf_add_char(out, ':');
        put_space(out);
        if (below(10) == 0) wr_buf_add_cstr(out, "null");
        else if (f == 0) put_string(out);
        else if (f == 1) put_number(out);
        else if (f == 2) wr_buf_add_cstr(out, below(2) ? "true" : "false");
        else wr_buf_printf(out, "%s%u", below(4) ? "" : "-", below(2) ? below(10) : below(2000000000));
        put_space(out);
    }
    wr_buf_add_char(out, '}');
    put_space(out);
}

static void damage(struct wr_buf *line)
{
    static const char bytes[] = "{}[]:,\"\\0123456789.-+eE trufalsn\x01\xff\xc3\x80";
    for (unsigned n = 1 + below(3); n > 0 && line->size > 1; n--) {
        unsigned at = below((unsigned)line->size);
        switch (below(3)) {
        case 0: line->data[at] = bytes[below(sizeof bytes - 1)]; break;
        case 1:
            memmove(line->data + at, line->data + at + 1, line->size - at - 1);
            line->size--;
            break;
        default: line->size = at + 1; break;
        }
    }
}

static bool is_column(const char *key)
{
    return strlen(key) == 1 && strchr("sdbi", key[0]);
}

/* The line that the reader must make of it,
    or false: a bad record. *exact is false where nothing can be said: a field
 * that no column reads is not checked, and of duplicates jansson keeps the last. */
static bool oracle(struct wr_slice line, struct wr_buf *out, bool *exact)
{
    json_error_t error;
    json_t *o = json_loadb(line.data, line.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
    *exact = true;
    if (!o) {
        enum json_error_code code = json_error_code(&error);
        if (code == json_error_duplicate_key || code == json_error_numeric_overflow) *exact = false;
        /* Keys that nobody reads may stand before what jansson does not like. */
        return false;
    }
    bool good = json_is_object(o);
    const char *key;
    json_t *v;
    json_object_foreach(o, key, v)
        if (!is_column(key)) *exact = false;
    static const char *const names[] = {"s", "d", "b", "i"};
    for (unsigned i = 0; i < 4 && good; i++) {
        v = json_object_get(o, names[i]);
        wr_buf_printf(out, "%s\"%s\":", i ? "," : "{", names[i]);
        if (!v || json_is_null(v)) {
            wr_buf_add_cstr(out, "null");
        } else if (i == 0) {
            good = json_is_string(v);
            if (good) wr_json_quote(wr_slice_of(json_string_value(v), json_string_length(v)), out);
        } else if (i == 1) {
            good = json_is_number(v) || json_is_string(v);
            if (json_is_string(v)) *exact = false;
            char text[WR_TEXT_MAX];
            wr_buf_add(out, text, wr_print_f64(text, json_number_value(v)));
        } else if (i == 2) {
            good = json_is_boolean(v);
            wr_buf_add_cstr(out, json_is_true(v) ? "true" : "false");
        } else {
            good = json_is_integer(v) || json_is_string(v) || json_is_real(v);
            if (!json_is_integer(v)) *exact = false; /* 5.0 and "5" are whole numbers to weir */
            wr_buf_printf(out, "%lld", (long long)json_integer_value(v));
        }
    }
    wr_buf_add_cstr(out, "}\n");
    json_decref(o);
    return good;
}

/* Does a key that is no column stand in the text? Then jansson may refuse what weir does not look at. */
static bool has_foreign_key(struct wr_slice line)
{
    for (size_t i = 0; i + 1 < line.size; i++) {
        if (line.data[i] != '"') continue;
        size_t end = i + 1;
        while (end < line.size && line.data[end] != '"') end += 1 + (line.data[end] == '\\');
        size_t next = end + 1;
        while (next < line.size && (line.data[next] == ' ' || line.data[next] == '\t')) next++;
        bool column = end == i + 2 && strchr("sdbi", line.data[i + 1]);
        if (next < line.size && line.data[next] == ':' && !column) return true;
        i = end;
    }
    return false;
}

struct outcome {
    struct wr_slice line;
    struct wr_slice wanted;
    bool good, exact, blank;
};

/* What came of each record, by its number: the row as text, or NULL for a bad one. */
struct seen {
    struct wr_arena arena;
    struct wr_slice *row;
    size_t count;
};

static void on_bad_count(void *context, const struct wr_bad_record *b)
{
    struct seen *s = context;
    assert_true(b->offset < s->count);
    s->row[b->offset] = (struct wr_slice){0};
}

static void compare(struct wr_slice text, const struct outcome *o, size_t lines)
{
    struct table t;
    struct wr_error error = {0};
    table_begin(&t, "s:STRING d:DOUBLE b:BOOLEAN i:BIGINT");
    struct seen seen = {.row = calloc(lines, sizeof(struct wr_slice)), .count = lines};
    wr_arena_init(&seen.arena);
    struct wr_read_spec spec = table_spec(&t);
    spec.on_bad = on_bad_count;
    spec.context = &seen;
    struct wr_reader *r = wr_json_reader_new(&spec, wr_byte_source_memory("text", text, 1 + below(100000)), &error);
    struct wr_encoder *e = wr_connectors_library.open_encoder(&t.schema, NULL, "json", &error);
    struct wr_batch batch;
    struct wr_buf out = {0};
    while (r->cls->read(r, &batch, &error) == WR_OK)
        for (uint32_t i = 0; i < batch.rows; i++) {
            wr_buf_clear(&out);
            e->cls->row(e, &batch, i, NULL, &out);
            assert_true(batch.offset[i] < lines);
            seen.row[batch.offset[i]] = wr_arena_copy(&seen.arena, wr_buf_slice(&out));
        }
    size_t record = 0;
    for (size_t i = 0; i < lines; i++) {
        if (o[i].blank) continue;
        bool read = seen.row[record].data != NULL;
        bool agrees = read == o[i].good && (!read || wr_slice_equal(seen.row[record], o[i].wanted));
        if (o[i].exact && !agrees)
            fail_msg("line: %.*s\nwanted: %.*sgot: %.*s", WR_SLICE_ARG(o[i].line),
                o[i].good ? (int)o[i].wanted.size : 4,
                     o[i].good ? o[i].wanted.data : "bad\n", WR_SLICE_ARG(seen.row[record]));
        record++;
    }
    r->cls->close(r);
    e->cls->free(e);
    wr_buf_release(&out);
    wr_arena_release(&seen.arena);
    free(seen.row);
    table_end(&t);
}

static void random_records_are_read_as_another_parser_reads_them(void **state)
{
    (void)state;
    const char *wanted = getenv("WEIR_SEED"), *many = getenv("WEIR_COUNT");
    uint64_t from = wanted ? strtoull(wanted, NULL, 10) : 1, rounds = many ? strtoull(many, NULL, 10) : 300;
    size_t exact = 0, good = 0;
    for (uint64_t round = from; round < from + rounds; round++) {
        enum { LINES = 200 };
        struct outcome o[LINES] = {0};
        struct wr_arena arena;
        struct wr_buf text = {0}, line = {0}, out = {0};
        seed = round;
        wr_arena_init(&arena);
        unsigned damaged = below(3) == 0 ? 0 : 1 + below(20);
        for (size_t i = 0; i < LINES; i++) {
            wr_buf_clear(&line);
            wr_buf_clear(&out);
            put_record(&line);
            if (damaged && below(damaged) == 0) damage(&line);
            o[i].line = wr_arena_copy(&arena, wr_buf_slice(&line));
            o[i].good = oracle(o[i].line, &out, &o[i].exact);
            o[i].wanted = wr_arena_copy(&arena, wr_buf_slice(&out));
            if (!o[i].good && has_foreign_key(o[i].line)) o[i].exact = false;
            size_t blank = 0;
            while (blank < line.size && strchr(" \t\r", line.data[blank]) && line.data[blank]) blank++;
            o[i].blank = blank == line.size;
            exact += o[i].exact;
            good += o[i].good;
            wr_buf_add_slice(&text, o[i].line);
            wr_buf_add_cstr(&text, below(10) ? "\n" : "\r\n");
        }
        compare(wr_buf_slice(&text), o, LINES);
        wr_arena_release(&arena);
        wr_buf_release(&text);
        wr_buf_release(&line);
        wr_buf_release(&out);
    }
    assert_true(exact > rounds * 150); /* the comparison says something */
    assert_true(good > rounds * 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_records_are_read_as_another_parser_reads_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
