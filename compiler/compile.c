/* The compiler's passes, one after the other, and the warnings about what nothing uses. */
#include "compiler/state.h"

#include "vm/pattern_class.h"

static void warn_unused(struct wr_compile *c, const struct wr_ident *name, struct wr_span span,
                        const char *what)
{
    wr_diag_add(c->diags, WR_DIAG_W2007, name ? name->span : span, "nothing uses the %s '%.*s'",
                what, WR_SLICE_ARG(name ? name->text : wr_span_text(c->diags->sources, span)));
}

static void warn_all_unused(struct wr_compile *c)
{
    struct wr_state *s = c->state;
    for (size_t i = 0; i < s->decl.count; i++) {
        const struct wr_decl *d = s->decl.at[i];
        bool result = d->kind == WR_DECL_PATTERN ||
                      (d->kind == WR_DECL_STREAM && d->statement->query);
        if (!result && !d->is_read && !d->is_fed)
            warn_unused(c, &d->name, d->name.span, wr_decl_kind_text(d));
    }
    for (size_t i = 0; i < s->function.count; i++)
        if (!s->function.at[i]->used)
            warn_unused(c, &s->function.at[i]->statement->name,
                        s->function.at[i]->statement->name.span, "function");
    for (size_t i = 0; i < s->parameter.count; i++)
        if (!s->parameter_used.at[i]) warn_unused(c, NULL, s->parameter_span.at[i], "parameter");
}

static void lower_all(struct wr_compile *c)
{
    const struct wr_tree *tree = c->state->tree;
    for (size_t i = 0; i < c->state->function.count; i++)
        wr_check_function(c, c->state->function.at[i]);
    for (uint32_t i = 0; i < tree->count; i++) wr_lower_statement(c, i, tree->statement[i].span);
    /* Columns of streams that nothing reads are checked too. */
    for (size_t i = 0; i < c->state->decl.count; i++) {
        struct wr_decl *d = c->state->decl.at[i];
        bool stream = d->kind == WR_DECL_STREAM && d->statement->has_columns &&
                      !d->statement->query;
        if (stream && d->mark == WR_MARK_NEW && !d->is_fed) {
            d->mark = wr_lower_source(c, d, &d->relation) ? WR_MARK_DONE : WR_MARK_FAILED;
        }
    }
}

static void check_has_result(struct wr_compile *c)
{
    if (c->state->output_count || wr_diags_failed(c->diags)) return;
    struct wr_span end = {c->state->main_file, 0, 0};
    const struct wr_tree *tree = c->state->tree;
    if (tree->count) end = tree->statement[tree->count - 1].span;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0609, end,
                                    tree->count ? "nothing comes out of this program"
                                                : "there is no statement in this program");
    wr_diag_help(c->diags, d, "add a query, such as SELECT * FROM a_stream;");
}

static void state_init(struct wr_state *s, struct wr_arena *arena, const struct wr_tree *tree, uint32_t main_file)
{
    s->tree = tree;
    s->main_file = main_file;
    s->statement_mark = WR_NEW_ARRAY(arena, uint8_t, tree->count + 1u);
    s->relation_names = wr_names_new(arena);
    s->function_names = wr_names_new(arena);
    s->parameter_names = wr_names_new(arena);
    s->pattern_names = wr_names_new(arena);
    s->node_names = wr_names_new(arena);
    s->query_names = wr_names_new(arena);
}

/* All that a compilation owns; on the heap, so that it can be given back when memory runs out half-way. */
struct job {
    struct wr_arena arena;
    struct wr_state state;
    struct wr_compile c;
};

/* SET matcher: each pattern has one among those that is right for it. */
static void check_matchers(struct wr_compile *c)
{
    const char *why, *list = wr_program_setting(c->program, "matcher");
    for (uint32_t i = 0; list && i < c->program->node_count; i++) {
        const struct wr_node *node = &c->program->node[i];
        if (node->kind != WR_NODE_PATTERN) continue;
        (void)wr_pattern_class_forced(&node->u.pattern, list, &why);
        if (!why) continue;
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0516, c->state->matcher_span,
                                        "the matcher '%s' is not right for %s: %s", list,
                                        c->program->query[node->query], why);
        wr_diag_help(c->diags, d, "'general' is right for every pattern; of 'group,general' each takes the first that is");
    }
}

static void run_passes(struct wr_compile *c)
{
    const struct wr_diags *diags = c->diags;
    c->program = wr_program_new();
    wr_declare(c); /* names of streams, views, functions, parameters; settings */
    lower_all(c);  /* each statement to nodes and value graphs, as something asks for it */
    wr_outputs(c); /* streams that are fed, derived streams, patterns */
    check_has_result(c);
    if (wr_diags_failed(diags)) return;
    warn_all_unused(c);
    wr_share_conditions(c); /* of many patterns over one stream: evaluated once */
    wr_prune(c); /* dead nodes, columns and fields that nothing reads */
    wr_emit(c);  /* code blocks and everything else into the program */
    check_matchers(c);
}

static void release(struct job *job)
{
    if (job->state.folding) wr_row_frame_free(job->state.folding);
    wr_arena_release(&job->arena);
    wr_free(job);
}

struct wr_program *wr_compile(const struct wr_tree *tree, struct wr_diags *diags,
                              uint32_t main_file, const struct wr_compile_options *options)
{
    struct wr_memory_guard guard;
    struct job *job = wr_alloc_zero(sizeof *job);
    wr_arena_init(&job->arena);
    job->c = (struct wr_compile){
        .arena = &job->arena, .diags = diags, .options = options, .state = &job->state};
    if (WR_MEMORY_GUARD(&guard)) {
        if (job->c.program) wr_program_free(job->c.program);
        release(job);
        wr_memory_fail();
    }
    state_init(&job->state, &job->arena, tree, main_file);
    job->state.parse_failed = wr_diags_failed(diags);
    run_passes(&job->c);
    wr_memory_guard_pop(&guard);
    struct wr_program *program = job->c.program;
    release(job);
    if (wr_diags_failed(diags)) {
        wr_program_free(program);
        return NULL;
    }
#ifdef WR_DEBUG
    struct wr_error error;
    WR_ASSERT(wr_program_verify(program, &error) == WR_OK);
#endif
    return program;
}
