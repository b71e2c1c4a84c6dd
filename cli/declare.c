/* A stream's declaration inferred from a recording. */
#include "base/arena.h"
#include "base/text.h"
#include "cli/cli.h"
#include "connectors/connectors.h"
#include "dsl/parse.h"

void wr_stream_name_of(const char *path, struct wr_buf *out)
{
    const char *base = strrchr(path, '/');
    base = base ? base + 1 : path;
    if (strcmp(path, "-") == 0) base = "stdin";
    size_t size = strcspn(base, ".");
    if (size == 0) size = strlen(base);
    for (size_t i = 0; i < size; i++) {
        char c = wr_lower(base[i]);
        bool letter = (c >= 'a' && c <= 'z') || (unsigned char)c >= 0x80, digit = c >= '0' && c <= '9';
        if (i == 0 && digit) wr_buf_add_char(out, 's');
        wr_buf_add_char(out, letter || digit ? base[i] : '_');
    }
}

static bool has_name_letters(struct wr_slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = wr_lower(name.data[i]);
        if (!((c >= 'a' && c <= 'z') || c == '_' || (unsigned char)c >= 0x80 || (i && c >= '0' && c <= '9')))
            return false;
    }
    return name.size > 0;
}

/* A word that the language reserves is a name in quotes only: the parser says which. */
static bool is_plain_name(struct wr_slice name)
{
    if (!has_name_letters(name)) return false;
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    wr_arena_init(&arena);
    wr_sources_init(&sources, &arena);
    wr_diags_init(&diags, &arena, &sources);
    const struct wr_expr *expr = wr_parse_expr(&arena, &diags, wr_sources_add(&sources, WR_SLICE("name"), name));
    bool plain = expr && !wr_diags_failed(&diags) && expr->kind == WR_EXPR_NAME;
    wr_arena_release(&arena);
    return plain;
}

static void add_name(struct wr_buf *out, struct wr_slice name, bool quoted)
{
    quoted = quoted || !is_plain_name(name);
    if (quoted) wr_buf_add_char(out, '"');
    for (size_t i = 0; i < name.size; i++) {
        if (quoted && name.data[i] == '"') wr_buf_add_char(out, '"');
        wr_buf_add_char(out, name.data[i]);
    }
    if (quoted) wr_buf_add_char(out, '"');
}

/* The lag seen, rounded up to a length that a person would choose. */
static void add_delay(struct wr_buf *out, int64_t disorder_us)
{
    static const struct { int64_t us; const char *text; } lengths[] = {
        {1000000, "1s"}, {5000000, "5s"}, {10000000, "10s"}, {30000000, "30s"}, {60000000, "1m"}, {300000000, "5m"},
        {600000000, "10m"}, {1800000000, "30m"}, {3600000000, "1h"}, {7200000000, "2h"}, {21600000000, "6h"},
        {43200000000, "12h"}, {86400000000, "24h"}, {172800000000, "48h"}, {604800000000, "7d"}};
    if (disorder_us == 0) return;
    for (size_t i = 0; i < WR_COUNT(lengths); i++)
        if (lengths[i].us >= disorder_us) {
            wr_buf_printf(out, " - %s", lengths[i].text);
            return;
        }
    wr_buf_printf(out, " - %lldd", (long long)(disorder_us / 86400000000 + 1));
}

static void add_column(struct wr_buf *out, const struct wr_inferred *in, uint32_t i, bool comments)
{
    const struct wr_inferred_column *column = &in->column[i];
    size_t from = out->size;
    wr_buf_add_cstr(out, "    ");
    add_name(out, column->name, column->quoted);
    wr_buf_add_char(out, ' ');
    wr_type_print(column->type, out);
    if (column->path.size) {
        wr_buf_add_cstr(out, " FROM '");
        for (size_t k = 0; k < column->path.size; k++) {
            if (column->path.data[k] == '\'') wr_buf_add_char(out, '\'');
            wr_buf_add_char(out, column->path.data[k]);
        }
        wr_buf_add_char(out, '\'');
    }
    if (i == in->key_column) wr_buf_add_cstr(out, " KEY");
    bool last = i + 1 == in->count && in->time_column == WR_NONE;
    if (!last) wr_buf_add_char(out, ',');
    if (comments && column->why && column->why[0]) {
        size_t width = out->size - from;
        while (width++ < 40) wr_buf_add_char(out, ' ');
        wr_buf_printf(out, "  -- %s", column->why);
        if (column->nulls) wr_buf_printf(out, "; NULL in %llu row%s", (unsigned long long)column->nulls,
                                         column->nulls == 1 ? "" : "s");
    }
    wr_buf_add_char(out, '\n');
}

static void declare(struct wr_buf *out, const char *stream, const struct wr_inferred *in, bool comments)
{
    wr_buf_add_cstr(out, "CREATE STREAM ");
    add_name(out, wr_slice_cstr(stream), false);
    wr_buf_add_cstr(out, " (\n");
    for (uint32_t i = 0; i < in->count; i++) add_column(out, in, i, comments);
    if (in->time_column != WR_NONE) {
        const struct wr_inferred_column *time = &in->column[in->time_column];
        wr_buf_add_cstr(out, "    WATERMARK FOR ");
        add_name(out, time->name, time->quoted);
        wr_buf_add_cstr(out, " AS ");
        add_name(out, time->name, time->quoted);
        add_delay(out, in->disorder_us);
        if (comments && in->disorder_us)
            wr_buf_printf(out, "  -- rows came up to %.1f s out of order", (double)in->disorder_us / 1e6);
        wr_buf_add_char(out, '\n');
    }
    wr_buf_printf(out, ") WITH (format = '%s'", in->format);
    if (in->delimiter == '\t') wr_buf_add_cstr(out, ", delimiter = '\\t'");
    else if (in->delimiter) wr_buf_printf(out, ", delimiter = '%c'", in->delimiter);
    if (in->time_unit && strcmp(in->time_unit, "ms") != 0) wr_buf_printf(out, ", timestamp_unit = '%s'", in->time_unit);
    wr_buf_add_cstr(out, ");\n");
}

bool wr_declare_from_file(const char *stream, const char *path, bool comments, struct wr_buf *out, int *code)
{
    struct wr_arena arena;
    struct wr_error error = {0};
    struct wr_inferred inferred = {0};
    wr_arena_init(&arena);
    enum wr_status status = wr_infer(path, 10000, &arena, &inferred, &error);
    bool ok = status == WR_OK && inferred.count > 0;
    *code = WR_EXIT_USAGE;
    if (ok) {
        if (inferred.note) fprintf(stderr, "weir: %s: %s\n", path, inferred.note);
        declare(out, stream, &inferred, comments);
    } else if (status != WR_OK) {
        wr_fail(0, "%s", error.message);
        *code = status == WR_ERR_INPUT ? WR_EXIT_INPUT : WR_EXIT_USAGE;
    } else {
        wr_fail(0, inferred.is_array
                       ? "%s: a JSON array; weir reads JSON lines, one object a line: `jq -c '.[]'` makes them of it"
                       : "%s: no record in it, so no columns can be inferred", path);
    }
    wr_arena_release(&arena);
    return ok;
}
