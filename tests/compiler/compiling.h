/* What the compiler's tests share: a text compiled, its diagnostics and its program at hand. */
#ifndef TESTS_COMPILER_COMPILING_H
#define TESTS_COMPILER_COMPILING_H

#include "compiler/compile.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

struct compiling {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    struct wr_program *program;
    struct wr_buf text; /* of diagnostics */
};

static inline void compile(struct compiling *c, const char *text)
{
    memset(c, 0, sizeof *c);
    wr_arena_init(&c->arena);
    wr_sources_init(&c->sources, &c->arena);
    wr_diags_init(&c->diags, &c->arena, &c->sources);
    uint32_t file = wr_sources_add(&c->sources, WR_SLICE("test"), wr_slice_cstr(text));
    struct wr_tree tree = wr_parse(&c->arena, &c->diags, file, NULL, NULL);
    c->program = wr_compile(&tree, &c->diags, file, &(struct wr_compile_options){0});
    wr_diags_render(&c->diags, false, &c->text);
}

static inline void release(struct compiling *c)
{
    if (c->program) wr_program_free(c->program);
    wr_buf_release(&c->text);
    wr_arena_release(&c->arena);
}

/* Compiles what must be without an error, and proves the program safe. */
static inline void compile_well(struct compiling *c, const char *text)
{
    struct wr_error error = {0};
    compile(c, text);
    if (!c->program) {
        print_error("%s\n%s\n", text, wr_buf_cstr(&c->text));
        fail();
    }
    if (wr_program_verify(c->program, &error) != WR_OK) {
        print_error("%s\n%s\n", text, error.message);
        fail();
    }
}

static inline const char *names_of(const struct wr_schema *schema, struct wr_buf *out)
{
    wr_buf_clear(out);
    for (uint32_t i = 0; i < schema->count; i++) {
        wr_buf_printf(out, "%s%s ", i ? ", " : "", schema->column[i].name);
        wr_type_print(schema->column[i].type, out);
    }
    return wr_buf_cstr(out);
}

static inline const struct wr_node *find_node(const struct compiling *c, const char *name)
{
    for (uint32_t i = 0; i < c->program->node_count; i++)
        if (strcmp(c->program->node[i].name, name) == 0) return &c->program->node[i];
    fail_msg("there is no node '%s'", name);
    return NULL;
}

/* The dataflow, a line a node: "3 SELECT 0" (number, kind, inputs). */
static inline const char *flow_of(const struct compiling *c, struct wr_buf *out)
{
    static const char *const kind[] = {"SOURCE", "SELECT", "MERGE", "WINDOW", "PATTERN", "LATE", "OUTPUT"};
    wr_buf_clear(out);
    for (uint32_t i = 0; i < c->program->node_count; i++) {
        const struct wr_node *n = &c->program->node[i];
        wr_buf_printf(out, "%u %s", i, kind[n->kind]);
        for (unsigned k = 0; k < n->input_count; k++) wr_buf_printf(out, " %u", n->input[k]);
        if (n->kind == WR_NODE_OUTPUT) wr_buf_printf(out, " %s", c->program->query[n->query]);
        wr_buf_add_char(out, '\n');
    }
    return wr_buf_cstr(out);
}

#endif
