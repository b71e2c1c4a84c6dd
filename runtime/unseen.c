/* Columns that no record had a value for: most often a name that the program and its input spell differently. */
#include "runtime/source.h"

/* A DEFAULT stands in for what is absent, so that nothing can be said of its column. */
void wr_unseen_init(struct wr_source *source)
{
    const struct wr_source_node *node = source->node;
    WR_ASSERT(source->unseen == NULL);
    source->unseen = wr_alloc(sizeof *source->unseen * ((size_t)node->field_count + 1));
    for (uint32_t f = 0; f < node->field_count; f++)
        if (node->field[f].from == WR_FIELD_PATH && node->field[f].default_constant == WR_NONE)
            source->unseen[source->unseen_count++] = f;
}

static bool all_null(const struct wr_vector *v, uint32_t rows)
{
    if (!(v->flags & WR_VECTOR_NULLS)) return false;
    for (uint32_t r = 0; r < rows; r++)
        if (!wr_bit(v->nulls, r)) return false;
    return true;
}

void wr_unseen_note(struct wr_source *source, const struct wr_batch *batch)
{
    uint32_t kept = 0;
    WR_ASSERT(batch->rows > 0);
    source->any_taken = true;
    for (uint32_t i = 0; i < source->unseen_count; i++)
        if (all_null(&batch->column[source->unseen[i]], batch->rows)) source->unseen[kept++] = source->unseen[i];
    source->unseen_count = kept;
}

static void print_path(const struct wr_field *field, struct wr_buf *out)
{
    wr_buf_add_char(out, '$');
    for (uint16_t i = 0; i < field->path_count; i++)
        wr_buf_printf(out, "%s%s", field->path[i][0] == '[' ? "" : ".", field->path[i]);
}

/* The first file whose header does not name the column, or NULL. */
static const char *file_without(const struct wr_source *source, uint32_t field)
{
    for (size_t i = 0; i < source->partition.count; i++) {
        const struct wr_partition *p = source->partition.at[i];
        if (p->reader && p->reader->cls->lacks && p->reader->cls->lacks(p->reader, field)) return p->path;
    }
    return NULL;
}

void wr_unseen_print(const struct wr_source *source, struct wr_buf *out)
{
    for (uint32_t i = 0; source->any_taken && i < source->unseen_count; i++) {
        const struct wr_field *field = &source->node->field[source->unseen[i]];
        const char *file = file_without(source, source->unseen[i]);
        wr_buf_printf(out, "  no record of %s had a value for '%s'", source->stream->name, field->name);
        if (file) {
            wr_buf_printf(out, ": the header of %s has no such column", file);
        } else {
            wr_buf_add_cstr(out, " (");
            print_path(field, out);
            wr_buf_add_char(out, ')');
        }
        wr_buf_add_char(out, '\n');
    }
}

bool wr_unseen_print_json(const struct wr_source *source, bool more, struct wr_buf *out)
{
    for (uint32_t i = 0; source->any_taken && i < source->unseen_count; i++) {
        wr_buf_add_cstr(out, more ? ",{\"stream\":" : "{\"stream\":");
        wr_buf_add_json_cstr(out, source->stream->name);
        wr_buf_add_cstr(out, ",\"column\":");
        wr_buf_add_json_cstr(out, source->node->field[source->unseen[i]].name);
        wr_buf_add_char(out, '}');
        more = true;
    }
    return more;
}
