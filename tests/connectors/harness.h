/* Reads texts with the readers of the library and shows what came of them as text: a row is the JSON line that the
 * encoder makes of it, a bad record is "! number line code reason column: bytes". */
#ifndef WR_TESTS_CONNECTORS_HARNESS_H
#define WR_TESTS_CONNECTORS_HARNESS_H

#include "base/hash.h"
#include "connectors/internal.h"
#include "vm/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { FIELDS_MAX = 32, PATH_MAX_STEPS = 8 };

struct table {
    struct wr_program program;
    struct wr_stream stream;
    struct wr_option_value option[8];
    struct wr_field field[FIELDS_MAX];
    struct wr_schema_column column[FIELDS_MAX];
    struct wr_constant constant[FIELDS_MAX];
    const char *path[FIELDS_MAX][PATH_MAX_STEPS];
    struct wr_schema schema;
    uint32_t count;
    struct wr_arena arena;
    struct wr_buf bad;
};

static inline struct wr_type type_named(const char *name)
{
    unsigned p, s;
    if (sscanf(name, "DECIMAL(%u,%u)", &p, &s) == 2) return wr_type_decimal(p, s);
    for (int kind = WR_KIND_BOOLEAN; kind <= WR_KIND_JSON; kind++) {
        struct wr_buf text = {0};
        wr_type_print(wr_type_of((enum wr_kind)kind), &text);
        bool same = strcmp(wr_buf_cstr(&text), name) == 0;
        wr_buf_release(&text);
        if (same) return wr_type_of((enum wr_kind)kind);
    }
    fail_msg("no type %s", name);
    return wr_type_of(WR_KIND_STRING);
}

/* "card:STRING! n:BIGINT=7 x:DOUBLE@a.b.[0] o:BIGINT#OFFSET": NOT NULL, DEFAULT, a path, where it comes from. */
static inline void table_begin(struct table *t, const char *columns)
{
    memset(t, 0, sizeof *t);
    wr_arena_init(&t->arena);
    t->program.constant = t->constant;
    t->stream.option = t->option;
    char *text = wr_arena_cstr(&t->arena, wr_slice_cstr(columns)), *rest = NULL;
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest), t->count++) {
        struct wr_field *f = &t->field[t->count];
        *f = (struct wr_field){.default_constant = WR_NONE, .ordinal = t->count};
        char *colon = strchr(word, ':'), *mark;
        *colon++ = 0;
        f->name = word;
        t->path[t->count][0] = word;
        f->path = t->path[t->count];
        f->path_count = 1;
        if ((mark = strchr(colon, '@')) != NULL) {
            *mark++ = 0;
            char *inner = NULL;
            f->path_count = 0;
            for (char *step = strtok_r(mark, ".", &inner); step; step = strtok_r(NULL, ".", &inner))
                t->path[t->count][f->path_count++] = step;
        }
        if ((mark = strchr(colon, '#')) != NULL) {
            *mark++ = 0;
            f->from = strcmp(mark, "OFFSET") == 0      ? WR_FIELD_OFFSET
                      : strcmp(mark, "PARTITION") == 0 ? WR_FIELD_PARTITION
                      : strcmp(mark, "KEY") == 0       ? WR_FIELD_KEY
                                                       : WR_FIELD_TIMESTAMP;
        }
        char *value = strchr(colon, '=');
        if (value) *value++ = 0;
        if ((mark = strchr(colon, '!')) != NULL) {
            *mark = 0;
            f->not_null = 1;
        }
        f->type = type_named(colon);
        if (value) {
            struct wr_constant *c = &t->constant[t->program.constant_count];
            f->default_constant = t->program.constant_count++;
            *c = (struct wr_constant){.type = f->type, .parameter = WR_NONE};
            assert_true(wr_value_parse(f->type, wr_slice_cstr(value), &c->value));
        }
        t->column[t->count] = (struct wr_schema_column){f->name, f->type};
    }
    t->schema = (struct wr_schema){t->count, t->column};
}

static inline void table_end(struct table *t)
{
    wr_buf_release(&t->bad);
    wr_arena_release(&t->arena);
}

static inline void table_option(struct table *t, const char *name, const char *value)
{
    t->option[t->stream.option_count++] = (struct wr_option_value){name, value};
}

static inline void on_bad(void *context, const struct wr_bad_record *b)
{
    struct table *t = context;
    wr_buf_printf(&t->bad, "! %llu %llu %s %s", (unsigned long long)b->offset, (unsigned long long)b->line, b->code,
                  b->reason);
    if (b->column) wr_buf_printf(&t->bad, " %s", b->column);
    wr_buf_printf(&t->bad, ": %.*s\n", (int)WR_MIN(b->bytes.size, (size_t)60), b->bytes.data ? b->bytes.data : "");
}

static inline struct wr_read_spec table_spec(struct table *t)
{
    return (struct wr_read_spec){.program = &t->program, .stream = &t->stream, .field_count = t->count, .field = t->field,
                                 .on_bad = on_bad, .context = t};
}

/* Everything that the reader gives, rows and bad records in the order in which they came, each batch's bad ones first;
 * at the end "= " and the error, if there is one. */
static inline void drain(struct table *t, struct wr_reader *r, struct wr_buf *out)
{
    struct wr_error error = {0};
    struct wr_encoder *e = wr_connectors_library.open_encoder(&t->schema, &t->stream, "json", &error);
    struct wr_batch batch;
    enum wr_status status;
    uint64_t before = 0;
    assert_non_null(e);
    while ((status = r->cls->read(r, &batch, &error)) == WR_OK) {
        assert_true(batch.rows <= WR_BATCH_ROWS_DEFAULT);
        assert_int_equal(batch.columns, t->count);
        wr_buf_add_slice(out, wr_buf_slice(&t->bad));
        wr_buf_clear(&t->bad);
        for (uint32_t i = 0; i < batch.rows; i++) {
            assert_true(batch.offset[i] >= before);
            before = batch.offset[i] + 1;
            e->cls->row(e, &batch, i, NULL, out);
        }
    }
    wr_buf_add_slice(out, wr_buf_slice(&t->bad));
    wr_buf_clear(&t->bad);
    if (status != WR_END) wr_buf_printf(out, "= %d %s\n", status, error.message);
    e->cls->free(e);
    r->cls->close(r);
}

static inline void read_text(struct table *t, const char *format, struct wr_slice text, size_t step, struct wr_buf *out)
{
    struct wr_error error = {0};
    struct wr_read_spec spec = table_spec(t);
    struct wr_byte_source *source = wr_byte_source_memory("text", text, step);
    struct wr_reader *r = strcmp(format, "json") == 0 ? wr_json_reader_new(&spec, source, &error)
                          : strcmp(format, "csv") == 0 ? wr_csv_reader_new(&spec, source, ',', &error)
                                                       : wr_csv_reader_new(&spec, source, '\t', &error);
    assert_non_null(r);
    drain(t, r, out);
}

/* Whatever the pieces in which the bytes come, the same rows and bad records; those lines are sorted by nothing but
 * batches, so a test has either few records or compares the two kinds by themselves. */
static inline void expect_from(struct table *t, const char *format, struct wr_slice text, const char *wanted)
{
    static const size_t steps[] = {SIZE_MAX, 1, 7, 100};
    for (size_t i = 0; i < WR_COUNT(steps); i++) {
        if (text.size > 10000 && steps[i] < 100) continue;
        struct wr_buf out = {0}, rows = {0}, bad = {0}, end = {0};
        read_text(t, format, text, steps[i], &out);
        for (const char *p = wr_buf_cstr(&out), *next; *p; p = next) {
            next = strchr(p, '\n') + 1;
            while (*p == '!' && *next && *next != '!' && *next != '{' && *next != '=') next = strchr(next, '\n') + 1;
            wr_buf_add(*p == '!' ? &bad : *p == '=' ? &end : &rows, p, (size_t)(next - p));
        }
        wr_buf_add_slice(&rows, wr_buf_slice(&bad));
        wr_buf_add_slice(&rows, wr_buf_slice(&end));
        assert_string_equal(wr_buf_cstr(&rows), wanted);
        wr_buf_release(&out);
        wr_buf_release(&rows);
        wr_buf_release(&bad);
        wr_buf_release(&end);
    }
}

/* Rows first, then bad records, then the error. */
static inline void expect(const char *format, const char *columns, const char *text, const char *wanted)
{
    struct table t;
    table_begin(&t, columns);
    expect_from(&t, format, wr_slice_cstr(text), wanted);
    table_end(&t);
}

static inline void expect_json(const char *columns, const char *text, const char *wanted)
{
    expect("json", columns, text, wanted);
}

static inline void expect_csv(const char *columns, const char *text, const char *wanted)
{
    expect("csv", columns, text, wanted);
}

/* A new file of that content in the folder for temporary files; the caller unlinks and frees its name. */
static inline char *temporary(const char *suffix, struct wr_slice bytes)
{
    struct wr_buf name = {0};
    wr_buf_printf(&name, "/tmp/weir-test-XXXXXX%s", suffix);
    (void)wr_buf_cstr(&name);
    int fd = mkstemps(name.data, (int)strlen(suffix));
    assert_true(fd >= 0);
    FILE *f = fdopen(fd, "wb");
    assert_int_equal(fwrite(bytes.data ? bytes.data : "", 1, bytes.size, f), bytes.size);
    fclose(f);
    return name.data;
}

#endif
