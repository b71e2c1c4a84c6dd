/* The table of the scalar functions, and which overload a call means. */
#include "vm/array.h"
#include "vm/builtin_impl.h"
#include "vm/decimal.h"
#include "vm/json.h"
#include "vm/text.h"

#include <stdio.h>

enum hidden { HIDDEN_NONE, HIDDEN_SCALE, HIDDEN_ROUND, HIDDEN_ELEMENT, HIDDEN_ELEMENTS };
static const uint8_t hidden_counts[] = {0, 1, 2, 1, 2};

static const struct wr_builtin_info info[WR_BUILTIN_COUNT] = {
#define BUILTIN(ID, NAME, ARGUMENTS, RESULT, HIDDEN, SIGNATURE, SENTENCE, FUNCTION)                       \
    {NAME, ARGUMENTS, RESULT, SIGNATURE, SENTENCE, wr_builtin_##FUNCTION},
#include "vm/builtins.def"
#undef BUILTIN
};

static const uint8_t hidden_of[WR_BUILTIN_COUNT] = {
#define BUILTIN(ID, NAME, ARGUMENTS, RESULT, HIDDEN, SIGNATURE, SENTENCE, FUNCTION) HIDDEN_##HIDDEN,
#include "vm/builtins.def"
#undef BUILTIN
};

const struct wr_builtin_info *wr_builtin_info(enum wr_builtin builtin)
{
    WR_ASSERT(builtin < WR_BUILTIN_COUNT);
    return &info[builtin];
}

/* ---- Reading the ARGUMENTS of an entry ---------------------------------------------------------- */

struct pattern {
    char letter[8];
    bool constant[8];
    unsigned count, required;
    bool repeats;
};

static struct pattern pattern_of(enum wr_builtin builtin)
{
    struct pattern p = {.required = UINT32_MAX};
    for (const char *s = wr_builtin_info(builtin)->arguments; *s; s++) {
        if (*s == '?') p.required = p.count;
        else if (*s == '*') p.repeats = true;
        else if (*s == '!') p.constant[p.count - 1] = true;
        else p.letter[p.count++] = *s;
        WR_ASSERT(p.count < WR_COUNT(p.letter));
    }
    if (p.required == UINT32_MAX) p.required = p.count;
    return p;
}

static char letter_at(const struct pattern *p, unsigned index)
{
    WR_ASSERT(p->count >= 1 && (index < p->count || p->repeats));
    return p->letter[index < p->count ? index : p->count - 1];
}

void wr_builtin_arity(enum wr_builtin builtin, unsigned *least, unsigned *most, unsigned *hidden)
{
    struct pattern p = pattern_of(builtin);
    *hidden = hidden_counts[hidden_of[builtin]];
    *least = p.required;
    *most = p.repeats ? (unsigned)WR_CALL_ARGUMENTS_MAX - *hidden : p.count;
}

static enum wr_kind kind_of(char letter)
{
    switch (letter) {
    case 'b': return WR_KIND_BOOLEAN;
    case 'i': return WR_KIND_BIGINT;
    case 'I': return WR_KIND_INT;
    case 'f': return WR_KIND_DOUBLE;
    case 'd': return WR_KIND_DECIMAL;
    case 's': return WR_KIND_STRING;
    case 'y': return WR_KIND_BYTES;
    case 'j': return WR_KIND_JSON;
    case 't': return WR_KIND_TIMESTAMP;
    case 'D': return WR_KIND_DATE;
    case 'T': return WR_KIND_TIME;
    case 'v': return WR_KIND_INTERVAL;
    case 'a': return WR_KIND_ARRAY;
    default: return WR_KIND_ERROR;
    }
}

static enum wr_class class_of(char letter)
{
    struct wr_type type = kind_of(letter) == WR_KIND_DECIMAL ? wr_type_decimal(1, 0) : wr_type_of(kind_of(letter));
    WR_ASSERT(type.kind != WR_KIND_ERROR);
    return wr_type_class(type);
}

enum wr_class wr_builtin_argument_class(enum wr_builtin builtin, unsigned index, unsigned count)
{
    struct pattern p = pattern_of(builtin);
    unsigned least, most, hidden;
    wr_builtin_arity(builtin, &least, &most, &hidden);
    WR_ASSERT(index < count && hidden <= count);
    return index >= count - hidden ? WR_CLASS_I64 : class_of(letter_at(&p, index));
}

enum wr_class wr_builtin_class(enum wr_builtin builtin)
{
    char result = wr_builtin_info(builtin)->result[0];
    if (result == '=') return class_of(wr_builtin_info(builtin)->arguments[0]);
    if (result == '/' || result == '%') return WR_CLASS_DEC;
    return class_of(result);
}

/* ---- Resolution --------------------------------------------------------------------------------- */

static bool is_number(struct wr_type type)
{
    return type.kind == WR_KIND_INT || type.kind == WR_KIND_BIGINT || type.kind == WR_KIND_FLOAT ||
           type.kind == WR_KIND_DOUBLE || type.kind == WR_KIND_DECIMAL;
}

/* Whether a value of the type may stand where the letter is; constant text for a time only in the second pass. */
static bool fits(char letter, struct wr_type type, const struct wr_value *constant, bool second)
{
    enum wr_kind kind = kind_of(letter);
    struct wr_value value;
    if (type.kind == WR_KIND_NULL || type.kind == WR_KIND_ERROR || type.kind == kind) return true;
    switch (letter) {
    case 'i': return type.kind == WR_KIND_INT;
    case 'd': return type.kind == WR_KIND_INT || type.kind == WR_KIND_BIGINT;
    case 'f': return is_number(type);
    case 'j': return type.kind == WR_KIND_STRING;
    case 't':
    case 'D':
    case 'T':
    case 'v':
        return second && type.kind == WR_KIND_STRING && constant && constant->flag == WR_FLAG_VALUE &&
               wr_value_parse(wr_type_of(kind), constant->u.str, &value);
    default: return false;
    }
}

struct question {
    const struct wr_type *argument;
    const struct wr_value *const *constant;
    unsigned n;
};

static const struct wr_value *constant_at(const struct question *q, unsigned i)
{
    return q->constant ? q->constant[i] : NULL;
}

static enum wr_resolution try_overload(enum wr_builtin builtin, const struct question *q, bool second, unsigned *bad)
{
    struct pattern p = pattern_of(builtin);
    unsigned least, most, hidden;
    wr_builtin_arity(builtin, &least, &most, &hidden);
    if (q->n < least || q->n > most) return WR_RESOLVE_COUNT;
    for (unsigned i = 0; i < q->n; i++) {
        *bad = i;
        if (!fits(letter_at(&p, i), q->argument[i], constant_at(q, i), second)) return WR_RESOLVE_TYPE;
    }
    for (unsigned i = 0; i < q->n && i < p.count; i++) {
        *bad = i;
        if (p.constant[i] && !constant_at(q, i)) return WR_RESOLVE_CONSTANT;
    }
    return WR_RESOLVED;
}

/* One DECIMAL type that holds every `d` argument; where 38 digits are too few the scale gives way. */
static struct wr_type common_decimal(const struct pattern *p, const struct question *q)
{
    unsigned whole = 1, scale = 0;
    for (unsigned i = 0; i < q->n; i++) {
        struct wr_type type = q->argument[i];
        if (letter_at(p, i) != 'd') continue;
        if (type.kind == WR_KIND_INT) type = wr_type_decimal(10, 0);
        if (type.kind == WR_KIND_BIGINT) type = wr_type_decimal(19, 0);
        if (type.kind != WR_KIND_DECIMAL) continue;
        whole = WR_MAX(whole, (unsigned)type.precision - type.scale);
        scale = WR_MAX(scale, (unsigned)type.scale);
    }
    if (q->n == 1 && q->argument[0].kind == WR_KIND_DECIMAL) return q->argument[0];
    WR_ASSERT(whole <= WR_DECIMAL_DIGITS);
    scale = WR_MIN(scale, (unsigned)WR_DECIMAL_DIGITS - whole);
    return wr_type_decimal(whole + scale, scale);
}

static struct wr_type wanted(char letter, struct wr_type type, struct wr_type decimal)
{
    switch (letter) {
    case 'i': return type.kind == WR_KIND_INT ? type : wr_type_of(WR_KIND_BIGINT);
    case 'd': return decimal;
    case 'j': return type.kind == WR_KIND_STRING ? type : wr_type_of(WR_KIND_JSON);
    case 'a': return type.kind == WR_KIND_ARRAY ? type : wr_type_array(wr_type_of(WR_KIND_NULL));
    default: return wr_type_of(kind_of(letter));
    }
}

/* Places that ROUND keeps, from its constant second argument. */
static int64_t places_of(const struct question *q)
{
    const struct wr_value *constant = q->n > 1 ? constant_at(q, 1) : NULL;
    return constant && constant->flag == WR_FLAG_VALUE ? constant->u.i64 : 0;
}

static void fill_result(enum wr_builtin builtin, const struct question *q, const struct wr_type *want,
                        struct wr_builtin_call *out)
{
    char result = wr_builtin_info(builtin)->result[0];
    struct wr_type first = want[0];
    WR_ASSERT(out->hidden_count == 0);
    if (hidden_of[builtin] >= HIDDEN_ELEMENT) {
        for (unsigned i = 0; i < hidden_counts[hidden_of[builtin]]; i++)
            out->hidden[out->hidden_count++] = wr_array_word(want[i]);
    } else if (hidden_of[builtin] != HIDDEN_NONE) {
        out->hidden[out->hidden_count++] = first.scale;
    }
    if (result == '=') {
        out->result = first;
        for (unsigned i = 1; i < q->n; i++) /* INT beside BIGINT */
            if (want[i].kind == WR_KIND_BIGINT && first.kind == WR_KIND_INT) out->result = want[i];
    } else if (result == '/') {
        unsigned precision = WR_MIN((unsigned)first.precision - first.scale + 1, (unsigned)WR_DECIMAL_DIGITS);
        out->result = wr_type_decimal(precision, 0);
    } else if (result == '%') {
        int64_t places = WR_MAX(WR_MIN(places_of(q), (int64_t)first.scale), 0);
        unsigned whole = (unsigned)first.precision - first.scale;
        out->result = wr_type_decimal(WR_MIN(whole + (unsigned)places + 1, (unsigned)WR_DECIMAL_DIGITS),
                                      (unsigned)places);
        out->hidden[out->hidden_count++] = places;
    } else {
        out->result = wr_type_of(kind_of(result));
    }
}

enum wr_resolution wr_builtin_resolve(struct wr_slice name, const struct wr_type *argument,
                                      const struct wr_value *const *constant, unsigned n,
                                      struct wr_type *want, struct wr_builtin_call *out)
{
    struct question q = {argument, constant, n};
    WR_ASSERT(n == 0 || (argument && want));
    enum wr_resolution worst = WR_RESOLVE_NO_NAME;
    *out = (struct wr_builtin_call){0};
    for (int second = 0; second < 2; second++) {
        for (unsigned i = 0; i < WR_BUILTIN_COUNT; i++) {
            enum wr_builtin builtin = (enum wr_builtin)i;
            unsigned bad = 0;
            if (!wr_slice_equal_nocase(name, wr_slice_cstr(info[i].name))) continue;
            enum wr_resolution r = try_overload(builtin, &q, second, &bad);
            if (r == WR_RESOLVED) {
                struct pattern p = pattern_of(builtin);
                struct wr_type decimal = common_decimal(&p, &q);
                *out = (struct wr_builtin_call){.builtin = builtin};
                for (unsigned j = 0; j < n; j++) want[j] = wanted(letter_at(&p, j), argument[j], decimal);
                fill_result(builtin, &q, want, out);
                return WR_RESOLVED;
            }
            /* What is told is the overload that came furthest. */
            if (r > worst || (r == worst && r == WR_RESOLVE_TYPE && bad > out->bad)) {
                worst = r;
                out->builtin = builtin;
                out->bad = bad;
            }
        }
    }
    return worst;
}

/* ---- Constants that can be checked beforehand ---------------------------------------------------- */

static bool is_text(const struct wr_value *const *constant, unsigned i)
{
    return constant[i] && constant[i]->flag == WR_FLAG_VALUE && constant[i]->cls == WR_CLASS_STR;
}

static int check_zone(const struct wr_value *const *constant, unsigned i, unsigned n, char *message, size_t size)
{
    if (i >= n || !is_text(constant, i) || wr_zone_exists(constant[i]->u.str)) return -1;
    snprintf(message, size, "there is no time zone '%.*s'", WR_SLICE_ARG(constant[i]->u.str));
    return (int)i;
}

static int check_unit(enum wr_builtin builtin, const struct wr_value *const *constant, char *message, size_t size)
{
    if (!is_text(constant, 0)) return -1;
    enum wr_unit unit = wr_unit_find(constant[0]->u.str);
    if (unit != WR_UNIT_COUNT && wr_unit_fits(builtin, unit)) return -1;
    snprintf(message, size, unit == WR_UNIT_COUNT ? "there is no unit of time '%.*s'" : "'%.*s' cannot be taken here",
             WR_SLICE_ARG(constant[0]->u.str));
    return 0;
}

static int check_format(const struct wr_value *const *constant, unsigned i, char *message, size_t size)
{
    if (!is_text(constant, i)) return -1;
    struct wr_slice bad = wr_format_check(constant[i]->u.str);
    WR_ASSERT(bad.size <= 2 && size > 0);
    if (bad.size == 0) return -1;
    snprintf(message, size, "the format has no field '%.*s'", WR_SLICE_ARG(bad));
    return (int)i;
}

static int check_regexp(const struct wr_value *const *constant, char *message, size_t size)
{
    if (!is_text(constant, 1)) return -1;
    struct wr_regexp *regexp = wr_regexp_new(constant[1]->u.str, message, size);
    wr_regexp_free(regexp);
    return regexp ? -1 : 1;
}

static int check_path(const struct wr_value *const *constant, char *message, size_t size)
{
    if (!is_text(constant, 1) || wr_json_path_check(constant[1]->u.str)) return -1;
    snprintf(message, size, "'%.*s' is no path; one looks like '$.a.b[0]'", WR_SLICE_ARG(constant[1]->u.str));
    return 1;
}

int wr_builtin_check_constants(enum wr_builtin builtin, const struct wr_value *const *constant, unsigned n,
                               char *message, size_t size)
{
    int bad = -1;
    int64_t per_second;
    switch (builtin) {
    case WR_BUILTIN_EXTRACT_TIMESTAMP:
    case WR_BUILTIN_DATE_TRUNC:
        bad = check_unit(builtin, constant, message, size);
        return bad >= 0 ? bad : check_zone(constant, 2, n, message, size);
    case WR_BUILTIN_EXTRACT_DATE:
    case WR_BUILTIN_EXTRACT_TIME:
    case WR_BUILTIN_EXTRACT_INTERVAL:
    case WR_BUILTIN_DATE_TRUNC_DATE: return check_unit(builtin, constant, message, size);
    case WR_BUILTIN_TO_TIMESTAMP_FORMAT:
    case WR_BUILTIN_FORMAT_TIMESTAMP:
        bad = check_format(constant, 1, message, size);
        return bad >= 0 ? bad : check_zone(constant, 2, n, message, size);
    case WR_BUILTIN_TO_TIMESTAMP_NUMBER:
        if (n < 2 || !is_text(constant, 1) || wr_number_unit(constant[1]->u.str, &per_second)) return -1;
        snprintf(message, size, "the unit is 's', 'ms', 'us' or 'ns', not '%.*s'", WR_SLICE_ARG(constant[1]->u.str));
        return 1;
    case WR_BUILTIN_REGEXP: return check_regexp(constant, message, size);
    case WR_BUILTIN_JSON_VALUE:
    case WR_BUILTIN_JSON_QUERY: return check_path(constant, message, size);
    default: return -1;
    }
}
