/* Types of the language: names, implicit casts, common types, results of aggregates. */
#include "compiler/state.h"

#include "vm/array.h"

/* The type of a name without parameters; NULL kind when there is none of that name. */
static const struct {
    const char *name;
    uint8_t kind;
} type_names[] = {
    {"BOOLEAN", WR_KIND_BOOLEAN},
    {"BOOL", WR_KIND_BOOLEAN},
    {"INT", WR_KIND_INT},
    {"INTEGER", WR_KIND_INT},
    {"BIGINT", WR_KIND_BIGINT},
    {"FLOAT", WR_KIND_FLOAT},
    {"REAL", WR_KIND_FLOAT},
    {"DOUBLE", WR_KIND_DOUBLE},
    {"DECIMAL", WR_KIND_DECIMAL},
    {"NUMERIC", WR_KIND_DECIMAL},
    {"DEC", WR_KIND_DECIMAL},
    {"STRING", WR_KIND_STRING},
    {"VARCHAR", WR_KIND_STRING},
    {"TEXT", WR_KIND_STRING},
    {"CHAR", WR_KIND_STRING},
    {"BYTES", WR_KIND_BYTES},
    {"VARBINARY", WR_KIND_BYTES},
    {"BINARY", WR_KIND_BYTES},
    {"DATE", WR_KIND_DATE},
    {"TIME", WR_KIND_TIME},
    {"TIMESTAMP", WR_KIND_TIMESTAMP},
    {"TIMESTAMP_LTZ", WR_KIND_TIMESTAMP},
    {"INTERVAL", WR_KIND_INTERVAL},
    {"ARRAY", WR_KIND_ARRAY},
    {"MAP", WR_KIND_MAP},
    {"ROW", WR_KIND_ROW},
    {"JSON", WR_KIND_JSON},
};

bool wr_is_type_name(struct wr_slice name)
{
    for (size_t i = 0; i < WR_COUNT(type_names); i++)
        if (wr_slice_equal_nocase(wr_slice_cstr(type_names[i].name), name)) return true;
    return false;
}

bool wr_is_near_type_name(struct wr_slice name)
{
    struct wr_suggestion near;
    wr_suggestion_init(&near, name);
    for (size_t i = 0; i < WR_COUNT(type_names); i++) wr_suggestion_offer(&near, wr_slice_cstr(type_names[i].name));
    return near.best.size != 0 || wr_foreign(WR_FOREIGN_TYPE, name);
}

static bool decimal_of(struct wr_compile *c, const struct wr_type_name *name, struct wr_type *type)
{
    uint32_t precision = name->has_precision ? name->precision : 10;
    uint32_t scale = name->has_scale ? name->scale : 0;
    if (precision < 1 || precision > 38 || scale > precision) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0417, name->span,
                                        "DECIMAL(%u,%u) is not possible", precision, scale);
        wr_diag_help(c->diags, d, "1 to 38 digits, of which no more than all are behind the point");
        return false;
    }
    *type = wr_type_decimal(precision, scale);
    if (!name->has_precision) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W2015, name->span, "%.*s without a scale rounds to whole numbers",
                                        WR_SLICE_ARG(name->name.text));
        wr_diag_help(c->diags, d, "write DECIMAL(18, 2) for two digits behind the point, DECIMAL(10, 0) for none");
    }
    return true;
}

bool wr_check_type_name(struct wr_compile *c, const struct wr_type_name *name, struct wr_type *type)
{
    struct wr_suggestion near;
    wr_suggestion_init(&near, name->name.text);
    for (size_t i = 0; i < WR_COUNT(type_names); i++) {
        struct wr_slice candidate = wr_slice_cstr(type_names[i].name);
        if (!wr_slice_equal_nocase(candidate, name->name.text)) {
            wr_suggestion_offer(&near, candidate);
            continue;
        }
        enum wr_kind kind = (enum wr_kind)type_names[i].kind;
        if (kind >= WR_KIND_ARRAY) {
            wr_not_yet(c, name->span,
                       wr_arena_cstr(c->arena, wr_arena_printf(c->arena, "a column of type %s",
                                                               type_names[i].name)));
            return false;
        }
        if (kind == WR_KIND_DECIMAL) return decimal_of(c, name, type);
        bool takes_precision = kind == WR_KIND_TIMESTAMP || kind == WR_KIND_TIME ||
                               kind == WR_KIND_STRING || kind == WR_KIND_BYTES;
        bool bad = name->has_scale || (name->has_precision && !takes_precision) ||
                   name->argument_count ||
                   ((kind == WR_KIND_TIMESTAMP || kind == WR_KIND_TIME) && name->has_precision &&
                    name->precision > 9);
        if (bad) {
            wr_diag_add(c->diags, WR_DIAG_W0417, name->span,
                        takes_precision && !name->has_scale && !name->argument_count
                            ? "%s takes 0 to 9 fraction digits"
                            : "%s takes no such parameters",
                        type_names[i].name);
            return false;
        }
        *type = wr_type_of(kind);
        return true;
    }
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0311, name->span, "there is no type '%.*s'",
                                    WR_SLICE_ARG(name->name.text));
    struct wr_slice best = wr_suggestion_best(&near);
    const char *instead = wr_foreign(WR_FOREIGN_TYPE, name->name.text);
    if (instead) wr_diag_help(c->diags, d, "write %s", instead);
    else if (best.size) wr_diag_help(c->diags, d, "did you mean %.*s?", WR_SLICE_ARG(best));
    return false;
}

const char *wr_type_text(struct wr_compile *c, struct wr_type type)
{
    struct wr_buf buf = {0};
    wr_type_print(type, &buf);
    char *text = wr_arena_cstr(c->arena, wr_buf_slice(&buf));
    wr_buf_release(&buf);
    return text;
}

bool wr_check_key_type(struct wr_compile *c, struct wr_span span, struct wr_type type)
{
    if (type.kind < WR_KIND_ARRAY) return true;
    if (type.kind != WR_KIND_ERROR)
        wr_diag_add(c->diags, WR_DIAG_W0422, span,
                    "values of type %s cannot be compared or grouped", wr_type_text(c, type));
    return false;
}

/* ---- Implicit casts -------------------------------------------------------------------------- */

struct wr_type wr_type_as_decimal(struct wr_type t)
{
    if (t.kind == WR_KIND_INT) return wr_type_decimal(10, 0);
    if (t.kind == WR_KIND_BIGINT) return wr_type_decimal(19, 0);
    return t;
}

struct wr_type wr_type_decimal_fit(unsigned precision, unsigned scale)
{
    if (precision <= 38) return wr_type_decimal(precision, scale);
    unsigned whole = precision - scale;
    unsigned least = WR_MIN(scale, 6u);
    unsigned room = whole < 38 ? 38 - whole : 0;
    return wr_type_decimal(38, WR_MAX(room, least));
}

static bool is_float(struct wr_type t)
{
    return t.kind == WR_KIND_FLOAT || t.kind == WR_KIND_DOUBLE;
}

bool wr_type_converts(struct wr_type from, struct wr_type to)
{
    if (wr_type_equal(from, to) || from.kind == WR_KIND_NULL) return true;
    if (from.kind == WR_KIND_ARRAY && to.kind == WR_KIND_ARRAY)
        return from.element == WR_KIND_NULL || (from.element == WR_KIND_INT && to.element == WR_KIND_BIGINT);
    if (from.kind == WR_KIND_INT && to.kind == WR_KIND_BIGINT) return true;
    if (from.kind == WR_KIND_FLOAT && to.kind == WR_KIND_DOUBLE) return true;
    if ((wr_type_is_integer(from) || from.kind == WR_KIND_DECIMAL) &&
        (is_float(to) || to.kind == WR_KIND_DECIMAL))
        return true;
    return false;
}

bool wr_type_common(struct wr_type a, struct wr_type b, struct wr_type *out)
{
    if (wr_type_equal(a, b) || b.kind == WR_KIND_NULL) {
        *out = a;
        return true;
    }
    if (a.kind == WR_KIND_NULL) {
        *out = b;
        return true;
    }
    if (a.kind == WR_KIND_ARRAY && b.kind == WR_KIND_ARRAY) {
        *out = wr_type_converts(a, b) ? b : a;
        return wr_type_converts(a, b) || wr_type_converts(b, a);
    }
    if (!wr_type_is_number(a) || !wr_type_is_number(b)) return false;
    if (is_float(a) || is_float(b)) {
        *out = wr_type_of(WR_KIND_DOUBLE);
    } else if (wr_type_is_integer(a) && wr_type_is_integer(b)) {
        *out = wr_type_of(WR_KIND_BIGINT);
    } else {
        struct wr_type x = wr_type_as_decimal(a), y = wr_type_as_decimal(b);
        unsigned scale = WR_MAX(x.scale, y.scale);
        unsigned whole = WR_MAX((unsigned)x.precision - x.scale, (unsigned)y.precision - y.scale);
        *out = wr_type_decimal_fit(whole + scale, scale);
    }
    return true;
}

/* A string constant where a time is wanted: read once, here. */
static struct wr_ir *time_of_text(struct wr_compile *c, struct wr_block *b, struct wr_ir *ir,
                                  struct wr_type type, bool *reported)
{
    struct wr_value text, value;
    if (!wr_ir_is_constant(ir, &text) || text.flag != WR_FLAG_VALUE) return NULL;
    if (!wr_value_parse(type, text.u.str, &value)) {
        struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0503, ir->span, "'%.*s' is no %s",
                                        WR_SLICE_ARG(text.u.str), wr_type_text(c, type));
        static const char *const example[] = {"2026-02-28", "13:45:00", "2026-02-28 13:45:00",
                                              "1h30m"};
        wr_diag_help(c->diags, d, "write it as '%s'", example[type.kind - WR_KIND_DATE]);
        *reported = true;
        return NULL;
    }
    return wr_ir_constant(b, type, value);
}

struct wr_ir *wr_coerce(struct wr_compile *c, struct wr_block *b, struct wr_ir *ir,
                        struct wr_type type, bool *reported)
{
    if (ir->type.kind == WR_KIND_STRING && wr_type_is_time(type))
        return time_of_text(c, b, ir, type, reported);
    return wr_ir_cast(b, ir, type, false, false);
}

bool wr_unify(struct wr_compile *c, struct wr_block *b, struct wr_ir **left, struct wr_ir **right,
              bool *reported)
{
    struct wr_type l = (*left)->type, r = (*right)->type, common;
    struct wr_ir *x, *y;
    *reported = false;
    if (l.kind == WR_KIND_STRING && wr_type_is_time(r)) common = r;
    else if (r.kind == WR_KIND_STRING && wr_type_is_time(l)) common = l;
    else if (!wr_type_common(l, r, &common)) return false;
    x = wr_coerce(c, b, *left, common, reported);
    if (*reported) return false;
    y = wr_coerce(c, b, *right, common, reported);
    if (!x || !y) return false;
    *left = x;
    *right = y;
    return true;
}

/* ---- Aggregates ------------------------------------------------------------------------------ */

/* What a query may call them; COUNT(*) and COUNT(DISTINCT x) are found as COUNT. */
static const struct {
    const char *name;
    uint8_t fn;
} aggregates[] = {
    {"COUNT", WR_AGG_COUNT}, /* before COUNT(*) of the same name */
#define AGGREGATE(id, name) {name, WR_AGG_##id},
#include "vm/aggregates.def"
#undef AGGREGATE
    {"FIRST_VALUE", WR_AGG_FIRST},
    {"LAST_VALUE", WR_AGG_LAST},
    {"APPROX_COUNT_DISTINCT", WR_AGG_FN_COUNT},
    {"APPROX_QUANTILE", WR_AGG_FN_COUNT},
};

bool wr_aggregate_find(struct wr_slice name, enum wr_aggregate_fn *fn)
{
    for (size_t i = 0; i < WR_COUNT(aggregates); i++)
        if (aggregates[i].fn != WR_AGG_COUNT_DISTINCT && wr_slice_equal_nocase(wr_slice_cstr(aggregates[i].name), name)) {
            *fn = (enum wr_aggregate_fn)aggregates[i].fn;
            return true;
        }
    return false;
}

void wr_aggregates_offer(struct wr_suggestion *near)
{
    for (size_t i = 0; i < WR_COUNT(aggregates); i++)
        if (aggregates[i].fn != WR_AGG_COUNT_DISTINCT) wr_suggestion_offer(near, wr_slice_cstr(aggregates[i].name));
}

static bool want_number(struct wr_compile *c, const struct wr_expr *call, struct wr_type argument)
{
    if (wr_type_is_number(argument)) return true;
    struct wr_span span = call->u.call.args.count ? call->u.call.args.at[0]->span : call->span;
    struct wr_diag *d = wr_diag_add(
        c->diags, WR_DIAG_W0403, span, "%.*s takes a number, this is %s",
        WR_SLICE_ARG(call->u.call.name.text), wr_type_text(c, argument));
    wr_diag_label(c->diags, d, "%s", wr_type_text(c, argument));
    if (argument.kind == WR_KIND_STRING)
        wr_diag_help(c->diags, d, "declare the column as DECIMAL(18, 2) or DOUBLE, which read numbers in quotes too; or CAST it");
    return false;
}

bool wr_aggregate_type(struct wr_compile *c, const struct wr_expr *call, enum wr_aggregate_fn fn,
                       struct wr_type argument, struct wr_type *type)
{
    switch ((int)fn) {
    case WR_AGG_COUNT_ROWS:
    case WR_AGG_COUNT:
    case WR_AGG_COUNT_DISTINCT: *type = wr_type_of(WR_KIND_BIGINT); return true;
    case WR_AGG_SUM:
        if (argument.kind == WR_KIND_INTERVAL) {
            *type = argument;
            return true;
        }
        if (!want_number(c, call, argument)) return false;
        *type = wr_type_is_integer(argument)       ? wr_type_of(WR_KIND_BIGINT)
                : argument.kind == WR_KIND_DECIMAL ? wr_type_decimal(38, argument.scale)
                                                   : wr_type_of(WR_KIND_DOUBLE);
        return true;
    case WR_AGG_AVG:
        if (argument.kind == WR_KIND_INTERVAL) {
            *type = argument;
            return true;
        }
        if (!want_number(c, call, argument)) return false;
        *type = argument.kind == WR_KIND_DECIMAL ? wr_type_decimal(38, WR_MAX(argument.scale, 6u))
                                                 : wr_type_of(WR_KIND_DOUBLE);
        return true;
    case WR_AGG_VAR_SAMP:
    case WR_AGG_STDDEV_SAMP:
        if (!want_number(c, call, argument)) return false;
        *type = wr_type_of(WR_KIND_DOUBLE);
        return true;
    case WR_AGG_MIN:
    case WR_AGG_MAX:
        if (!wr_check_key_type(c, call->span, argument)) return false;
        *type = argument;
        return true;
    case WR_AGG_STRING_AGG:
        if (argument.kind != WR_KIND_STRING) {
            wr_diag_add(c->diags, WR_DIAG_W0403, call->span,
                        "STRING_AGG takes a STRING, this is %s", wr_type_text(c, argument));
            return false;
        }
        *type = argument;
        return true;
    case WR_AGG_ARRAY_AGG:
        if (argument.kind == WR_KIND_NULL || argument.kind >= WR_KIND_ARRAY) {
            wr_diag_add(c->diags, WR_DIAG_W0403, call->span,
                        "ARRAY_AGG takes values of a plain type, this is %s",
                        wr_type_text(c, argument));
            return false;
        }
        *type = wr_type_array(argument);
        return true;
    default: *type = argument; return true;
    }
}
