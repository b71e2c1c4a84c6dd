/* What the tests of dsl/ share: a text in, a tree and diagnostics out. */
#ifndef WR_TESTS_DSL_SUPPORT_H
#define WR_TESTS_DSL_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"
#include "dsl/fmt.h"
#include "dsl/parse.h"

struct text {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    struct wr_tree tree;
    struct wr_buf out;
    uint32_t file;
};

static inline void text_init(struct text *t, const char *program, size_t size)
{
    *t = (struct text){.out = {0}};
    wr_arena_init(&t->arena);
    wr_sources_init(&t->sources, &t->arena);
    wr_diags_init(&t->diags, &t->arena, &t->sources);
    t->file = wr_sources_add(&t->sources, WR_SLICE("t.weir"), wr_slice_of(program, size));
}

static inline void text_end(struct text *t)
{
    wr_buf_release(&t->out);
    wr_arena_release(&t->arena);
}

/* Parses; what is wrong is rendered into out. */
static inline void text_parse(struct text *t, const char *program)
{
    text_init(t, program, strlen(program));
    t->tree = wr_parse(&t->arena, &t->diags, t->file, NULL, NULL);
    wr_diags_render(&t->diags, false, &t->out);
}

/* The program parses, and its layout is `expected`, as is the layout of that. */
static inline void assert_layout(const char *program, const char *expected, bool expand)
{
    struct text t, again;
    text_init(&t, program, strlen(program));
    if (!wr_fmt(&t.arena, &t.diags, t.file, expand, &t.out)) wr_diags_render(&t.diags, false, &t.out);
    assert_string_equal(wr_buf_cstr(&t.out), expected);
    text_init(&again, t.out.data, t.out.size);
    if (!wr_fmt(&again.arena, &again.diags, again.file, false, &again.out)) wr_diags_render(&again.diags, false, &again.out);
    assert_string_equal(wr_buf_cstr(&again.out), expected);
    text_end(&again);
    text_end(&t);
}

#endif
