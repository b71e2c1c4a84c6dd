/* The verifier: types, values, names and lists of a program. Blocks: verify_code.c; nodes: verify_node.c and
 * verify_pattern.c.
 *
 * A program file may come from a stranger. What is accepted here is run with no further check of any number, so
 * each number that is an index, a size or a kind is checked here, against exactly what the runtime does with it. */
#include "vm/verify.h"

#include "base/text.h"
#include "vm/decimal.h"
#include "vm/text.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

bool wr_verify_fail(struct wr_verifier *v, const char *format, ...)
{
    char text[512];
    va_list args;
    WR_ASSERT(v->error && memchr(v->place, 0, sizeof v->place));
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    wr_error_set(v->error, WR_ERR_STATE, "the program is not safe to run: %s%s%s", v->place, v->place[0] ? ": " : "",
                 text);
    return false;
}

bool wr_verify_type(struct wr_verifier *v, struct wr_type type)
{
    if (type.kind > WR_KIND_JSON) return wr_verify_fail(v, "there is no type number %u", type.kind);
    if (type.kind == WR_KIND_DECIMAL
                || (type.kind == WR_KIND_ARRAY && type.element == WR_KIND_DECIMAL)
            ? type.precision < 1 || type.precision > WR_DECIMAL_DIGITS || type.scale > type.precision
            : type.precision || type.scale)
        return wr_verify_fail(v, "a type has precision %u and scale %u", type.precision, type.scale);
    if (type.kind == WR_KIND_ARRAY ? type.element >= WR_KIND_ARRAY : type.element != 0)
        return wr_verify_fail(v, "a type has elements of type number %u", type.element);
    return true;
}

bool wr_verify_text(struct wr_verifier *v, const char *text, const char *what)
{
    if (!text) return wr_verify_fail(v, "%s is missing", what);
    struct wr_slice s = wr_slice_cstr(text);
    return wr_utf8_check(s) == s.size || wr_verify_fail(v, "%s is not UTF-8", what);
}

bool wr_verify_value(struct wr_verifier *v, struct wr_type type, const struct wr_value *value)
{
    if (!wr_verify_type(v, type)) return false;
    if (value->cls != wr_type_class(type)) return wr_verify_fail(v, "a constant's class is not its type's");
    if (value->flag == WR_FLAG_NULL) return true;
    if (value->flag != WR_FLAG_VALUE || type.kind == WR_KIND_NULL)
        return wr_verify_fail(v, "a constant is neither a value nor NULL");
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_INT:
        if (value->u.i64 < INT32_MIN || value->u.i64 > INT32_MAX)
            return wr_verify_fail(v, "an INT constant is out of range");
        return true;
    case WR_KIND_FLOAT:
    case WR_KIND_DOUBLE: return isfinite(value->u.f64) || wr_verify_fail(v, "a DOUBLE constant is not finite");
    case WR_KIND_DECIMAL: {
        wr_i128 limit = wr_pow10(type.precision);
        return (value->u.dec < limit && value->u.dec > -limit) ||
               wr_verify_fail(v, "a DECIMAL constant is out of range");
    }
    case WR_KIND_STRING:
    case WR_KIND_JSON:
        return wr_utf8_check(value->u.str) == value->u.str.size ||
               wr_verify_fail(v, "a STRING constant is not UTF-8");
    default: return true;
    }
}

bool wr_verify_columns(struct wr_verifier *v, const uint32_t *column, uint32_t count, const struct wr_schema *schema,
                       const char *what)
{
    WR_ASSERT(schema);
    for (uint32_t i = 0; i < count; i++)
        if (column[i] >= schema->count)
            return wr_verify_fail(v, "%s %u is column %u of %u", what, i, column[i], schema->count);
    return true;
}

/* ---- Lists of the program ------------------------------------------------------------------------ */

static bool verify_schema(struct wr_verifier *v, const struct wr_schema *schema)
{
    for (uint32_t i = 0; i < schema->count; i++)
        if (!wr_verify_text(v, schema->column[i].name, "a column's name") ||
            !wr_verify_type(v, schema->column[i].type))
            return false;
    return true;
}

static bool verify_options(struct wr_verifier *v, const struct wr_option_value *option, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!wr_verify_text(v, option[i].name, "an option's name") ||
            !wr_verify_text(v, option[i].value, "an option"))
            return false;
    return true;
}

static bool verify_values(struct wr_verifier *v)
{
    const struct wr_program *program = v->program;
    WR_ASSERT(program->constant_count == 0 || program->constant);
    for (uint32_t i = 0; i < program->parameter_count; i++) {
        const struct wr_parameter *p = &program->parameter[i];
        snprintf(v->place, sizeof v->place, "parameter %u", i);
        if (!wr_verify_text(v, p->name, "its name") || !wr_verify_type(v, p->type)) return false;
        if ((p->has_default || p->is_set) && !wr_verify_value(v, p->type, &p->value)) return false;
    }
    for (uint32_t i = 0; i < program->constant_count; i++) {
        const struct wr_constant *c = &program->constant[i];
        snprintf(v->place, sizeof v->place, "constant %u", i);
        if (!wr_verify_value(v, c->type, &c->value)) return false;
        if (c->parameter == WR_NONE) continue;
        if (c->parameter >= program->parameter_count)
            return wr_verify_fail(v, "there is no parameter %u", c->parameter);
        if (!wr_type_equal(c->type, program->parameter[c->parameter].type))
            return wr_verify_fail(v, "its type is not its parameter's");
    }
    return true;
}

static bool verify_names(struct wr_verifier *v)
{
    const struct wr_program *program = v->program;
    WR_ASSERT(program->stream_count == 0 || program->stream);
    for (uint32_t i = 0; i < program->stream_count; i++) {
        const struct wr_stream *stream = &program->stream[i];
        snprintf(v->place, sizeof v->place, "stream %u", i);
        if (!wr_verify_text(v, stream->name, "its name") || !verify_schema(v, &stream->declared) ||
            !verify_options(v, stream->option, stream->option_count))
            return false;
        if (stream->record_columns > stream->declared.count)
            return wr_verify_fail(v, "its records have more columns than it declares");
    }
    snprintf(v->place, sizeof v->place, "settings");
    if (!verify_options(v, program->setting, program->setting_count)) return false;
    for (uint32_t i = 0; i < program->query_count; i++) {
        snprintf(v->place, sizeof v->place, "query %u", i);
        if (!wr_verify_text(v, program->query[i], "its name")) return false;
    }
    snprintf(v->place, sizeof v->place, "text");
    if (!wr_verify_text(v, program->source_name, "the name of the source")) return false;
    return wr_utf8_check(program->source_text) == program->source_text.size || wr_verify_fail(v, "it is not UTF-8");
}

enum wr_status wr_program_verify(const struct wr_program *program, struct wr_error *error)
{
    struct wr_verifier v = {.program = program, .error = error};
    WR_ASSERT(error && (program->node_count == 0 || program->node) && (program->code_count == 0 || program->code));
    if (!verify_values(&v) || !verify_names(&v)) return WR_ERR_STATE;
    for (uint32_t i = 0; i < program->code_count; i++) {
        snprintf(v.place, sizeof v.place, "block %u", i);
        if (!wr_verify_code(&v, &program->code[i])) return WR_ERR_STATE;
    }
    for (uint32_t i = 0; i < program->node_count; i++) {
        snprintf(v.place, sizeof v.place, "node %u", i);
        if (!verify_schema(&v, &program->node[i].schema) || !wr_verify_node(&v, i)) return WR_ERR_STATE;
    }
    return WR_OK;
}
