/* Numbers and values as text, and back. Times stand in text_time.c. */
#include "vm/text.h"

#include "base/text.h"
#include "vm/array.h"
#include "vm/decimal.h"
#include "vm/shortest.h"
#include <math.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* ---- Parsing ----------------------------------------------------------------------------------- */

bool wr_parse_i64(struct wr_slice text, int64_t *out)
{
    size_t i = 0;
    bool negative = false;
    uint64_t value = 0;
    if (text.size && (text.data[0] == '-' || text.data[0] == '+')) negative = text.data[i++] == '-';
    if (i == text.size) return false;
    for (; i < text.size; i++) {
        unsigned digit = (unsigned char)text.data[i] - (unsigned)'0';
        if (digit > 9) return false;
        if (value > (uint64_t)INT64_MAX / 10) return false;
        value = value * 10 + digit; /* at most 2^63 + 1: no wrap */
    }
    if (value > (uint64_t)INT64_MAX + negative) return false;
    *out = (int64_t)(negative ? 0 - value : value);
    return true;
}

bool wr_parse_f64(struct wr_slice text, double *out)
{
    double value = 0;
    if (text.size && text.data[0] == '+') {
        text.data++, text.size--;
        if (text.size && text.data[0] == '-') return false;
    }
    size_t first = text.size && text.data[0] == '-' ? 1 : 0;
    /* A digit or a dot must begin it: no "inf", no "nan". */
    if (first >= text.size || !(is_digit(text.data[first]) || text.data[first] == '.')) return false;
    if (!wr_double_read(text.data, text.size, &value)) return false;
    *out = value;
    return true;
}

/* The parts of a number: digits with the dot left out, and the power of ten of the last one. */
struct number {
    struct wr_slice whole, fraction;
    int64_t exponent;
    bool negative;
};

static bool split_number(struct wr_slice text, struct number *n)
{
    const char *p = text.data, *end = p + text.size;
    WR_ASSERT(p && n->exponent == 0);
    if (p < end && (*p == '-' || *p == '+')) n->negative = *p++ == '-';
    const char *start = p;
    while (p < end && is_digit(*p)) p++;
    n->whole = wr_slice_of(start, (size_t)(p - start));
    if (p < end && *p == '.') {
        start = ++p;
        while (p < end && is_digit(*p)) p++;
        n->fraction = wr_slice_of(start, (size_t)(p - start));
    }
    if (n->whole.size + n->fraction.size == 0) return false;
    if (p < end && (*p == 'e' || *p == 'E')) {
        if (!wr_parse_i64(wr_slice_of(p + 1, (size_t)(end - p - 1)), &n->exponent)) return false;
        n->exponent = WR_MAX(WR_MIN(n->exponent, 100000000), -100000000);
        p = end;
    }
    return p == end;
}

bool wr_parse_decimal(struct wr_slice text, unsigned precision, unsigned scale, wr_i128 *out)
{
    struct number n = {{0}, {0}, 0, false};
    WR_ASSERT(precision >= 1 && precision <= WR_DECIMAL_DIGITS && scale <= precision);
    if (text.size == 0 || !split_number(text, &n)) return false;
    /* Digit number i of all digits counts 10^(place - i) units of the result. */
    int64_t place = (int64_t)n.whole.size - 1 + n.exponent + (int64_t)scale;
    size_t count = n.whole.size + n.fraction.size;
    wr_u128 value = 0, limit = (wr_u128)wr_pow10(precision);
    int64_t power = place - (int64_t)count + 1; /* of the last digit taken */
    for (size_t i = 0; i < count; i++) {
        unsigned digit = (unsigned)(i < n.whole.size ? n.whole.data[i] : n.fraction.data[i - n.whole.size]) - '0';
        if (place - (int64_t)i < 0) { /* the first digit past the scale rounds */
            if (place - (int64_t)i == -1 && digit >= 5) value++;
            power = 0;
            break;
        }
        if (value >= limit / 10) return false; /* before it could wrap */
        value = value * 10 + digit;
    }
    while (power-- > 0 && value) {
        if (value >= limit / 10) return false;
        value *= 10;
    }
    if (value >= limit) return false;
    *out = n.negative ? -(wr_i128)value : (wr_i128)value;
    return true;
}

static bool parse_boolean(struct wr_slice text, bool *out)
{
    *out = wr_slice_equal_nocase(text, WR_SLICE("true"));
    return *out || wr_slice_equal_nocase(text, WR_SLICE("false"));
}

bool wr_value_parse(struct wr_type type, struct wr_slice text, struct wr_value *out)
{
    *out = (struct wr_value){.cls = (uint8_t)wr_type_class(type)};
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_BOOLEAN: return parse_boolean(text, &out->u.boolean);
    case WR_KIND_INT:
        return wr_parse_i64(text, &out->u.i64) && out->u.i64 >= INT32_MIN && out->u.i64 <= INT32_MAX;
    case WR_KIND_BIGINT: return wr_parse_i64(text, &out->u.i64);
    case WR_KIND_FLOAT:
        if (!wr_parse_f64(text, &out->u.f64)) return false;
        out->u.f64 = (double)(float)out->u.f64;
        return isfinite(out->u.f64);
    case WR_KIND_DOUBLE: return wr_parse_f64(text, &out->u.f64);
    case WR_KIND_DECIMAL: return wr_parse_decimal(text, type.precision, type.scale, &out->u.dec);
    case WR_KIND_DATE: return wr_parse_date(text, &out->u.i64);
    case WR_KIND_TIME: return wr_parse_time(text, &out->u.i64);
    case WR_KIND_TIMESTAMP: return wr_parse_timestamp(text, &out->u.i64);
    case WR_KIND_INTERVAL: return wr_parse_interval(text, &out->u.i64);
    case WR_KIND_STRING:
    case WR_KIND_JSON:
    case WR_KIND_BYTES: out->u.str = text; return true;
    case WR_KIND_NULL:
    case WR_KIND_ARRAY:
    case WR_KIND_MAP:
    case WR_KIND_ROW:
    case WR_KIND_ERROR: break;
    }
    return false;
}

/* ---- Printing ---------------------------------------------------------------------------------- */

/* The digits of m, written backwards from `end`; returns where they begin. */
static char *digits_before(char *end, wr_u128 m)
{
    while (m >> 64) {
        uint64_t low = (uint64_t)(m % 10000000000000000000u);
        m /= 10000000000000000000u;
        for (int i = 0; i < 19; i++, low /= 10) *--end = (char)('0' + low % 10);
    }
    uint64_t rest = (uint64_t)m;
    do *--end = (char)('0' + rest % 10);
    while (rest /= 10);
    return end;
}

size_t wr_print_i64(char *out, int64_t value)
{
    char text[24], *end = text + sizeof text;
    char *start = digits_before(end, value < 0 ? 0 - (uint64_t)value : (uint64_t)value);
    if (value < 0) *--start = '-';
    WR_ASSERT(start >= text && start < end);
    memcpy(out, start, (size_t)(end - start));
    return (size_t)(end - start);
}

static size_t print_special(char *out, double value)
{
    const char *text = isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
    size_t size = strlen(text);
    memcpy(out, text, size);
    return size;
}

size_t wr_print_f64(char *out, double value)
{
    return isfinite(value) ? wr_double_shortest(out, value) : print_special(out, value);
}

size_t wr_print_f32(char *out, double value)
{
    return isfinite(value) ? wr_float_shortest(out, value) : print_special(out, value);
}

size_t wr_print_decimal(char *out, wr_i128 value, unsigned scale)
{
    char text[WR_TEXT_MAX], *end = text + sizeof text;
    char *start = digits_before(end, value < 0 ? 0 - (wr_u128)value : (wr_u128)value);
    WR_ASSERT(scale <= WR_DECIMAL_DIGITS);
    while ((size_t)(end - start) <= scale) *--start = '0';
    WR_ASSERT(start >= text); /* 39 digits, or a zero more than the scale */
    size_t whole = (size_t)(end - start) - scale, n = 0;
    if (value < 0) out[n++] = '-';
    memcpy(out + n, start, whole);
    n += whole;
    if (scale == 0) return n;
    out[n++] = '.';
    memcpy(out + n, start + whole, scale);
    return n + scale;
}

static size_t print_scalar(struct wr_type type, const struct wr_value *value, char *out)
{
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_BOOLEAN:
        memcpy(out, value->u.boolean ? "true" : "false", value->u.boolean ? 4 : 5);
        return value->u.boolean ? 4 : 5;
    case WR_KIND_INT:
    case WR_KIND_BIGINT: return wr_print_i64(out, value->u.i64);
    case WR_KIND_FLOAT: return wr_print_f32(out, value->u.f64);
    case WR_KIND_DOUBLE: return wr_print_f64(out, value->u.f64);
    case WR_KIND_DECIMAL: return wr_print_decimal(out, value->u.dec, type.scale);
    case WR_KIND_DATE: return wr_print_date(out, value->u.i64);
    case WR_KIND_TIME: return wr_print_time(out, value->u.i64);
    case WR_KIND_TIMESTAMP: return wr_print_timestamp(out, value->u.i64);
    case WR_KIND_INTERVAL: return wr_print_interval(out, value->u.i64);
    case WR_KIND_NULL:
    case WR_KIND_STRING:
    case WR_KIND_BYTES:
    case WR_KIND_ARRAY:
    case WR_KIND_MAP:
    case WR_KIND_ROW:
    case WR_KIND_JSON:
    case WR_KIND_ERROR: break;
    }
    return 0;
}

void wr_value_print(struct wr_type type, const struct wr_value *value, struct wr_buf *out)
{
    if (value->flag == WR_FLAG_ERROR) {
        wr_buf_add_cstr(out, "error");
    } else if (value->flag == WR_FLAG_NULL || type.kind == WR_KIND_NULL) {
        wr_buf_add_cstr(out, "NULL");
    } else if (type.kind == WR_KIND_ARRAY) {
        struct wr_slice rest = value->u.str;
        struct wr_value element;
        wr_buf_add_char(out, '[');
        for (bool more = false; wr_array_next(&rest, wr_type_element(type), &element); more = true) {
            if (more) wr_buf_add_cstr(out, ", ");
            wr_value_print(wr_type_element(type), &element, out);
        }
        wr_buf_add_char(out, ']');
    } else if (wr_type_class(type) == WR_CLASS_STR) {
        wr_buf_add_slice(out, value->u.str);
    } else {
        out->size += print_scalar(type, value, wr_buf_reserve(out, WR_TEXT_MAX));
    }
}
