/* Programs: their life, look-ups, and parameters. */
#include "vm/program.h"

#include "base/text.h"
#include "vm/text.h"

struct wr_program *wr_program_new(void)
{
    struct wr_program *program = wr_alloc_zero(sizeof *program);
    wr_arena_init(&program->arena);
    program->source_name = "";
    return program;
}

void wr_program_free(struct wr_program *program)
{
    if (!program) return;
    wr_arena_release(&program->arena);
    wr_free(program);
}

/* ---- Look-ups ------------------------------------------------------------------------------------ */

static bool is_name(const char *a, const char *b)
{
    return wr_slice_equal_nocase(wr_slice_cstr(a), wr_slice_cstr(b));
}

uint32_t wr_program_find_stream(const struct wr_program *program, const char *name)
{
    WR_ASSERT(name);
    for (uint32_t i = 0; i < program->stream_count; i++)
        if (is_name(program->stream[i].name, name)) return i;
    return WR_NONE;
}

static const char *find_option(const struct wr_option_value *option, uint32_t count, const char *name)
{
    WR_ASSERT(name && (count == 0 || option));
    for (uint32_t i = 0; i < count; i++)
        if (is_name(option[i].name, name)) return option[i].value;
    return NULL;
}

const char *wr_program_setting(const struct wr_program *program, const char *name)
{
    return find_option(program->setting, program->setting_count, name);
}

const char *wr_stream_option(const struct wr_stream *stream, const char *name)
{
    return find_option(stream->option, stream->option_count, name);
}

/* ---- Parameters ---------------------------------------------------------------------------------- */

static uint32_t find_parameter(const struct wr_program *program, struct wr_slice name)
{
    for (uint32_t i = 0; i < program->parameter_count; i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(program->parameter[i].name), name)) return i;
    return WR_NONE;
}

static enum wr_status no_such_parameter(const struct wr_program *program, struct wr_slice name,
                                        struct wr_error *error)
{
    struct wr_suggestion s;
    WR_ASSERT(find_parameter(program, name) == WR_NONE);
    wr_suggestion_init(&s, name);
    for (uint32_t i = 0; i < program->parameter_count; i++)
        wr_suggestion_offer(&s, wr_slice_cstr(program->parameter[i].name));
    struct wr_slice best = wr_suggestion_best(&s);
    if (best.size)
        return wr_error_set(error, WR_ERR_USAGE, "the program has no parameter '%.*s'; did you mean '%.*s'?",
                            WR_SLICE_ARG(name), WR_SLICE_ARG(best));
    return wr_error_set(error, WR_ERR_USAGE, "the program has no parameter '%.*s'", WR_SLICE_ARG(name));
}

enum wr_status wr_program_set_parameter(struct wr_program *program, struct wr_slice name, struct wr_slice text,
                                        struct wr_error *error)
{
    struct wr_value value;
    uint32_t index = find_parameter(program, name);
    if (index == WR_NONE) return no_such_parameter(program, name, error);
    WR_ASSERT(index < program->parameter_count);
    struct wr_parameter *parameter = &program->parameter[index];
    bool is_text = wr_type_class(parameter->type) == WR_CLASS_STR;
    if (!wr_value_parse(parameter->type, text, &value) ||
        (parameter->type.kind == WR_KIND_STRING && wr_utf8_check(text) != text.size)) {
        struct wr_buf type = {0};
        wr_type_print(parameter->type, &type);
        wr_error_set(error, WR_ERR_USAGE, "parameter '%s': '%.*s' is no %s", parameter->name, WR_SLICE_ARG(text),
                     wr_buf_cstr(&type));
        wr_buf_release(&type);
        return WR_ERR_USAGE;
    }
    if (is_text) value.u.str = wr_arena_copy(&program->arena, text);
    parameter->value = value;
    parameter->is_set = true;
    for (uint32_t i = 0; i < program->constant_count; i++)
        if (program->constant[i].parameter == index) program->constant[i].value = value;
    return WR_OK;
}

enum wr_status wr_program_check_parameters(const struct wr_program *program, struct wr_error *error)
{
    for (uint32_t i = 0; i < program->parameter_count; i++) {
        const struct wr_parameter *p = &program->parameter[i];
        if (!p->is_set && !p->has_default)
            return wr_error_set(error, WR_ERR_USAGE, "parameter '%s' has no value; set it with --param %s=…", p->name,
                                p->name);
    }
    return WR_OK;
}

const char *wr_aggregate_name(uint8_t fn)
{
    static const char *const names[] = {
#define AGGREGATE(id, name) name,
#include "vm/aggregates.def"
#undef AGGREGATE
    };
    WR_ASSERT(fn < WR_COUNT(names));
    return names[fn];
}
