/* The verifier of nodes other than patterns: their blocks fit their inputs, and their schemas what they give. */
#include "vm/verify.h"
#include "vm/array.h"

static bool is_number(struct wr_type type)
{
    enum wr_class cls = wr_type_class(type);
    return type.kind == WR_KIND_INT || type.kind == WR_KIND_BIGINT || cls == WR_CLASS_F64 || cls == WR_CLASS_DEC;
}

static bool schema_equal(const struct wr_schema *a, const struct wr_schema *b)
{
    if (a->count != b->count) return false;
    for (uint32_t i = 0; i < a->count; i++)
        if (!wr_type_equal(a->column[i].type, b->column[i].type)) return false;
    return true;
}

/* The results of a block are columns from `first` on of the schema. */
static bool verify_results(struct wr_verifier *v, uint32_t number, const struct wr_schema *schema, uint32_t first)
{
    WR_ASSERT(number < v->program->code_count && first <= schema->count);
    const struct wr_code *code = &v->program->code[number];
    if (code->result_count != schema->count - first)
        return wr_verify_fail(v, "block %u has %u results for %u columns", number, code->result_count,
                              schema->count - first);
    for (uint32_t i = 0; i < code->result_count; i++)
        if (code->register_class[code->result[i]] != wr_type_class(schema->column[first + i].type))
            return wr_verify_fail(v, "result %u of block %u has another class than its column", i, number);
    return true;
}

/* ---- Aggregates ----------------------------------------------------------------------------------- */

/* The result type that goes with the argument, as far as accumulators depend on it. */
static bool result_fits(const struct wr_aggregate *a)
{
    enum wr_class argument = wr_type_class(a->argument), result = wr_type_class(a->type);
    switch ((enum wr_aggregate_fn)a->fn) {
    case WR_AGG_COUNT_ROWS:
    case WR_AGG_COUNT:
    case WR_AGG_COUNT_DISTINCT: return a->type.kind == WR_KIND_BIGINT;
    case WR_AGG_SUM:
        if (a->argument.kind == WR_KIND_INTERVAL) return a->type.kind == WR_KIND_INTERVAL;
        return is_number(a->argument) && result == argument &&
               (result != WR_CLASS_I64 || a->type.kind == WR_KIND_INT || a->type.kind == WR_KIND_BIGINT);
    case WR_AGG_AVG:
        if (a->argument.kind == WR_KIND_INTERVAL) return a->type.kind == WR_KIND_INTERVAL;
        return is_number(a->argument) && result == (argument == WR_CLASS_DEC ? WR_CLASS_DEC : WR_CLASS_F64);
    case WR_AGG_VAR_SAMP:
    case WR_AGG_STDDEV_SAMP: return is_number(a->argument) && result == WR_CLASS_F64;
    case WR_AGG_STRING_AGG: return a->argument.kind == WR_KIND_STRING && a->type.kind == WR_KIND_STRING;
    case WR_AGG_ARRAY_AGG: return a->argument.kind < WR_KIND_ARRAY && wr_type_equal(a->type, wr_type_array(a->argument));
    case WR_AGG_MIN:
    case WR_AGG_MAX:
    case WR_AGG_FIRST:
    case WR_AGG_LAST:
    case WR_AGG_ARG_MIN:
    case WR_AGG_ARG_MAX:
    case WR_AGG_ANY_VALUE: return wr_type_equal(a->argument, a->type);
    case WR_AGG_FN_COUNT: break;
    }
    return false;
}

/* Only patterns have names of variables. */
static bool argument_fits(const struct wr_aggregate *a, const struct wr_schema *input, bool pattern)
{
    if (pattern && a->column == WR_COLUMN_CLASSIFIER) return a->argument.kind == WR_KIND_STRING;
    return a->column < input->count && wr_type_equal(input->column[a->column].type, a->argument);
}

static bool verify_aggregate(struct wr_verifier *v, const struct wr_aggregate *a, const struct wr_schema *input,
                             bool pattern)
{
    bool second = a->fn == WR_AGG_ARG_MIN || a->fn == WR_AGG_ARG_MAX || a->fn == WR_AGG_STRING_AGG;
    if (a->fn >= WR_AGG_FN_COUNT) return wr_verify_fail(v, "there is no aggregate %u", a->fn);
    if (!wr_verify_type(v, a->type)) return false;
    if ((a->column == WR_NONE) != (a->fn == WR_AGG_COUNT_ROWS))
        return wr_verify_fail(v, "an aggregate's argument is amiss");
    if (a->column != WR_NONE && !argument_fits(a, input, pattern))
        return wr_verify_fail(v, "an aggregate's argument is no column of its type");
    if ((a->column2 != WR_NONE) != second || (second && a->column2 >= input->count))
        return wr_verify_fail(v, "an aggregate's second argument is amiss");
    if (a->fn == WR_AGG_STRING_AGG && input->column[a->column2].type.kind != WR_KIND_STRING)
        return wr_verify_fail(v, "an aggregate's separator is no STRING");
    if (a->filter != WR_NONE && (a->filter >= input->count || input->column[a->filter].type.kind != WR_KIND_BOOLEAN))
        return wr_verify_fail(v, "an aggregate's filter is no BOOLEAN column");
    return result_fits(a) || wr_verify_fail(v, "an aggregate has a result that its argument cannot give");
}

bool wr_verify_aggregates(struct wr_verifier *v, const struct wr_aggregate *aggregate, uint32_t count,
                          const struct wr_schema *input, uint32_t set_count)
{
    WR_ASSERT(count == 0 || aggregate);
    for (uint32_t i = 0; i < count; i++) {
        if (!verify_aggregate(v, &aggregate[i], input, set_count > 0)) return false;
        if (set_count && aggregate[i].set >= set_count && aggregate[i].set != WR_SET_ALL)
            return wr_verify_fail(v, "an aggregate ranges over a set that there is not");
    }
    return true;
}

/* ---- Nodes ---------------------------------------------------------------------------------------- */

static bool verify_field(struct wr_verifier *v, const struct wr_field *field, struct wr_type column,
                         const struct wr_stream *stream)
{
    enum wr_class cls = wr_type_class(field->type);
    if (!wr_verify_text(v, field->name, "a field's name") || !wr_verify_type(v, field->type)) return false;
    if (!wr_type_equal(field->type, column))
        return wr_verify_fail(v, "field %s has another type than its column", field->name);
    if (field->from > WR_FIELD_TIMESTAMP || field->not_null > 1)
        return wr_verify_fail(v, "field %s comes from nowhere", field->name);
    if ((field->from == WR_FIELD_PATH || field->from == WR_FIELD_HEADER) && field->path_count == 0)
        return wr_verify_fail(v, "field %s has no path", field->name);
    if ((field->from == WR_FIELD_OFFSET || field->from == WR_FIELD_PARTITION || field->from == WR_FIELD_TIMESTAMP) &&
        cls != WR_CLASS_I64)
        return wr_verify_fail(v, "field %s holds no number", field->name);
    if (field->from == WR_FIELD_PATH && field->ordinal >= stream->record_columns)
        return wr_verify_fail(v, "field %s is number %u of %u", field->name, field->ordinal, stream->record_columns);
    for (uint32_t i = 0; i < field->path_count; i++)
        if (!wr_verify_text(v, field->path[i], "a path")) return false;
    if (field->default_constant == WR_NONE) return true;
    if (field->default_constant >= v->program->constant_count ||
        !wr_type_equal(v->program->constant[field->default_constant].type, field->type))
        return wr_verify_fail(v, "field %s has a default of another type", field->name);
    return true;
}

static bool verify_source(struct wr_verifier *v, uint32_t index)
{
    const struct wr_node *node = &v->program->node[index];
    const struct wr_source_node *s = &node->u.source;
    const struct wr_schema *schema = &node->schema;
    WR_ASSERT(node->kind == WR_NODE_SOURCE);
    if (node->input_count != 0) return wr_verify_fail(v, "a source has an input");
    if (s->stream >= v->program->stream_count) return wr_verify_fail(v, "there is no stream %u", s->stream);
    for (uint32_t i = 0; i < index; i++)
        if (v->program->node[i].kind == WR_NODE_SOURCE && v->program->node[i].u.source.stream == s->stream)
            return wr_verify_fail(v, "a stream has two sources");
    if (s->field_count > schema->count) return wr_verify_fail(v, "a source has more fields than columns");
    for (uint32_t i = 0; i < s->field_count; i++)
        if (!verify_field(v, &s->field[i], schema->column[i].type, &v->program->stream[s->stream])) return false;
    if ((s->computed == WR_NONE) != (schema->count == s->field_count))
        return wr_verify_fail(v, "a source's computed columns are amiss");
    if (s->computed != WR_NONE && (!wr_verify_batch_code(v, s->computed, schema, s->field_count) ||
                                   !verify_results(v, s->computed, schema, s->field_count)))
        return false;
    if (s->time_column != WR_NONE &&
        (s->time_column >= schema->count || schema->column[s->time_column].type.kind != WR_KIND_TIMESTAMP))
        return wr_verify_fail(v, "the event time is no TIMESTAMP column");
    if (s->delay_us < -1) return wr_verify_fail(v, "the watermark's delay is negative");
    if (s->watermark == WR_NONE) return true;
    if (!wr_verify_batch_code(v, s->watermark, schema, schema->count)) return false;
    const struct wr_code *code = &v->program->code[s->watermark];
    return (code->result_count == 1 && code->register_class[code->result[0]] == WR_CLASS_I64) ||
           wr_verify_fail(v, "the watermark is no TIMESTAMP");
}

static bool verify_select(struct wr_verifier *v, const struct wr_node *node, const struct wr_schema *input)
{
    const struct wr_select_node *s = &node->u.select;
    WR_ASSERT(node->kind == WR_NODE_SELECT && input);
    if (s->where != WR_NONE) {
        if (!wr_verify_batch_code(v, s->where, input, input->count)) return false;
        const struct wr_code *code = &v->program->code[s->where];
        if (code->result_count != 1 || code->register_class[code->result[0]] != WR_CLASS_BOOL)
            return wr_verify_fail(v, "WHERE is no BOOLEAN");
    }
    if (node->schema.count && !s->carry) return wr_verify_fail(v, "which errors travel on is not said");
    return wr_verify_batch_code(v, s->project, input, input->count) &&
           verify_results(v, s->project, &node->schema, 0);
}

static bool verify_window(struct wr_verifier *v, const struct wr_node *node, const struct wr_schema *input)
{
    const struct wr_window_node *w = &node->u.window;
    const struct wr_schema *schema = &node->schema;
    WR_ASSERT(node->kind == WR_NODE_WINDOW && input);
    if (w->size_us <= 0 || w->slide_us <= 0 || w->late_us < 0)
        return wr_verify_fail(v, "a window's size is not positive");
    if (w->size_us > INT64_MAX / 4 || w->slide_us > w->size_us || w->offset_us < 0 || w->offset_us >= w->slide_us)
        return wr_verify_fail(v, "a window's size, slide and offset do not go together");
    if (!wr_verify_columns(v, w->key, w->key_count, input, "key")) return false;
    if (!wr_verify_aggregates(v, w->aggregate, w->aggregate_count, input, 0)) return false;
    if ((uint64_t)w->key_count + 2 + w->aggregate_count != schema->count)
        return wr_verify_fail(v, "a window's columns are amiss");
    for (uint32_t i = 0; i < schema->count; i++) {
        struct wr_type type = wr_type_of(WR_KIND_TIMESTAMP);
        if (i < w->key_count) type = input->column[w->key[i]].type;
        else if (i >= w->key_count + 2) type = w->aggregate[i - w->key_count - 2].type;
        if (!wr_type_equal(type, schema->column[i].type))
            return wr_verify_fail(v, "column %u of a window has another type", i);
    }
    return true;
}

static bool verify_late(struct wr_verifier *v, const struct wr_node *node, uint32_t from)
{
    WR_ASSERT(node->kind == WR_NODE_LATE && &v->program->node[from] < node);
    const struct wr_node *query = &v->program->node[from];
    bool takes = (query->kind == WR_NODE_WINDOW && query->u.window.late_into) ||
                 (query->kind == WR_NODE_PATTERN && query->u.pattern.late_into);
    if (!takes) return wr_verify_fail(v, "it takes late rows of a node that gives none");
    return schema_equal(&node->schema, &v->program->node[query->input[0]].schema) ||
           wr_verify_fail(v, "its columns are not those of the rows that come late");
}

static bool verify_inputs(struct wr_verifier *v, const struct wr_node *node, uint32_t index)
{
    bool any_number = node->kind == WR_NODE_MERGE || node->kind == WR_NODE_OUTPUT;
    if (any_number ? node->input_count == 0 : node->input_count != (node->kind != WR_NODE_SOURCE))
        return wr_verify_fail(v, "it has %u inputs", node->input_count);
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->input[i] >= index) return wr_verify_fail(v, "its input %u does not stand before it", i);
        if (v->program->node[node->input[i]].kind == WR_NODE_OUTPUT)
            return wr_verify_fail(v, "its input is an output");
        if (any_number && !schema_equal(&node->schema, &v->program->node[node->input[i]].schema))
            return wr_verify_fail(v, "its input %u has other columns", i);
    }
    return true;
}

bool wr_verify_node(struct wr_verifier *v, uint32_t index)
{
    WR_ASSERT(index < v->program->node_count);
    const struct wr_node *node = &v->program->node[index];
    if (node->kind >= WR_NODE_KIND_COUNT) return wr_verify_fail(v, "it is of no kind");
    if (!wr_verify_text(v, node->name, "its name") || !verify_inputs(v, node, index)) return false;
    if (node->query >= v->program->query_count) return wr_verify_fail(v, "there is no query %u", node->query);
    const struct wr_schema *input = node->input_count ? &v->program->node[node->input[0]].schema : NULL;
    switch ((enum wr_node_kind)node->kind) {
    case WR_NODE_SOURCE: return verify_source(v, index);
    case WR_NODE_SELECT: return verify_select(v, node, input);
    case WR_NODE_MERGE: return true;
    case WR_NODE_WINDOW: return verify_window(v, node, input);
    case WR_NODE_PATTERN: return wr_verify_pattern(v, node, input);
    case WR_NODE_LATE: return verify_late(v, node, node->input[0]);
    case WR_NODE_OUTPUT:
        return node->u.output.stream == WR_NONE || node->u.output.stream < v->program->stream_count ||
               wr_verify_fail(v, "there is no stream %u", node->u.output.stream);
    case WR_NODE_KIND_COUNT: break;
    }
    return false;
}
