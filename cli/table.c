/* Result rows (JSON lines) as a table for people, or as one JSON array. */
#include "base/arena.h"
#include "base/text.h"
#include "cli/cli.h"

#include <jansson.h>

struct column {
    struct wr_slice name;
    size_t width; /* in code points */
    bool number;  /* all values so far are numbers or null: right-aligned */
};

struct table {
    struct wr_arena arena;
    WR_VEC(struct column) column;
    WR_VEC(struct wr_slice) cell; /* row after row; an empty data pointer is NULL */
    WR_VEC(size_t) row;           /* where each row's cells begin; a row may lack the columns that came later */
};

static size_t column_of(struct table *t, const char *name)
{
    for (size_t i = 0; i < t->column.count; i++)
        if (wr_slice_equal(t->column.at[i].name, wr_slice_cstr(name))) return i;
    struct wr_slice copy = wr_arena_copy(&t->arena, wr_slice_cstr(name));
    wr_vec_push(&t->column, (struct column){copy, wr_utf8_length(copy), true});
    return t->column.count - 1;
}

/* Control characters would break the lines of the table: they are shown as spaces. */
static struct wr_slice cell_text(struct table *t, const json_t *value)
{
    if (json_is_null(value)) return (struct wr_slice){0};
    if (json_is_string(value)) {
        struct wr_slice s = wr_arena_copy(&t->arena, wr_slice_of(json_string_value(value), json_string_length(value)));
        for (size_t i = 0; i < s.size; i++)
            if ((unsigned char)s.data[i] < 0x20) ((char *)(uintptr_t)s.data)[i] = ' ';
        return s;
    }
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(17));
    struct wr_slice s = wr_arena_copy(&t->arena, wr_slice_cstr(text ? text : "?"));
    free(text);
    return s;
}

/* A JSON line's numbers keep the digits they were written with: they are cut out of the line, not read. */
static struct wr_slice number_text(struct table *t, struct wr_slice line, const char *name)
{
    struct wr_buf key = {0};
    json_t *quoted = json_string(name);
    char *text = json_dumps(quoted, JSON_ENCODE_ANY);
    wr_buf_printf(&key, "%s:", text ? text : "");
    free(text);
    json_decref(quoted);
    const char *at = memmem(line.data, line.size, key.data, key.size);
    struct wr_slice number = {0};
    if (at) {
        const char *from = at + key.size, *end = line.data + line.size, *to = from;
        while (to < end && *to != ',' && *to != '}') to++;
        number = wr_arena_copy(&t->arena, wr_slice_of(from, (size_t)(to - from)));
    }
    wr_buf_release(&key);
    return number;
}

static void add_row(struct table *t, struct wr_slice line)
{
    json_error_t error;
    json_t *row = json_loadb(line.data, line.size, 0, &error);
    if (!row) return;
    const char *name;
    json_t *value;
    size_t base = t->cell.count;
    for (size_t i = 0; i < t->column.count; i++) wr_vec_push(&t->cell, (struct wr_slice){0});
    json_object_foreach(row, name, value) {
        size_t c = column_of(t, name);
        if (t->cell.count <= base + c) wr_vec_push(&t->cell, (struct wr_slice){0});
        struct wr_slice text = {0};
        if (json_is_number(value)) text = number_text(t, line, name);
        if (!text.data) text = cell_text(t, value);
        t->cell.at[base + c] = text;
        struct column *column = &t->column.at[c];
        column->width = WR_MAX(column->width, text.data ? wr_utf8_length(text) : 4);
        if (!json_is_number(value) && !json_is_null(value)) column->number = false;
    }
    wr_vec_push(&t->row, base);
    json_decref(row);
}

static void pad(struct wr_buf *out, size_t n)
{
    while (n-- > 0) wr_buf_add_char(out, ' ');
}

static void print_cell(struct wr_buf *out, const struct column *column, struct wr_slice text, bool last)
{
    size_t width = wr_utf8_length(text), room = column->width > width ? column->width - width : 0;
    if (column->number) pad(out, room);
    wr_buf_add_slice(out, text);
    if (!last && !column->number) pad(out, room);
    wr_buf_add_cstr(out, last ? "\n" : "  ");
}

void wr_table_print(struct wr_slice lines, struct wr_buf *out)
{
    struct table t = {0};
    wr_arena_init(&t.arena);
    for (const char *p = lines.data, *end = p + lines.size; p && p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl) nl = end;
        add_row(&t, wr_slice_of(p, (size_t)(nl - p)));
        p = nl + 1;
    }
    size_t columns = t.column.count;
    for (size_t c = 0; c < columns; c++) print_cell(out, &t.column.at[c], t.column.at[c].name, c + 1 == columns);
    for (size_t c = 0; c < columns; c++) {
        for (size_t i = 0; i < t.column.at[c].width; i++) wr_buf_add_char(out, '-');
        wr_buf_add_cstr(out, c + 1 == columns ? "\n" : "  ");
    }
    for (size_t r = 0; r < t.row.count; r++) {
        size_t from = t.row.at[r], to = r + 1 < t.row.count ? t.row.at[r + 1] : t.cell.count;
        for (size_t c = 0; c < columns; c++) {
            struct wr_slice text = from + c < to ? t.cell.at[from + c] : (struct wr_slice){0};
            print_cell(out, &t.column.at[c], text.data ? text : WR_SLICE("null"), c + 1 == columns);
        }
    }
    wr_buf_printf(out, "(%zu row%s)\n", t.row.count, t.row.count == 1 ? "" : "s");
    wr_vec_release(&t.row);
    wr_vec_release(&t.column);
    wr_vec_release(&t.cell);
    wr_arena_release(&t.arena);
}

void wr_json_array_print(struct wr_slice lines, struct wr_buf *out)
{
    wr_buf_add_cstr(out, "[");
    bool first = true;
    for (const char *p = lines.data, *end = p + lines.size; p && p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p));
        if (!nl) nl = end;
        wr_buf_add_cstr(out, first ? "\n  " : ",\n  ");
        wr_buf_add(out, p, (size_t)(nl - p));
        first = false;
        p = nl + 1;
    }
    wr_buf_add_cstr(out, first ? "]\n" : "\n]\n");
}
