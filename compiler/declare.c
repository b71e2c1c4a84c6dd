/* Declarations: names of everything a program creates, before any query is looked at, so that
 * statements may stand in any order. Columns of streams are in declare_stream.c. */
#include "compiler/state.h"
#include "vm/builtin.h"

const char *wr_decl_kind_text(const struct wr_decl *decl)
{
    static const char *const text[] = {"stream", "table", "view", "pattern", "file"};
    return text[decl->kind];
}

static void defined_twice(struct wr_compile *c, const struct wr_ident *name, struct wr_span first,
                          const char *what)
{
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0306, name->span,
                                    "%s '%.*s' is defined twice", what, WR_SLICE_ARG(name->text));
    wr_diag_second(c->diags, d, first, "the first definition");
}

static struct wr_decl *add_decl(struct wr_compile *c, enum wr_decl_kind kind,
                                const struct wr_statement *s, uint32_t number,
                                const struct wr_ident *name)
{
    struct wr_state *state = c->state;
    struct wr_decl *decl = WR_NEW(c->arena, struct wr_decl);
    decl->kind = kind;
    decl->name = *name;
    decl->statement = s;
    decl->statement_number = number;
    decl->stream = WR_NONE;
    if (!wr_names_add(state->relation_names, name, (uint32_t)state->decl.count)) {
        const struct wr_decl *first = state->decl.at[wr_names_find(state->relation_names, name)];
        defined_twice(c, name, first->name.span, "the name");
    }
    wr_list_push(c->arena, &state->decl, decl);
    return decl;
}

struct wr_decl *wr_decl_find(struct wr_compile *c, const struct wr_ident *name)
{
    uint32_t n = wr_names_find(c->state->relation_names, name);
    return n == WR_NONE ? NULL : c->state->decl.at[n];
}

struct wr_decl *wr_declare_stream(struct wr_compile *c, const struct wr_statement *s,
                                  uint32_t number)
{
    struct wr_state *state = c->state;
    struct wr_decl *decl = add_decl(c, WR_DECL_STREAM, s, number, &s->name);
    struct wr_stream stream = {.name = wr_cstr(c, s->name.text)};
    if (s->has_columns && s->query) wr_not_yet(c, s->name.span, "a list of columns beside AS");
    if (s->primary_key.count)
        wr_diag_add(c->diags, WR_DIAG_W0612, s->primary_key_span,
                    "a stream has no PRIMARY KEY, only a table has");
    wr_check_options(c, s, &stream);
    if (s->has_columns) wr_declare_columns(c, decl);
    stream.declared = decl->columns;
    stream.record_columns = wr_record_columns(decl);
    decl->stream = (uint32_t)state->stream.count;
    wr_list_push(c->arena, &state->stream, stream);
    return decl;
}

/* ---- Functions and parameters ---------------------------------------------------------------- */

static bool is_taken(struct wr_slice name)
{
    enum wr_aggregate_fn fn;
    if (wr_aggregate_find(name, &fn)) return true;
    for (unsigned i = 0; i < WR_BUILTIN_COUNT; i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(wr_builtin_info((enum wr_builtin)i)->name), name))
            return true;
    static const char *const forms[] = {
        "COALESCE", "IFNULL",     "NULLIF",       "NOW",      "CURRENT_TIMESTAMP", "PREV",
        "NEXT",     "CLASSIFIER", "MATCH_NUMBER", "MATCH_ID", "MATCH_STATUS",      "MATCH_ROWTIME"};
    for (size_t i = 0; i < WR_COUNT(forms); i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(forms[i]), name)) return true;
    return false;
}

static void declare_function(struct wr_compile *c, const struct wr_statement *s)
{
    struct wr_state *state = c->state;
    struct wr_function *f = WR_NEW(c->arena, struct wr_function);
    f->statement = s;
    f->ok = true;
    f->type = WR_NEW_ARRAY(c->arena, struct wr_type, s->parameter_count + 1);
    for (uint32_t i = 0; i < s->parameter_count; i++) {
        if (!wr_check_type_name(c, s->parameter_type[i], &f->type[i])) {
            f->type[i] = wr_type_of(WR_KIND_ERROR);
            f->ok = false;
        }
        for (uint32_t k = 0; k < i; k++)
            if (wr_ident_equal(s->parameter[k], s->parameter[i])) {
                defined_twice(c, &s->parameter[i], s->parameter[k].span, "the parameter");
                break;
            }
    }
    if (!wr_check_type_name(c, s->type, &f->returns)) {
        f->returns = wr_type_of(WR_KIND_ERROR);
        f->ok = false;
    }
    f->checked = !f->ok; /* a body over unknown types would only repeat what is said */
    if (is_taken(s->name.text)) {
        wr_diag_add(c->diags, WR_DIAG_W0322, s->name.span, "'%.*s' is a function of the language",
                    WR_SLICE_ARG(s->name.text));
        return;
    }
    if (!wr_names_add(state->function_names, &s->name, (uint32_t)state->function.count)) {
        const struct wr_function *first =
            state->function.at[wr_names_find(state->function_names, &s->name)];
        defined_twice(c, &s->name, first->statement->name.span, "the function");
    }
    wr_list_push(c->arena, &state->function, f);
}

static void declare_parameter(struct wr_compile *c, const struct wr_statement *s)
{
    struct wr_state *state = c->state;
    struct wr_parameter p = {.name = wr_cstr(c, s->name.text)};
    if (!wr_check_type_name(c, s->type, &p.type)) p.type = wr_type_of(WR_KIND_ERROR);
    p.value.cls = (uint8_t)(p.type.kind == WR_KIND_ERROR ? WR_CLASS_BOOL : wr_type_class(p.type));
    p.value.flag = WR_FLAG_NULL;
    if (s->value && p.type.kind != WR_KIND_ERROR)
        p.has_default = wr_check_literal(c, s->value, p.type, WR_DIAG_W0420,
                                         "the default of a parameter", &p.value);
    if (!wr_names_add(state->parameter_names, &s->name, (uint32_t)state->parameter.count)) {
        uint32_t first = wr_names_find(state->parameter_names, &s->name);
        defined_twice(c, &s->name, state->parameter_span.at[first], "the parameter");
    }
    wr_list_push(c->arena, &state->parameter, p);
    wr_list_push(c->arena, &state->parameter_used, false);
    wr_list_push(c->arena, &state->parameter_span, s->name.span);
}

static struct wr_ir *no_columns(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                const struct wr_expr *name, bool *handled)
{
    WR_UNUSED(b);
    *handled = true;
    wr_diag_add(c->diags, WR_DIAG_W0512, name->span, "%s is a constant",
                (const char *)scope->context);
    return NULL;
}

bool wr_check_literal(struct wr_compile *c, const struct wr_expr *expr, struct wr_type type,
                      enum wr_diag_code code, const char *what, struct wr_value *value)
{
    struct wr_scope scope = {.context = (void *)(uintptr_t)what,
                             .resolve = no_columns,
                             .aggregates_refused = "in a constant"};
    struct wr_block *b = wr_block_new(c);
    struct wr_ir *ir = wr_check_expr(c, &scope, b, expr);
    bool reported = false;
    if (!ir) return false;
    struct wr_value given;
    bool constant = wr_ir_is_constant(ir, &given);
    if (constant && type.kind == WR_KIND_INT && ir->type.kind == WR_KIND_BIGINT) {
        wr_diag_add(c->diags, WR_DIAG_W0501, expr->span, "this number does not fit an INT");
        return false;
    }
    struct wr_ir *to = wr_coerce(c, b, ir, type, &reported);
    /* DEFAULT 0.5 of a FLOAT: the literal is a DECIMAL, which casts to it. */
    if (!to && !reported && wr_type_is_number(type) && type.kind == WR_KIND_FLOAT &&
        wr_type_is_number(ir->type))
        to = wr_ir_cast(b, ir, type, true, false);
    if (!to) {
        if (reported) return false;
        struct wr_diag *d = wr_diag_add(c->diags, code, expr->span, "%s has type %s, this is %s",
                                        what, wr_type_text(c, type), wr_type_text(c, ir->type));
        wr_diag_label(c->diags, d, "%s", wr_type_text(c, ir->type));
        return false;
    }
    wr_block_result(b, to);
    wr_block_finish(b);
    if (to->failed || (to->kind == WR_IR_OP && wr_diags_failed(c->diags))) return false;
    if (!wr_ir_is_constant(to, value)) {
        wr_diag_add(c->diags, WR_DIAG_W0512, expr->span, "%s is a literal", what);
        return false;
    }
    return true;
}

/* ---- All statements -------------------------------------------------------------------------- */

static void declare_pattern(struct wr_compile *c, const struct wr_statement *s, uint32_t number)
{
    const struct wr_ident *name = &s->query->pattern.name;
    if (!name->text.size) return;
    if (!s->name.text
             .size) { /* without INTO the pattern is an output of its name, which FROM may read */
        add_decl(c, WR_DECL_PATTERN, s, number, name);
        return;
    }
    struct wr_names *names = c->state->pattern_names;
    if (wr_names_add(names, name, number)) return;
    const struct wr_statement *first = &c->state->tree->statement[wr_names_find(names, name)];
    defined_twice(c, name, first->query->pattern.name.span, "the pattern");
}

/* Names of streams that LATE … INTO feeds, in a whole query: those are fed by that statement too.
 */
static void note_late_of_query(struct wr_compile *c, const struct wr_query *q, uint32_t statement);

static void note_target(struct wr_compile *c, const struct wr_ident *target, uint32_t statement)
{
    if (!target->text.size) return;
    struct wr_decl *decl = wr_decl_find(c, target);
    if (!decl) return;
    decl->is_fed = true;
    size_t n = decl->feeder_statement.count;
    if (!n || decl->feeder_statement.at[n - 1] != statement)
        wr_list_push(c->arena, &decl->feeder_statement, statement);
}

static void note_late_of_from(struct wr_compile *c, const struct wr_from *from, uint32_t statement)
{
    if (!from) return;
    if (from->query) note_late_of_query(c, from->query, statement);
    for (uint32_t i = 0; i < from->input_count; i++)
        note_late_of_from(c, from->input[i], statement);
    if (from->match) note_target(c, &from->match->late_into, statement);
    if (from->kind == WR_FROM_JOIN) {
        note_late_of_from(c, from->join.left, statement);
        note_late_of_from(c, from->join.right, statement);
    }
}

static void note_late_of_query(struct wr_compile *c, const struct wr_query *q, uint32_t statement)
{
    if (!q) return;
    for (uint32_t i = 0; i < q->with_count; i++) note_late_of_query(c, q->with[i].query, statement);
    note_late_of_query(c, q->left, statement);
    note_late_of_query(c, q->right, statement);
    if (q->select) note_late_of_from(c, q->select->from, statement);
    if (q->kind == WR_QUERY_PATTERN) {
        note_late_of_from(c, q->pattern.from, statement);
        if (q->pattern.match) note_target(c, &q->pattern.match->late_into, statement);
    }
    note_target(c, &q->late_into, statement);
}

static void declare_statement(struct wr_compile *c, const struct wr_statement *s, uint32_t n,
                              bool *query_before)
{
    switch (s->kind) {
    case WR_STATEMENT_CREATE_STREAM: wr_declare_stream(c, s, n); break;
    case WR_STATEMENT_CREATE_TABLE:
        add_decl(c, WR_DECL_TABLE, s, n, &s->name)->mark = WR_MARK_FAILED;
        wr_not_yet(c, s->span, "CREATE TABLE");
        break;
    case WR_STATEMENT_CREATE_VIEW: add_decl(c, WR_DECL_VIEW, s, n, &s->name); break;
    case WR_STATEMENT_CREATE_FUNCTION: declare_function(c, s); break;
    case WR_STATEMENT_CREATE_PARAMETER: declare_parameter(c, s); break;
    case WR_STATEMENT_SET:
        if (*query_before) {
            struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0613, s->span,
                                            "SET stands before the first query");
            wr_diag_help(c->diags, d, "move it to the beginning of the program");
        } else {
            wr_check_setting(c, s);
        }
        break;
    case WR_STATEMENT_QUERY:
        if (s->query && s->query->kind == WR_QUERY_PATTERN) declare_pattern(c, s, n);
        *query_before = true;
        break;
    case WR_STATEMENT_INSERT: *query_before = true; break;
    case WR_STATEMENT_INCLUDE: /* the parser has put its statements in its place, or has said why
                                  not */
    case WR_STATEMENT_ERROR: break;
    }
}

void wr_declare(struct wr_compile *c)
{
    const struct wr_tree *tree = c->state->tree;
    bool query_before = false;
    int dialect = c->options ? c->options->flink_dialect : 0;
    c->flink_dialect = dialect > 0;
    if (dialect)
        wr_list_push(c->arena, &c->state->setting,
                     (struct wr_option_value){"dialect", dialect > 0 ? "flink" : "standard"});
    for (uint32_t i = 0; i < tree->count; i++)
        declare_statement(c, &tree->statement[i], i, &query_before);
    for (uint32_t i = 0; i < tree->count; i++) {
        const struct wr_statement *s = &tree->statement[i];
        if (s->kind == WR_STATEMENT_INSERT || (s->kind == WR_STATEMENT_QUERY && s->name.text.size))
            note_target(c, &s->name, i);
        note_late_of_query(c, s->query, i);
    }
}
