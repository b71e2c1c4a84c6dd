/* Arrays and maps that are written out, elements of them, comparisons of arrays.
 *
 * An array is its elements' bytes one behind the other, so [a, b] is a text joined from an item for each; a NULL
 * element, on which every function would give NULL, is the item's bytes as a constant. {'a': 1}[k] is a CASE. */
#include "compiler/state.h"
#include "vm/array.h"
#include "vm/builtin.h"

enum { JOINED_MAX = WR_CALL_ARGUMENTS_MAX - WR_CALL_HIDDEN_MAX };

static struct wr_ir *hidden(struct wr_block *b, struct wr_type array)
{
    return wr_ir_i64(b, wr_type_of(WR_KIND_BIGINT), wr_array_word(array));
}

static struct wr_ir *bytes(struct wr_compile *c, struct wr_block *b, struct wr_type type, const struct wr_value *element)
{
    struct wr_buf buf = {0};
    wr_array_add(&buf, element);
    struct wr_value value = {.u.str = wr_arena_copy(c->arena, wr_buf_slice(&buf))};
    wr_buf_release(&buf);
    return wr_ir_constant(b, type, value);
}

/* An array of the one value. */
static struct wr_ir *item(struct wr_compile *c, struct wr_block *b, struct wr_ir *ir)
{
    struct wr_type type = wr_type_array(ir->type);
    struct wr_value value;
    if (wr_ir_is_constant(ir, &value)) return bytes(c, b, type, &value);
    struct wr_value null = {.cls = (uint8_t)wr_type_class(ir->type), .flag = WR_FLAG_NULL};
    unsigned builtin = WR_BUILTIN_ARRAY_ITEM_BOOL + (unsigned)wr_type_class(ir->type);
    struct wr_ir *pair[2] = {wr_ir_call(b, builtin, type, &ir, 1), bytes(c, b, type, &null)};
    return wr_ir_op(b, WR_OP_COALESCE_STR, 0, 0, type, pair, 2);
}

static struct wr_ir *join(struct wr_block *b, struct wr_type type, struct wr_ir **part, uint32_t n)
{
    while (n > 1) {
        uint32_t taken = WR_MIN(n, (uint32_t)JOINED_MAX);
        part[0] = wr_ir_call(b, WR_BUILTIN_ARRAY_JOIN, type, part, taken);
        memmove(part + 1, part + taken, (n - taken) * sizeof *part);
        n -= taken - 1;
    }
    return part[0];
}

static struct wr_ir **check_list(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr_list *list, struct wr_span **span)
{
    struct wr_ir **ir = WR_NEW_ARRAY(c->arena, struct wr_ir *, list->count + 1);
    *span = WR_NEW_ARRAY(c->arena, struct wr_span, list->count + 1);
    bool ok = true;
    for (uint32_t i = 0; i < list->count; i++) {
        ir[i] = wr_check_expr(c, scope, b, list->at[i]);
        (*span)[i] = list->at[i]->span;
        ok &= ir[i] != NULL;
    }
    return ok ? ir : NULL;
}

struct wr_ir *wr_check_array(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                             const struct wr_expr *expr)
{
    const struct wr_expr_list *list = &expr->u.list;
    struct wr_span *span;
    struct wr_type type;
    struct wr_ir **ir = check_list(c, scope, b, list, &span);
    if (!ir || !wr_common_type(c, ir, span, list->count, "the elements of this array", &type) ||
        !wr_all_to_type(c, b, ir, span, list->count, "the elements of this array", type))
        return NULL;
    if (type.kind >= WR_KIND_ARRAY) {
        wr_not_yet(c, expr->span, wr_arena_cstr(c->arena, wr_arena_printf(c->arena, "an array of values of type %s",
                                                                          wr_type_text(c, type))));
        return NULL;
    }
    type = wr_type_array(type);
    if (list->count == 0) return wr_ir_constant(b, type, (struct wr_value){.u.str = WR_SLICE("")});
    for (uint32_t i = 0; i < list->count; i++) ir[i] = item(c, b, ir[i]);
    return join(b, type, ir, list->count);
}

/* ---- Elements -------------------------------------------------------------------------------------- */

static struct wr_ir *element_of_array(struct wr_compile *c, struct wr_block *b, struct wr_ir *array,
                                      struct wr_ir *index, struct wr_span span)
{
    struct wr_type element = wr_type_element(array->type);
    struct wr_value value;
    if (!wr_type_is_integer(index->type) && index->type.kind != WR_KIND_NULL) {
        wr_diag_add(c->diags, WR_DIAG_W0403, span, "an element's number is an INT or BIGINT, this is %s",
                    wr_type_text(c, index->type));
        return NULL;
    }
    if (wr_ir_is_constant(index, &value) && value.flag == WR_FLAG_VALUE && value.u.i64 < 1) {
        wr_diag_add(c->diags, WR_DIAG_W0515, span, "the elements of an array are counted from 1");
        return NULL;
    }
    struct wr_ir *arg[2] = {array, wr_ir_cast(b, index, wr_type_of(WR_KIND_BIGINT), false, false)};
    return wr_ir_call(b, WR_BUILTIN_ARRAY_AT_BOOL + (unsigned)wr_type_class(element), element, arg, 2);
}

/* {'a': 1, 'b': 2}[k] is CASE k WHEN 'a' THEN 1 WHEN 'b' THEN 2 END. */
static struct wr_ir *element_of_map(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                    const struct wr_expr *map, const struct wr_expr *key)
{
    uint32_t n = map->u.list.count / 2;
    struct wr_ir **value = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    struct wr_ir **equal = WR_NEW_ARRAY(c->arena, struct wr_ir *, n + 1);
    struct wr_span *span = WR_NEW_ARRAY(c->arena, struct wr_span, n + 1);
    struct wr_type type;
    struct wr_ir *sought = wr_check_expr(c, scope, b, key);
    bool ok = sought != NULL;
    for (uint32_t i = 0; i < n; i++) {
        const struct wr_expr *name = map->u.list.at[2 * i], *of = map->u.list.at[2 * i + 1];
        struct wr_ir *named = wr_check_expr(c, scope, b, name);
        equal[i] = sought && named ? wr_compare_checked(c, b, WR_BINARY_EQ, sought, named, name->span) : NULL;
        value[i] = wr_check_expr(c, scope, b, of);
        span[i] = of->span;
        for (uint32_t j = 0; equal[i] && j < i; j++)
            if (equal[j] == equal[i]) {
                struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0321, name->span, "this key is there twice");
                wr_diag_second(c->diags, d, map->u.list.at[2 * j]->span, "here first");
                ok = false;
            }
        ok &= equal[i] && value[i];
    }
    if (!ok || !wr_common_type(c, value, span, n, "the values of this map", &type) ||
        !wr_all_to_type(c, b, value, span, n, "the values of this map", type))
        return NULL;
    struct wr_ir *result = wr_ir_null(b, type);
    for (uint32_t i = n; i-- > 0;) result = wr_ir_select(b, equal[i], value[i], result);
    return result;
}

/* a[0].x in a pattern, as in Esper and Siddhi. */
static bool refuse_row_number(struct wr_compile *c, const struct wr_expr *expr, const struct wr_ident *variable,
                              const struct wr_expr *number)
{
    if (!c->state->named.item || c->state->named.select || number->kind != WR_EXPR_NUMBER) return false;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0414, expr->span,
                                    "the rows of '%.*s' are not reached by a number in brackets",
                                    WR_SLICE_ARG(variable->text));
    wr_diag_help(c->diags, d, "write FIRST(%.*s.%.*s, %.*s); the last is LAST(%.*s.%.*s)", WR_SLICE_ARG(variable->text),
                 WR_SLICE_ARG(expr->u.field.name.text), WR_SLICE_ARG(number->u.text), WR_SLICE_ARG(variable->text),
                 WR_SLICE_ARG(expr->u.field.name.text));
    return true;
}

struct wr_ir *wr_check_access(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                              const struct wr_expr *expr)
{
    bool indexed = expr->kind == WR_EXPR_INDEX;
    const struct wr_expr *of = indexed ? expr->u.binary.left : expr->u.field.operand;
    const struct wr_expr *base = indexed ? of : of->kind == WR_EXPR_INDEX ? of->u.binary.left : NULL;
    if (base && base->kind == WR_EXPR_NAME && base->u.name.count == 1) { /* limits[card], limits[card].max */
        const struct wr_decl *decl = wr_decl_find(c, &base->u.name.at[0]);
        if (!indexed && !decl && refuse_row_number(c, expr, &base->u.name.at[0], of->u.binary.right)) return NULL;
        if (!indexed || (decl && decl->kind == WR_DECL_TABLE)) {
            wr_not_yet(c, expr->span, "a look-up in a table");
            return NULL;
        }
    }
    if (indexed && of->kind == WR_EXPR_MAP && of->u.list.count)
        return element_of_map(c, scope, b, of, expr->u.binary.right);
    struct wr_ir *ir = wr_check_expr(c, scope, b, of);
    if (!ir) return NULL;
    if (indexed && ir->type.kind == WR_KIND_ARRAY) {
        struct wr_ir *index = wr_check_expr(c, scope, b, expr->u.binary.right);
        return index ? element_of_array(c, b, ir, index, expr->u.binary.right->span) : NULL;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0414, expr->span, "%s has no %s", wr_type_text(c, ir->type),
                                    indexed ? "elements" : "fields");
    if (ir->type.kind == WR_KIND_JSON)
        wr_diag_help(c->diags, d, "JSON_VALUE(json, '$.a.b[0]') is the text at a path");
    return NULL;
}

/* ---- Comparisons ------------------------------------------------------------------------------------- */

static bool elements_compare(struct wr_type a, struct wr_type b)
{
    struct wr_type common, x = wr_type_element(a), y = wr_type_element(b);
    return wr_type_common(x, y, &common);
}

/* NULL beside an array is one of its type. */
static struct wr_ir *as_array(struct wr_block *b, struct wr_ir *ir, struct wr_type type)
{
    return ir->type.kind == WR_KIND_NULL ? wr_ir_null(b, type) : ir;
}

static struct wr_ir *ask(struct wr_block *b, unsigned builtin, struct wr_ir *left, struct wr_ir *right)
{
    struct wr_ir *arg[4] = {left, right, hidden(b, left->type), hidden(b, right->type)};
    WR_ASSERT(left->type.kind == WR_KIND_ARRAY && right->type.kind == WR_KIND_ARRAY);
    return wr_ir_call(b, builtin, wr_type_of(WR_KIND_BOOLEAN), arg, 4);
}

struct wr_ir *wr_compare_arrays(struct wr_compile *c, struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                                struct wr_ir *right, struct wr_span span)
{
    struct wr_type array = left->type.kind == WR_KIND_ARRAY ? left->type : right->type;
    struct wr_ir *l = as_array(b, left, array), *r = as_array(b, right, array);
    if (l->type.kind != WR_KIND_ARRAY || r->type.kind != WR_KIND_ARRAY || !elements_compare(l->type, r->type)) {
        wr_diag_add(c->diags, WR_DIAG_W0407, span, "%s and %s cannot be compared", wr_type_text(c, left->type),
                    wr_type_text(c, right->type));
        return NULL;
    }
    if (op >= WR_BINARY_LT && op <= WR_BINARY_GE) {
        wr_diag_add(c->diags, WR_DIAG_W0422, span, "arrays are equal or not, none is less than another");
        return NULL;
    }
    if (op == WR_BINARY_EQ || op == WR_BINARY_NE) {
        struct wr_ir *equal = ask(b, WR_BUILTIN_ARRAY_EQUAL, l, r);
        return op == WR_BINARY_NE ? wr_ir_not(b, equal) : equal;
    }
    struct wr_type boolean = wr_type_of(WR_KIND_BOOLEAN);
    struct wr_ir *both_null = wr_ir_and(b, wr_ir_unary(b, WR_OP_IS_NULL, boolean, l),
                                        wr_ir_unary(b, WR_OP_IS_NULL, boolean, r));
    struct wr_ir *pair[2] = {ask(b, WR_BUILTIN_ARRAY_SAME, l, r), both_null};
    struct wr_value value;
    struct wr_ir *same;
    if (wr_ir_is_constant(pair[0], &value)) same = value.flag == WR_FLAG_NULL ? both_null : pair[0];
    else same = wr_ir_op(b, WR_OP_COALESCE_BOOL, 0, 0, boolean, pair, 2);
    return op == WR_BINARY_DISTINCT ? wr_ir_not(b, same) : same;
}

struct wr_ir *wr_array_contains(struct wr_compile *c, struct wr_block *b, struct wr_ir *array, struct wr_ir *x,
                                struct wr_span span)
{
    struct wr_type common;
    if (x->type.kind >= WR_KIND_ARRAY || !wr_type_common(wr_type_element(array->type), x->type, &common)) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0403, span, "no element of %s is %s",
                                        wr_type_text(c, array->type), wr_type_text(c, x->type));
        wr_diag_help(c->diags, d, "CONTAINS(array, x)");
        return NULL;
    }
    return ask(b, WR_BUILTIN_ARRAY_CONTAINS, array, item(c, b, x));
}
