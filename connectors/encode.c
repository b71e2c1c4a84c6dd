/* Texts of values for every format that is written. */
#include "connectors/encode.h"

#include "base/simd.h"
#include "connectors/number.h"
#include "vm/array.h"
#include "vm/text.h"

enum wr_status wr_encode_check(const struct wr_schema *schema, struct wr_error *error)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        struct wr_type type = schema->column[i].type;
        bool written = type.kind == WR_KIND_ARRAY ? type.element < WR_KIND_ARRAY
                                                  : type.kind != WR_KIND_MAP && type.kind != WR_KIND_ROW;
        if (written) continue;
        struct wr_buf text = {0};
        wr_type_print(type, &text);
        wr_error_set(error, WR_ERR_PROGRAM, "column %s: values of type %s cannot be written yet",
                     schema->column[i].name, wr_buf_cstr(&text));
        wr_buf_release(&text);
        return WR_ERR_PROGRAM;
    }
    return WR_OK;
}

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

static char *put_pair(char *p, unsigned value)
{
    memcpy(p, pairs + value * 2, 2);
    return p + 2;
}

/* "2026-01-01T": what the rows of one day have in common. */
enum { DATE_SIZE = 11 };

static size_t put_timestamp(char *out, int64_t micros, struct wr_day_cache *cache)
{
    static const int64_t day_us = 86400000000;
    if (cache->known && micros == cache->micros) {
        memcpy(out, cache->text, sizeof cache->text); /* out has WR_TEXT_MAX bytes */
        return cache->size;
    }
    int64_t day = micros / day_us, rest = micros % day_us;
    if (rest < 0) {
        day--;
        rest += day_us;
    }
    if (!cache->known || cache->day != day) {
        size_t size = wr_print_timestamp(out, micros);
        cache->known = size < sizeof cache->text && out[DATE_SIZE - 1] == 'T'; /* a year of 4 digits */
        cache->day = day;
        cache->micros = micros;
        cache->size = (uint8_t)size;
        if (cache->known) memcpy(cache->text, out, size);
        return size;
    }
    char *p = cache->text + DATE_SIZE;
    unsigned seconds = (unsigned)(rest / 1000000), fraction = (unsigned)(rest % 1000000);
    p = put_pair(p, seconds / 3600);
    *p++ = ':';
    p = put_pair(p, seconds / 60 % 60);
    *p++ = ':';
    p = put_pair(p, seconds % 60);
    if (fraction) {
        *p++ = '.';
        p = put_pair(p, fraction / 10000);
        p = put_pair(p, fraction / 100 % 100);
        p = put_pair(p, fraction % 100);
        while (p[-1] == '0') p--;
    }
    *p++ = 'Z';
    cache->micros = micros;
    cache->size = (uint8_t)(p - cache->text);
    memcpy(out, cache->text, sizeof cache->text);
    return cache->size;
}

static size_t put_digits(char *out, uint64_t value)
{
    char text[24], *p = text + sizeof text;
    for (; value >= 100; value /= 100) {
        p -= 2;
        memcpy(p, pairs + value % 100 * 2, 2);
    }
    if (value >= 10) {
        p -= 2;
        memcpy(p, pairs + value * 2, 2);
    } else {
        *--p = (char)('0' + value);
    }
    size_t size = (size_t)(text + sizeof text - p);
    memcpy(out, p, size);
    return size;
}

static size_t put_integer(char *out, int64_t value)
{
    *out = '-';
    return value < 0 ? 1 + put_digits(out + 1, 0 - (uint64_t)value) : put_digits(out, (uint64_t)value);
}

/* Amounts and their sums mostly have two decimals. If the nearest number of hundredths reads back the same and has at
 * most 15 digits, it is the shortest text, as no two such decimals are the same double. */
static size_t put_double(char *out, double value)
{
    double size = value < 0 ? -value : value;
    if (!(size > 0 && size < 1e12)) return wr_print_f64(out, value);
    uint64_t hundredths = (uint64_t)(size * 100 + 0.5);
    if ((double)hundredths / 100 != size) return wr_print_f64(out, value);
    char *p = out;
    if (value < 0) *p++ = '-';
    p += put_digits(p, hundredths / 100);
    unsigned rest = (unsigned)(hundredths % 100);
    if (rest) {
        *p++ = '.';
        p = put_pair(p, rest);
        if (p[-1] == '0') p--;
    }
    return (size_t)(p - out);
}

size_t wr_encode_scalar(char *out, struct wr_type type, const struct wr_vector *v, uint32_t row,
                        struct wr_day_cache *cache)
{
    double f;
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_BOOLEAN: {
        bool yes = wr_bit(v->u.bits, row);
        memcpy(out, yes ? "true" : "false", yes ? 4 : 5);
        return yes ? 4 : 5;
    }
    case WR_KIND_INT:
    case WR_KIND_BIGINT: return put_integer(out, v->u.i64[row]);
    case WR_KIND_FLOAT:
    case WR_KIND_DOUBLE:
        f = v->u.f64[row];
        if (f - f != 0) return 0;
        return type.kind == WR_KIND_FLOAT ? wr_print_f32(out, f) : put_double(out, f);
    case WR_KIND_DECIMAL: return wr_print_decimal(out, v->u.dec[row], type.scale);
    case WR_KIND_DATE: return wr_print_date(out, v->u.i64[row]);
    case WR_KIND_TIME: return wr_print_time(out, v->u.i64[row]);
    case WR_KIND_TIMESTAMP: return put_timestamp(out, v->u.i64[row], cache);
    case WR_KIND_INTERVAL: return wr_print_interval(out, v->u.i64[row]);
    default: return 0;
    }
}

bool wr_encode_is_quoted(struct wr_type type)
{
    return type.kind == WR_KIND_DATE || type.kind == WR_KIND_TIME || type.kind == WR_KIND_TIMESTAMP ||
           type.kind == WR_KIND_INTERVAL;
}

/* A vector of the one value, for wr_encode_scalar. */
static void put_element(const struct wr_value *element, struct wr_type type, struct wr_buf *out)
{
    uint64_t bit = element->cls == WR_CLASS_BOOL && element->u.boolean;
    struct wr_value copy = *element;
    struct wr_vector one = {.cls = element->cls};
    struct wr_day_cache cache = {0};
    one.u.data = &copy.u;
    if (element->cls == WR_CLASS_BOOL) one.u.bits = &bit;
    char *p = wr_buf_reserve(out, WR_TEXT_MAX + 2);
    size_t quoted = wr_encode_is_quoted(type), n = wr_encode_scalar(p + quoted, type, &one, 0, &cache);
    if (n == 0) {
        memcpy(p, "null", 4); /* JSON has no NaN and no infinity */
        out->size += 4;
        return;
    }
    if (quoted) p[0] = p[n + 1] = '"';
    out->size += n + 2 * quoted;
}

void wr_encode_array(struct wr_slice array, struct wr_type type, struct wr_buf *out)
{
    struct wr_type element_type = wr_type_element(type);
    struct wr_value element;
    size_t start = out->size;
    wr_buf_add_char(out, '[');
    while (wr_array_next(&array, element_type, &element)) {
        if (out->size > start + 1) wr_buf_add_char(out, ',');
        if (element.flag != WR_FLAG_VALUE) {
            wr_buf_add_cstr(out, "null");
        } else if (element_type.kind == WR_KIND_STRING) {
            wr_json_quote(element.u.str, out);
        } else if (element_type.kind == WR_KIND_BYTES) {
            wr_buf_add_char(out, '"');
            wr_base64_encode(element.u.str, out);
            wr_buf_add_char(out, '"');
        } else {
            put_element(&element, element_type, out);
        }
    }
    wr_buf_add_char(out, ']');
}

void wr_base64_encode(struct wr_slice bytes, struct wr_buf *out)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = (const unsigned char *)bytes.data;
    char *p = wr_buf_reserve(out, (bytes.size / 3 + 1) * 4), *start = p;
    for (size_t i = 0; i < bytes.size; i += 3) {
        size_t n = WR_MIN(bytes.size - i, (size_t)3);
        uint32_t word = (uint32_t)in[i] << 16;
        if (n > 1) word |= (uint32_t)in[i + 1] << 8;
        if (n > 2) word |= in[i + 2];
        *p++ = letters[word >> 18];
        *p++ = letters[word >> 12 & 63];
        *p++ = n > 1 ? letters[word >> 6 & 63] : '=';
        *p++ = n > 2 ? letters[word & 63] : '=';
    }
    out->size += (size_t)(p - start);
}

/* Bit 7 of each byte that JSON wants escaped; bytes above the lowest such one may be marked wrongly. */
static inline uint64_t special_bytes(uint64_t x)
{
    uint64_t control = (x - WR_ONES * 0x20) & ~x & (WR_ONES * 0x80);
    return control | wr_zero_bytes(x ^ (WR_ONES * '"')) | wr_zero_bytes(x ^ (WR_ONES * '\\'));
}

static char *put_escape(char *p, unsigned char c)
{
    static const char meaning[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
    const char *found = c ? strchr(meaning, c) : NULL;
    *p++ = '\\';
    if (found) {
        *p++ = letters[found - meaning];
        return p;
    }
    static const char hex[] = "0123456789abcdef";
    memcpy(p, "u00", 3);
    p[3] = hex[c >> 4];
    p[4] = hex[c & 15];
    return p + 5;
}

void wr_json_quote(struct wr_slice text, struct wr_buf *out)
{
    /* The text is copied first and searched where it then stands: there, reading past its end is allowed. */
    char *p = wr_buf_reserve(out, text.size + 16), *start = p;
    *p++ = '"';
    if (text.size) memcpy(p, text.data, text.size);
    memset(p + text.size, ' ', 8);
    size_t clean = 0;
    for (; clean < text.size; clean += 8) {
        uint64_t found = special_bytes(wr_load8(p + clean));
        if (!found) continue;
        clean += wr_lowest_bit(found) / 8;
        break;
    }
    if (clean >= text.size) {
        p += text.size;
        *p++ = '"';
        out->size += (size_t)(p - start);
        return;
    }
    out->size += clean + 1;
    for (size_t i = clean; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        p = wr_buf_reserve(out, 8);
        char *after = p;
        if (c < 0x20 || c == '"' || c == '\\') after = put_escape(p, c);
        else *after++ = (char)c;
        out->size += (size_t)(after - p);
    }
    wr_buf_add_char(out, '"');
}
