/* Values into columns: one switch over the types for JSON, one for texts. */
#include "connectors/decode.h"

#include "base/text.h"
#include "connectors/decode_number.h"
#include "connectors/number.h"

static const char *const codes[] = {
    "",
#define DECODE(name, code, reason) code,
#include "connectors/decode.def"
#undef DECODE
};
static const char *const reasons[] = {
    "",
#define DECODE(name, code, reason) reason,
#include "connectors/decode.def"
#undef DECODE
};

const char *wr_decode_code(enum wr_decode d)
{
    WR_ASSERT(d > WR_DECODE_OK && d < WR_DECODE_COUNT);
    return codes[d];
}

const char *wr_decode_reason(enum wr_decode d)
{
    WR_ASSERT(d > WR_DECODE_OK && d < WR_DECODE_COUNT);
    return reasons[d];
}

/* What a value of a wrong kind is called, by the type that was wanted. */
static enum wr_decode wrong(uint8_t kind)
{
    switch ((enum wr_kind)kind) {
    case WR_KIND_BOOLEAN: return WR_DECODE_NOT_BOOLEAN;
    case WR_KIND_STRING: return WR_DECODE_NOT_STRING;
    case WR_KIND_BYTES: return WR_DECODE_NOT_BYTES;
    case WR_KIND_DATE: return WR_DECODE_NOT_DATE;
    case WR_KIND_TIME: return WR_DECODE_NOT_TIME;
    case WR_KIND_TIMESTAMP: return WR_DECODE_NOT_TIMESTAMP;
    case WR_KIND_INTERVAL: return WR_DECODE_NOT_INTERVAL;
    default: return WR_DECODE_NOT_NUMBER;
    }
}

/* ---- Columns --------------------------------------------------------------------------------- */

static int8_t time_scale_of(const struct wr_stream *stream)
{
    const char *unit = stream ? wr_stream_option(stream, "timestamp_unit") : NULL;
    if (!unit || strcmp(unit, "ms") == 0) return 3;
    return strcmp(unit, "s") == 0 ? 6 : strcmp(unit, "us") == 0 ? 0 : -3;
}

static size_t element_size(enum wr_class cls)
{
    switch (cls) {
    case WR_CLASS_DEC: return sizeof(wr_i128);
    case WR_CLASS_STR: return sizeof(struct wr_slice);
    default: return 8;
    }
}

void wr_decode_columns_init(struct wr_decode_columns *c, const struct wr_read_spec *spec)
{
    *c = (struct wr_decode_columns){.count = spec->field_count};
    wr_arena_init(&c->strings);
    c->column = wr_alloc_zero(sizeof *c->column * spec->field_count);
    c->vector = wr_alloc_zero(sizeof *c->vector * spec->field_count);
    for (uint32_t i = 0; i < c->count; i++) {
        const struct wr_field *field = &spec->field[i];
        enum wr_class cls = wr_type_class(field->type);
        c->column[i] = (struct wr_decode_column){.field = field, .kind = field->type.kind};
        c->column[i].time_scale = time_scale_of(spec->stream);
        if (field->default_constant != WR_NONE) {
            WR_ASSERT(field->default_constant < spec->program->constant_count);
            c->column[i].absent = &spec->program->constant[field->default_constant].value;
        }
        size_t size = cls == WR_CLASS_BOOL ? WR_BATCH_WORDS * 8 : WR_BATCH_ROWS * element_size(cls);
        c->vector[i] = (struct wr_vector){.cls = (uint8_t)cls};
        c->vector[i].u.data = wr_alloc_aligned(64, size);
        c->vector[i].nulls = wr_alloc_aligned(64, WR_BATCH_WORDS * 8);
        memset(c->vector[i].u.data, 0, size);
    }
    wr_decode_columns_clear(c);
}

void wr_decode_columns_release(struct wr_decode_columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        wr_free(c->vector[i].u.data);
        wr_free(c->vector[i].nulls);
    }
    wr_free(c->column);
    wr_free(c->vector);
    wr_arena_release(&c->strings);
}

void wr_decode_columns_clear(struct wr_decode_columns *c)
{
    for (uint32_t i = 0; i < c->count; i++) {
        c->vector[i].flags = 0;
        memset(c->vector[i].nulls, 0, WR_BATCH_WORDS * 8);
        if (c->vector[i].cls == WR_CLASS_BOOL) memset(c->vector[i].u.bits, 0, WR_BATCH_WORDS * 8);
    }
    wr_arena_clear(&c->strings);
}

void wr_decode_columns_undo(struct wr_decode_columns *c, uint32_t row)
{
    for (uint32_t i = 0; i < c->count; i++) {
        wr_bit_clear(c->vector[i].nulls, row);
        if (c->vector[i].cls == WR_CLASS_BOOL) wr_bit_clear(c->vector[i].u.bits, row);
    }
}

enum wr_decode wr_decode_null(struct wr_decode_columns *c, uint32_t column, uint32_t row)
{
    struct wr_vector *v = &c->vector[column];
    if (c->column[column].field->not_null) return WR_DECODE_NO_VALUE;
    v->flags |= WR_VECTOR_NULLS;
    wr_bit_set(v->nulls, row);
    /* What stands under a NULL is never asked for, but it must be no garbage to copy or compare. */
    if (v->cls == WR_CLASS_STR) v->u.str[row] = (struct wr_slice){0};
    else if (v->cls == WR_CLASS_DEC) v->u.dec[row] = 0;
    else if (v->cls == WR_CLASS_F64) v->u.f64[row] = 0;
    else if (v->cls == WR_CLASS_I64) v->u.i64[row] = 0;
    return WR_DECODE_OK;
}

enum wr_decode wr_decode_absent(struct wr_decode_columns *c, uint32_t column, uint32_t row)
{
    const struct wr_value *value = c->column[column].absent;
    struct wr_vector *v = &c->vector[column];
    if (!value || value->flag != WR_FLAG_VALUE) return wr_decode_null(c, column, row);
    switch ((enum wr_class)v->cls) {
    case WR_CLASS_BOOL:
        if (value->u.boolean) wr_bit_set(v->u.bits, row);
        break;
    case WR_CLASS_I64: v->u.i64[row] = value->u.i64; break;
    case WR_CLASS_F64: v->u.f64[row] = value->u.f64; break;
    case WR_CLASS_DEC: v->u.dec[row] = value->u.dec; break;
    case WR_CLASS_STR: v->u.str[row] = value->u.str; break;
    case WR_CLASS_COUNT: break;
    }
    return WR_DECODE_OK;
}

enum wr_decode wr_decode_meta(struct wr_decode_columns *c, uint32_t column, uint32_t row, uint64_t offset)
{
    uint8_t from = c->column[column].field->from;
    struct wr_vector *v = &c->vector[column];
    if ((from == WR_FIELD_OFFSET || from == WR_FIELD_PARTITION) && v->cls == WR_CLASS_I64) {
        v->u.i64[row] = from == WR_FIELD_OFFSET ? (int64_t)offset : 0;
        return WR_DECODE_OK;
    }
    return wr_decode_absent(c, column, row);
}

/* ---- Numbers --------------------------------------------------------------------------------- */

static enum wr_decode put_number(struct wr_decode_columns *c, uint32_t column, uint32_t row, struct wr_number n,
                                 const char *p, const char *end)
{
    const struct wr_decode_column *col = &c->column[column];
    struct wr_vector *v = &c->vector[column];
    enum wr_decode d;
    switch ((enum wr_kind)col->kind) {
    case WR_KIND_INT:
        d = wr_number_to_i64(n, 0, true, &v->u.i64[row]);
        if (d == WR_DECODE_OK && v->u.i64[row] != (int32_t)v->u.i64[row]) d = WR_DECODE_RANGE;
        return d;
    case WR_KIND_BIGINT: return wr_number_to_i64(n, 0, true, &v->u.i64[row]);
    case WR_KIND_TIMESTAMP:
        d = wr_number_to_i64(n, col->time_scale, false, &v->u.i64[row]);
        if (d == WR_DECODE_OK && (v->u.i64[row] == WR_TIME_MAX || v->u.i64[row] == WR_TIME_MIN))
            d = WR_DECODE_RANGE; /* both mean "never" inside the engine */
        return d;
    case WR_KIND_DOUBLE: return wr_number_to_f64(n, p, end, &v->u.f64[row]);
    case WR_KIND_FLOAT: return wr_number_to_f32(p, end, &v->u.f64[row]);
    case WR_KIND_DECIMAL:
        return wr_number_to_decimal(n, wr_slice_of(p, (size_t)(end - p)), col->field->type, &v->u.dec[row]);
    default: return wrong(col->kind);
    }
}

/* Whole numbers of up to 18 digits with no sign or leading zero; false: take the long way. */
static inline bool short_integer(struct wr_decode_columns *c, uint32_t column, uint32_t row, const char *p, size_t n)
{
    uint64_t u;
    if (n == 0 || n > 18 || (*p == '0' && n > 1) || !wr_digits(p, n, &u)) return false;
    int64_t value = (int64_t)u;
    if (c->column[column].kind == WR_KIND_INT && value > INT32_MAX) return false;
    if (c->column[column].kind == WR_KIND_TIMESTAMP) {
        int8_t scale = c->column[column].time_scale;
        if (scale < 0) value /= 1000;
        else if (__builtin_mul_overflow(value, (int64_t)wr_powers_of_10[scale], &value)) return false;
    }
    c->vector[column].u.i64[row] = value;
    return true;
}

static bool is_number_kind(uint8_t kind)
{
    return kind == WR_KIND_INT || kind == WR_KIND_BIGINT || kind == WR_KIND_FLOAT || kind == WR_KIND_DOUBLE ||
           kind == WR_KIND_DECIMAL;
}

/* A number in a form that JSON does not have ("+5", "007", " 5"), by the rules of CAST. */
static enum wr_decode put_loose_number(struct wr_decode_columns *c, uint32_t column, uint32_t row,
                                       struct wr_slice text)
{
    struct wr_type type = c->column[column].field->type;
    struct wr_vector *v = &c->vector[column];
    double f;
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_INT:
    case WR_KIND_BIGINT:
        if (!wr_parse_i64(text, &v->u.i64[row]))
            return wr_parse_f64(text, &f) && f - f == 0 ? WR_DECODE_NOT_INTEGER : WR_DECODE_NOT_NUMBER;
        return type.kind == WR_KIND_INT && v->u.i64[row] != (int32_t)v->u.i64[row] ? WR_DECODE_RANGE : WR_DECODE_OK;
    case WR_KIND_DECIMAL:
        if (wr_parse_decimal(text, type.precision, type.scale, &v->u.dec[row])) return WR_DECODE_OK;
        return wr_parse_f64(text, &f) && f - f == 0 ? WR_DECODE_RANGE : WR_DECODE_NOT_NUMBER;
    default:
        if (!wr_parse_f64(text, &f) || f - f != 0) return WR_DECODE_NOT_NUMBER;
        v->u.f64[row] = type.kind == WR_KIND_FLOAT ? (double)(float)f : f;
        return v->u.f64[row] - v->u.f64[row] == 0 ? WR_DECODE_OK : WR_DECODE_RANGE;
    }
}

/* ---- Texts ----------------------------------------------------------------------------------- */

static const char base64_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool wr_base64_decode(struct wr_slice text, char *out, size_t *size)
{
    size_t n = text.size, written = 0;
    uint32_t bits = 0;
    if (n % 4 == 0)
        for (int i = 0; i < 2 && n && text.data[n - 1] == '='; i++) n--;
    if (n % 4 == 1) return false;
    for (size_t i = 0; i < n; i++) {
        const char *letter = text.data[i] ? strchr(base64_letters, text.data[i]) : NULL;
        if (!letter) return false;
        bits = bits << 6 | (uint32_t)(letter - base64_letters);
        if (i % 4 == 3)
            for (int k = 16; k >= 0; k -= 8) out[written++] = (char)(bits >> k & 0xff);
    }
    if (n % 4 == 2) out[written++] = (char)(bits >> 4 & 0xff);
    if (n % 4 == 3) {
        out[written++] = (char)(bits >> 10 & 0xff);
        out[written++] = (char)(bits >> 2 & 0xff);
    }
    *size = written;
    return true;
}

static enum wr_decode put_bytes(struct wr_decode_columns *c, uint32_t column, uint32_t row, struct wr_slice text)
{
    size_t size;
    char *out = wr_arena_alloc(&c->strings, text.size + 1);
    if (!wr_base64_decode(text, out, &size)) return WR_DECODE_NOT_BYTES;
    c->vector[column].u.str[row] = wr_slice_of(out, size);
    return WR_DECODE_OK;
}

static enum wr_decode put_boolean(struct wr_decode_columns *c, uint32_t column, uint32_t row, struct wr_slice text)
{
    struct wr_value value;
    if (!wr_value_parse(wr_type_of(WR_KIND_BOOLEAN), text, &value) || value.flag != WR_FLAG_VALUE)
        return WR_DECODE_NOT_BOOLEAN;
    if (value.u.boolean) wr_bit_set(c->vector[column].u.bits, row);
    return WR_DECODE_OK;
}

static inline unsigned two_digits(const char *p, unsigned *bad)
{
    unsigned tens = (unsigned)(p[0] - '0'), ones = (unsigned)(p[1] - '0');
    *bad |= (tens > 9) | (ones > 9);
    return tens * 10 + ones;
}

/* 2026-01-01T00:00:00Z with up to 6 fraction digits, which is what most such texts are; false: take the long way. */
static bool short_timestamp(struct wr_decode_column *column, struct wr_slice text, int64_t *out)
{
    const char *p = text.data;
    size_t n = text.size;
    uint64_t fraction = 0;
    unsigned bad = 0;
    if (n < 20 || n == 21 || n > 27 || p[10] != 'T' || p[13] != ':' || p[16] != ':' || p[n - 1] != 'Z') return false;
    unsigned hour = two_digits(p + 11, &bad), minute = two_digits(p + 14, &bad), second = two_digits(p + 17, &bad);
    if (bad || hour > 23 || minute > 59 || second > 59) return false;
    if (n > 20 && (p[19] != '.' || !wr_digits(p + 20, n - 21, &fraction))) return false;
    if (memcmp(column->date, p, 10) != 0) {
        int64_t days;
        if (!wr_parse_date(wr_slice_of(p, 10), &days)) return false;
        memcpy(column->date, p, 10);
        column->date_us = days * 86400000000;
    }
    if (n > 20) fraction *= wr_powers_of_10[27 - n];
    *out = column->date_us + (int64_t)(hour * 3600 + minute * 60 + second) * 1000000 + (int64_t)fraction;
    return true;
}

enum wr_decode wr_decode_text(struct wr_decode_columns *c, uint32_t column, uint32_t row, struct wr_slice text)
{
    uint8_t kind = c->column[column].kind;
    struct wr_vector *v = &c->vector[column];
    const char *end = text.data + text.size;
    struct wr_number n;
    switch ((enum wr_kind)kind) {
    case WR_KIND_STRING: v->u.str[row] = text; return WR_DECODE_OK;
    case WR_KIND_BYTES: return put_bytes(c, column, row, text);
    case WR_KIND_BOOLEAN: return put_boolean(c, column, row, text);
    case WR_KIND_DATE: return wr_parse_date(text, &v->u.i64[row]) ? WR_DECODE_OK : WR_DECODE_NOT_DATE;
    case WR_KIND_TIME: return wr_parse_time(text, &v->u.i64[row]) ? WR_DECODE_OK : WR_DECODE_NOT_TIME;
    case WR_KIND_INTERVAL: return wr_parse_interval(text, &v->u.i64[row]) ? WR_DECODE_OK : WR_DECODE_NOT_INTERVAL;
    default: break;
    }
    WR_ASSERT(is_number_kind(kind) || kind == WR_KIND_TIMESTAMP);
    if (kind == WR_KIND_TIMESTAMP && short_timestamp(&c->column[column], text, &v->u.i64[row])) return WR_DECODE_OK;
    if (v->cls == WR_CLASS_I64 && short_integer(c, column, row, text.data, text.size)) return WR_DECODE_OK;
    if (kind == WR_KIND_DOUBLE && wr_number_medium_f64(text.data, text.size, &v->u.f64[row])) return WR_DECODE_OK;
    if (wr_number_scan(text.data, end, &n)) return put_number(c, column, row, n, text.data, end);
    if (kind == WR_KIND_TIMESTAMP)
        return wr_parse_timestamp(text, &v->u.i64[row]) ? WR_DECODE_OK : WR_DECODE_NOT_TIMESTAMP;
    return put_loose_number(c, column, row, text);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static int hex4(const char *p, const char *end)
{
    int value = 0;
    if (end - p < 4) return -1;
    for (int i = 0; i < 4; i++) {
        char ch = wr_lower(p[i]);
        int digit = ch >= '0' && ch <= '9' ? ch - '0' : ch >= 'a' && ch <= 'f' ? ch - 'a' + 10 : -1;
        if (digit < 0) return -1;
        value = value * 16 + digit;
    }
    return value;
}

/* The code point of \uXXXX, whose digits begin at *p; -1: none, or half of a pair. */
static int32_t unicode_escape(const char **p, const char *end)
{
    int high = hex4(*p, end);
    if (high < 0 || (high >= 0xdc00 && high < 0xe000)) return -1;
    *p += 4;
    if (high < 0xd800 || high >= 0xe000) return high;
    if (end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u') return -1;
    int low = hex4(*p + 2, end);
    if (low < 0xdc00 || low >= 0xe000) return -1;
    *p += 6;
    return 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
}

size_t wr_json_unescape(const char *p, const char *end, char *out)
{
    static const char letters[] = "\"\\/bfnrt", meaning[] = "\"\\/\b\f\n\r\t";
    char *to = out;
    while (p < end) {
        const char *escape = memchr(p, '\\', (size_t)(end - p));
        size_t plain = (size_t)((escape ? escape : end) - p);
        memcpy(to, p, plain);
        to += plain;
        p += plain;
        if (!escape) break;
        if (end - p < 2) return SIZE_MAX;
        char kind = p[1];
        p += 2;
        const char *letter = kind ? strchr(letters, kind) : NULL;
        if (letter) {
            *to++ = meaning[letter - letters];
            continue;
        }
        int32_t code = kind == 'u' ? unicode_escape(&p, end) : -1;
        if (code < 0) return SIZE_MAX;
        char utf8[4];
        size_t n = wr_utf8_encode(utf8, (uint32_t)code);
        memcpy(to, utf8, n);
        to += n;
    }
    return (size_t)(to - out);
}

/* Eight bytes at a time; what is found behind the end only costs the look that unescaping takes. */
static inline bool may_have_escape(const char *p, const char *end)
{
    uint64_t found = 0;
    if (end - p > 32) return memchr(p, '\\', (size_t)(end - p)) != NULL;
    for (; p < end; p += 8) found |= wr_zero_bytes(wr_load8(p) ^ (WR_ONES * '\\'));
    return found != 0;
}

static enum wr_decode json_string(struct wr_decode_columns *c, uint32_t column, uint32_t row, const char *p,
                                  const char *end)
{
    struct wr_slice text = wr_slice_of(p, (size_t)(end - p));
    if (may_have_escape(p, end) && memchr(p, '\\', text.size)) {
        char *out = wr_arena_alloc_zero(&c->strings, text.size + WR_DECODE_PADDING);
        text = wr_slice_of(out, wr_json_unescape(p, end, out));
        if (text.size == SIZE_MAX) return WR_DECODE_ESCAPE;
    }
    if (c->column[column].kind == WR_KIND_STRING) {
        c->vector[column].u.str[row] = text;
        return WR_DECODE_OK;
    }
    if (c->column[column].kind == WR_KIND_BOOLEAN) return WR_DECODE_NOT_BOOLEAN;
    return wr_decode_text(c, column, row, text);
}

static bool is_word(const char *p, const char *end, const char *word, size_t size)
{
    return (size_t)(end - p) == size && memcmp(p, word, size) == 0;
}

enum wr_decode wr_decode_json(struct wr_decode_columns *c, uint32_t column, uint32_t row, const char *p,
                              const char *end)
{
    struct wr_vector *v = &c->vector[column];
    uint8_t kind = c->column[column].kind;
    size_t n = (size_t)(end - p);
    struct wr_number number;
    WR_DCHECK(p < end);
    if (*p == '"') return json_string(c, column, row, p + 1, end - 1);
    if (kind == WR_KIND_DOUBLE) {
        if (wr_number_medium_f64(p, n, &v->u.f64[row])) return WR_DECODE_OK;
    } else if (v->cls == WR_CLASS_I64 && (kind == WR_KIND_BIGINT || kind == WR_KIND_INT || kind == WR_KIND_TIMESTAMP)) {
        if (short_integer(c, column, row, p, n)) return WR_DECODE_OK;
    }
    if (is_word(p, end, "null", 4)) return wr_decode_null(c, column, row);
    bool yes = is_word(p, end, "true", 4), no = !yes && is_word(p, end, "false", 5);
    if (yes || no) {
        if (kind != WR_KIND_BOOLEAN) return wrong(kind);
        if (yes) wr_bit_set(v->u.bits, row);
        return WR_DECODE_OK;
    }
    if (!wr_number_scan(p, end, &number)) return WR_DECODE_MALFORMED;
    return put_number(c, column, row, number, p, end);
}

enum wr_decode wr_decode_container(const struct wr_decode_columns *c, uint32_t column)
{
    return wrong(c->column[column].kind);
}
