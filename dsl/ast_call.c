/* Constructors of calls, their arguments and windows, of types, and of INTERVAL literals. */
#include "base/text.h"
#include "dsl/build.h"

struct wr_arg *wr_arg_new(struct wr_parse *parse, struct wr_ident name, struct wr_expr *expr, struct wr_from *from,
                          struct wr_span span)
{
    struct wr_arg *arg = WR_NEW(parse->arena, struct wr_arg);
    *arg = (struct wr_arg){name, expr, from, span};
    return arg;
}

struct wr_call_args *wr_call_args_new(struct wr_parse *parse, struct wr_list *args, bool distinct,
                                      struct wr_list *order) {
    struct wr_call_args *all = WR_NEW(parse->arena, struct wr_call_args);
    *all = (struct wr_call_args){args, distinct, order};
    return all;
}

static struct wr_expr *new_call(struct wr_parse *parse, struct wr_ident name, struct wr_span span)
{
    struct wr_expr *expr = WR_NEW(parse->arena, struct wr_expr);
    expr->kind = WR_EXPR_CALL;
    expr->span = span;
    expr->depth = 1;
    expr->u.call.name = name;
    return expr;
}

static void below(struct wr_expr *expr, const struct wr_expr *child)
{
    if (child && child->depth >= expr->depth) expr->depth = child->depth + 1;
}

static void below_orders(struct wr_expr *expr, struct wr_order_list orders)
{
    for (uint32_t i = 0; i < orders.count; i++) below(expr, orders.at[i].expr);
}

static struct wr_expr *bounded(struct wr_parse *parse, struct wr_expr *expr)
{
    if (expr->depth <= WR_AST_DEPTH_MAX) return expr;
    wr_parse_error(parse, WR_DIAG_W0202, expr->u.call.name.span, "expression is nested more than %d deep",
                   WR_AST_DEPTH_MAX);
    return wr_expr_error(parse, expr->span);
}

struct wr_expr *wr_expr_call(struct wr_parse *parse, struct wr_ident name, struct wr_call_args *args,
                             struct wr_expr *filter, struct wr_over *over, enum wr_measure_frame frame,
                             struct wr_span span) {
    struct wr_expr *expr = new_call(parse, name, span);
    uint32_t count = args->args ? args->args->count : 0;
    const struct wr_arg *arg = count ? (const struct wr_arg *)(void *)args->args->at : NULL;
    expr->u.call.args.at = WR_NEW_ARRAY(parse->arena, struct wr_expr *, count + 1);
    expr->u.call.args.count = count;
    for (uint32_t i = 0; i < count; i++) {
        expr->u.call.args.at[i] = arg[i].expr;
        below(expr, arg[i].expr);
        if (arg[i].name.text.size) {
            if (!expr->u.call.arg_name) expr->u.call.arg_name = WR_NEW_ARRAY(parse->arena, struct wr_ident, count);
            expr->u.call.arg_name[i] = arg[i].name;
        } else if (expr->u.call.arg_name) {
            wr_parse_error(parse, WR_DIAG_W0225, arg[i].span,
                           "an argument without a name stands behind one with a name");
        }
    }
    expr->u.call.distinct = args->distinct;
    expr->u.call.order = wr_list_orders(args->order);
    expr->u.call.filter = filter;
    expr->u.call.over = over;
    expr->u.call.frame = frame;
    below(expr, filter);
    below_orders(expr, expr->u.call.order);
    if (over) {
        for (uint32_t i = 0; i < over->partition.count; i++) below(expr, over->partition.at[i]);
        below_orders(expr, over->order);
    }
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_plain_call(struct wr_parse *parse, struct wr_span name, struct wr_list *args,
                                   struct wr_span span)
{
    return wr_expr_call(parse, wr_ident_at(parse, name), wr_call_args_new(parse, args, false, NULL), NULL, NULL,
                        WR_FRAME_DEFAULT, span);
}

struct wr_expr *wr_expr_special(struct wr_parse *parse, const char *name, struct wr_span name_span, struct wr_expr *a,
                                struct wr_expr *b, struct wr_expr *c, struct wr_span span)
{
    struct wr_expr *expr = new_call(parse, (struct wr_ident){wr_slice_cstr(name), false, name_span}, span);
    struct wr_expr *args[] = {a, b, c};
    expr->u.call.args.at = WR_NEW_ARRAY(parse->arena, struct wr_expr *, WR_COUNT(args));
    for (size_t i = 0; i < WR_COUNT(args) && args[i]; i++) {
        expr->u.call.args.at[expr->u.call.args.count++] = args[i];
        below(expr, args[i]);
    }
    return bounded(parse, expr);
}

struct wr_expr *wr_expr_extract_field(struct wr_parse *parse, struct wr_ident field)
{
    struct wr_expr *expr = WR_NEW(parse->arena, struct wr_expr);
    expr->kind = WR_EXPR_STRING;
    expr->span = field.span;
    expr->depth = 1;
    expr->u.text = field.text;
    return expr;
}

struct wr_order_item *wr_order_new(struct wr_parse *parse, struct wr_expr *expr, uint32_t descending, uint32_t nulls)
{
    struct wr_order_item *item = WR_NEW(parse->arena, struct wr_order_item);
    *item = (struct wr_order_item){expr, descending != 0, (int8_t)(nulls == 0 ? 0 : nulls == 1 ? -1 : 1)};
    return item;
}

struct wr_over_bound *wr_over_bound_new(struct wr_parse *parse, enum wr_over_bound_kind kind, struct wr_expr *offset)
{
    struct wr_over_bound *bound = WR_NEW(parse->arena, struct wr_over_bound);
    *bound = (struct wr_over_bound){kind, offset};
    return bound;
}

struct wr_over_bound *wr_over_bound_number(struct wr_parse *parse, enum wr_over_bound_kind kind,
                                           struct wr_span number)
{
    return wr_over_bound_new(parse, kind, wr_expr_literal(parse, WR_EXPR_NUMBER, number));
}

struct wr_over *wr_over_frame(struct wr_parse *parse, enum wr_over_unit unit, struct wr_over_bound *low,
                              struct wr_over_bound *high)
{
    struct wr_over *over = WR_NEW(parse->arena, struct wr_over);
    over->unit = unit;
    over->low = *low;
    over->high = high ? *high : (struct wr_over_bound){WR_OVER_CURRENT, NULL};
    return over;
}

struct wr_over *wr_over_new(struct wr_parse *parse, struct wr_list *partition, struct wr_list *order,
                            struct wr_over *frame, struct wr_span span)
{
    struct wr_over *over = frame ? frame : WR_NEW(parse->arena, struct wr_over);
    over->partition = wr_list_exprs(partition);
    over->order = wr_list_orders(order);
    over->span = span;
    return over;
}

/* ---- Types ------------------------------------------------------------------------------------------- */

struct wr_type_name *wr_type_new(struct wr_parse *parse, struct wr_ident name, struct wr_list *numbers,
                                 struct wr_span span)
{
    struct wr_type_name *type = WR_NEW(parse->arena, struct wr_type_name);
    type->name = name;
    type->span = span;
    if (!numbers) return type;
    const struct wr_span *at = (const struct wr_span *)(void *)numbers->at;
    if (numbers->count > 2)
        wr_parse_error(parse, WR_DIAG_W0219, at[2], "a type has at most two numbers, precision and scale");
    type->has_precision = true;
    type->precision = wr_number_at(parse, at[0], 1000000000);
    if (numbers->count >= 2) {
        type->has_scale = true;
        type->scale = wr_number_at(parse, at[1], 1000000000);
    }
    return type;
}

struct wr_param *wr_param_new(struct wr_parse *parse, struct wr_ident name, struct wr_type_name *type)
{
    struct wr_param *param = WR_NEW(parse->arena, struct wr_param);
    *param = (struct wr_param){name, type};
    return param;
}

struct wr_list *wr_type_list(struct wr_parse *parse, struct wr_list *list, struct wr_type_name *type)
{
    struct wr_param param = {wr_ident_none(type->span), type};
    return list ? wr_list_add(parse, list, &param, sizeof param) : wr_list_of(parse, &param, sizeof param);
}

struct wr_type_name *wr_type_generic(struct wr_parse *parse, struct wr_ident name, struct wr_list *params,
                                     struct wr_span span)
{
    struct wr_type_name *type = WR_NEW(parse->arena, struct wr_type_name);
    const struct wr_param *param = (const struct wr_param *)(void *)params->at;
    type->name = name;
    type->span = span;
    type->argument_count = params->count;
    type->argument = WR_NEW_ARRAY(parse->arena, struct wr_type_name *, params->count);
    for (uint32_t i = 0; i < params->count; i++) {
        type->argument[i] = param[i].type;
        if (!param[i].name.text.size) continue;
        if (!type->field) type->field = WR_NEW_ARRAY(parse->arena, struct wr_ident, params->count);
        type->field[i] = param[i].name;
    }
    if (wr_slice_equal_nocase(name.text, WR_SLICE("MAP")) && params->count != 2)
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0219, span, "MAP takes two types"),
                     "write MAP<STRING, T>");
    return type;
}

/* ---- INTERVAL '…' unit [TO unit] ------------------------------------------------------------------------ */

struct unit {
    const char *name;
    int64_t micros; /* 0: no fixed length */
};
static const struct unit units[] = {
    {"YEAR", 0}, {"QUARTER", 0}, {"MONTH", 0}, {"WEEK", 604800000000}, {"DAY", 86400000000}, {"HOUR", 3600000000},
    {"MINUTE", 60000000}, {"SECOND", 1000000}, {"MILLISECOND", 1000}, {"MICROSECOND", 1}};
enum { UNIT_DAY = 4, UNIT_SECOND = 7 };

/* Index of a unit, singular or plural; -1 and an error when it is none that can be. */
static int find_unit(struct wr_parse *parse, struct wr_ident word)
{
    struct wr_slice text = word.text;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < WR_COUNT(units); i++) {
            if (!wr_slice_equal_nocase(text, wr_slice_cstr(units[i].name))) continue;
            if (units[i].micros) return (int)i;
            wr_diag_help(parse->diags,
                         wr_parse_error(parse, WR_DIAG_W0213, word.span, "%s has no fixed length", units[i].name),
                         "write a number of days, such as 30d");
            return -1;
        }
        if (text.size && wr_lower(text.data[text.size - 1]) == 's') text.size--;
    }
    wr_diag_help(
        parse->diags,
        wr_parse_error(parse, WR_DIAG_W0213, word.span, "'%.*s' is no unit of time", WR_SLICE_ARG(word.text)),
        "units are WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND and MICROSECOND; a name stands behind AS");
    return -1;
}

/* digits[.digits] in `unit`s, from *at on; the fraction only where allowed. Bounded by `most` when > 0. */
static bool read_number(struct wr_slice text, size_t *at, int64_t unit, int64_t most, bool fraction, int64_t *total)
{
    size_t start = *at;
    int64_t n = 0;
    while (*at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9') {
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text.data[*at] - '0', &n)) return false;
        (*at)++;
    }
    if (*at == start || (most > 0 && n > most)) return false;
    if (__builtin_mul_overflow(n, unit, &n) || __builtin_add_overflow(*total, n, total)) return false;
    if (!fraction || *at >= text.size || text.data[*at] != '.') return true;
    (*at)++;
    start = *at;
    int64_t part = unit;
    for (; *at < text.size && text.data[*at] >= '0' && text.data[*at] <= '9'; (*at)++) {
        int digit = text.data[*at] - '0';
        if (part % 10 != 0 && digit != 0) return false; /* finer than a microsecond */
        part /= 10;
        if (__builtin_add_overflow(*total, digit * part, total)) return false;
    }
    return *at > start;
}

/* '1 02:30:00.5' as DAY TO SECOND, and the ranges inside it. */
static bool read_range(struct wr_slice text, int from, int to, int64_t *micros)
{
    size_t at = 0;
    bool negative = text.size && (text.data[0] == '-' || text.data[0] == '+') && text.data[at++] == '-';
    int64_t total = 0;
    for (int unit = from; unit <= to; unit++) {
        static const int64_t most[] = {0, 23, 59, 59};
        if (unit > from) {
            char separator = unit - 1 == UNIT_DAY ? ' ' : ':';
            if (at >= text.size || text.data[at++] != separator) return false;
        }
        if (!read_number(text, &at, units[unit].micros, unit > from ? most[unit - UNIT_DAY] : 0,
                         unit == UNIT_SECOND, &total))
            return false;
    }
    *micros = negative ? -total : total;
    return at == text.size;
}

static bool read_single(struct wr_slice text, int unit, int64_t *micros)
{
    size_t at = 0;
    bool negative = text.size && (text.data[0] == '-' || text.data[0] == '+') && text.data[at++] == '-';
    int64_t total = 0;
    if (!read_number(text, &at, units[unit].micros, 0, true, &total) || at != text.size) return false;
    *micros = negative ? -total : total;
    return true;
}

struct wr_expr *wr_expr_interval(struct wr_parse *parse, struct wr_span text, struct wr_ident unit,
                                 struct wr_ident to, struct wr_span span) {
    struct wr_expr *expr = wr_expr_error(parse, span);
    struct wr_slice value = wr_string_at(parse, text);
    int first = find_unit(parse, unit);
    int last = to.text.size ? find_unit(parse, to) : first;
    if (first < 0 || last < 0) return expr;
    bool range = to.text.size != 0;
    if (range && (first < UNIT_DAY || last > UNIT_SECOND || first >= last)) {
        wr_parse_error(parse, WR_DIAG_W0213, wr_span_join(unit.span, to.span),
                       "a range goes from a greater unit to a smaller one, DAY to SECOND at most");
        return expr;
    }
    int64_t micros;
    if (!(range ? read_range(value, first, last, &micros) : read_single(value, first, &micros))) {
        static const char *const forms[] = {"D", "HH", "MM", "SS.ffffff"};
        struct wr_diag *d =
            wr_parse_error(parse, WR_DIAG_W0213, text, "'%.*s' cannot be read as %s%s%s", WR_SLICE_ARG(value),
                           units[first].name, range ? " TO " : "", range ? units[last].name : "");
        if (range)
            wr_diag_help(parse->diags, d, "the parts go from %s to %s, as in INTERVAL '1 02:30:00' DAY TO SECOND",
                         forms[first - UNIT_DAY], forms[last - UNIT_DAY]);
        else
            wr_diag_help(parse->diags, d, "a number stands in the quotes, as in INTERVAL '10' MINUTE");
        return expr;
    }
    expr->kind = WR_EXPR_DURATION;
    expr->u.duration.micros = micros;
    expr->u.duration.spelling = wr_parse_text(parse, span);
    return expr;
}

/* INTERVAL '1 day', as PostgreSQL has it: the unit stands in the quotes. */
struct wr_expr *wr_expr_interval_words(struct wr_parse *parse, struct wr_span text, struct wr_span span)
{
    struct wr_expr *expr = wr_expr_error(parse, span);
    struct wr_slice value = wr_string_at(parse, text);
    int64_t micros;
    if (!wr_duration_words(value, &micros)) {
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0213, text, "'%.*s' is no duration", WR_SLICE_ARG(value)),
                     "write 10m, INTERVAL '10' MINUTE or INTERVAL '10 minutes'; a month and a year have no fixed length");
        return expr;
    }
    expr->kind = WR_EXPR_DURATION;
    expr->u.duration.micros = micros;
    expr->u.duration.spelling = wr_parse_text(parse, span);
    return expr;
}
