/* Functions of times: fields, truncation, formats; each in a zone where one is named. */
#include "vm/builtin_impl.h"
#include "vm/calendar.h"
#include "vm/text.h"

#define STR(n) (argument[n].u.str)
#define I64(n) (argument[n].u.i64)

static const char *const unit_name[WR_UNIT_COUNT] = {
    [WR_UNIT_MICROSECOND] = "MICROSECOND", [WR_UNIT_MILLISECOND] = "MILLISECOND", [WR_UNIT_SECOND] = "SECOND",
    [WR_UNIT_MINUTE] = "MINUTE", [WR_UNIT_HOUR] = "HOUR", [WR_UNIT_DAY] = "DAY", [WR_UNIT_WEEK] = "WEEK",
    [WR_UNIT_MONTH] = "MONTH", [WR_UNIT_QUARTER] = "QUARTER", [WR_UNIT_YEAR] = "YEAR",
    [WR_UNIT_EPOCH] = "EPOCH", [WR_UNIT_DOW] = "DOW", [WR_UNIT_ISODOW] = "ISODOW", [WR_UNIT_DOY] = "DOY",
    [WR_UNIT_ISOYEAR] = "ISOYEAR",
};

enum wr_unit wr_unit_find(struct wr_slice name)
{
    for (int i = 0; i < WR_UNIT_COUNT; i++)
        if (wr_slice_equal_nocase(name, wr_slice_cstr(unit_name[i]))) return (enum wr_unit)i;
    return WR_UNIT_COUNT;
}

bool wr_unit_fits(enum wr_builtin builtin, enum wr_unit unit)
{
    switch (builtin) {
    case WR_BUILTIN_DATE_TRUNC: return unit <= WR_UNIT_YEAR;
    case WR_BUILTIN_DATE_TRUNC_DATE: return unit >= WR_UNIT_DAY && unit <= WR_UNIT_YEAR;
    case WR_BUILTIN_EXTRACT_TIME: return unit <= WR_UNIT_HOUR || unit == WR_UNIT_EPOCH;
    case WR_BUILTIN_EXTRACT_INTERVAL: return unit <= WR_UNIT_DAY || unit == WR_UNIT_EPOCH;
    case WR_BUILTIN_EXTRACT_DATE: return unit >= WR_UNIT_DAY && unit < WR_UNIT_COUNT;
    default: return unit < WR_UNIT_COUNT;
    }
}

/* The zone of argument n, kept by the CALL; NULL: UTC. False when there is none of that name. */
static bool zone_of(struct wr_call *call, const struct wr_value *argument, unsigned count, unsigned n,
                    const struct wr_zone **out)
{
    void **data = &call->cache->slot[WR_CACHE_ZONE].data;
    *out = NULL;
    if (n >= count) return true;
    if (!*data || !wr_slice_equal(wr_zone_name(*data), STR(n))) {
        struct wr_zone *zone = wr_zone_new(STR(n));
        if (!zone) return false;
        wr_zone_free(*data);
        *data = zone;
        call->cache->slot[WR_CACHE_ZONE].release = wr_zone_free;
    }
    *out = *data;
    return true;
}

/* Microseconds to add to an instant for the local calendar. */
static int64_t local_offset(const struct wr_zone *zone, int64_t micros)
{
    return zone ? wr_zone_offset(zone, wr_floor_div(micros, WR_SECOND_US), NULL) * WR_SECOND_US : 0;
}

/* ---- EXTRACT -------------------------------------------------------------------------------------- */

static int64_t field_of(const struct wr_civil *c, enum wr_unit unit)
{
    int64_t iso_year;
    WR_ASSERT(c->month >= 1 && c->month <= 12 && c->week_day >= 1 && c->week_day <= 7);
    switch (unit) {
    case WR_UNIT_MICROSECOND: return c->micro;
    case WR_UNIT_MILLISECOND: return c->micro / 1000;
    case WR_UNIT_SECOND: return c->second;
    case WR_UNIT_MINUTE: return c->minute;
    case WR_UNIT_HOUR: return c->hour;
    case WR_UNIT_DAY: return c->day;
    case WR_UNIT_WEEK: return wr_iso_week(c, &iso_year);
    case WR_UNIT_MONTH: return c->month;
    case WR_UNIT_QUARTER: return (c->month + 2) / 3;
    case WR_UNIT_YEAR: return c->year;
    case WR_UNIT_DOW: return c->week_day % 7;
    case WR_UNIT_ISODOW: return c->week_day;
    case WR_UNIT_DOY: return c->year_day;
    case WR_UNIT_ISOYEAR: wr_iso_week(c, &iso_year); return iso_year;
    case WR_UNIT_EPOCH:
    case WR_UNIT_COUNT: break;
    }
    return 0;
}

WR_BUILTIN_FN(extract_timestamp)
{
    enum wr_unit unit = wr_unit_find(STR(0));
    const struct wr_zone *zone;
    int64_t local;
    WR_ASSERT(count == 2 || count == 3);
    if (unit == WR_UNIT_COUNT || !zone_of(call, argument, count, 2, &zone)) return WR_REASON_DOMAIN;
    if (__builtin_add_overflow(I64(1), local_offset(zone, I64(1)), &local)) return WR_REASON_OVERFLOW;
    struct wr_civil c = wr_civil_of(local);
    out->u.i64 = unit == WR_UNIT_EPOCH ? wr_floor_div(I64(1), WR_SECOND_US) : field_of(&c, unit);
    return WR_REASON_NONE;
}

/* Days whose instants 64 bits hold: what a calendar can be asked of. */
static bool day_is_sane(int64_t days)
{
    return days >= INT64_MIN / WR_DAY_US && days <= INT64_MAX / WR_DAY_US;
}

WR_BUILTIN_FN(extract_date)
{
    enum wr_unit unit = wr_unit_find(STR(0));
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    if (!wr_unit_fits(WR_BUILTIN_EXTRACT_DATE, unit)) return WR_REASON_DOMAIN;
    if (!day_is_sane(I64(1))) return WR_REASON_OVERFLOW;
    struct wr_civil c = wr_civil_of_days(I64(1));
    out->u.i64 = unit == WR_UNIT_EPOCH ? I64(1) * 86400 : field_of(&c, unit);
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(extract_time)
{
    enum wr_unit unit = wr_unit_find(STR(0));
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    if (!wr_unit_fits(WR_BUILTIN_EXTRACT_TIME, unit)) return WR_REASON_DOMAIN;
    struct wr_civil c = wr_civil_of(I64(1));
    out->u.i64 = unit == WR_UNIT_EPOCH ? wr_floor_div(I64(1), WR_SECOND_US) : field_of(&c, unit);
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(extract_interval)
{
    int64_t v = I64(1);
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    switch (wr_unit_find(STR(0))) {
    case WR_UNIT_MICROSECOND: out->u.i64 = v % WR_SECOND_US; break;
    case WR_UNIT_MILLISECOND: out->u.i64 = v % WR_SECOND_US / 1000; break;
    case WR_UNIT_SECOND: out->u.i64 = v / WR_SECOND_US % 60; break;
    case WR_UNIT_MINUTE: out->u.i64 = v / WR_MINUTE_US % 60; break;
    case WR_UNIT_HOUR: out->u.i64 = v / WR_HOUR_US % 24; break;
    case WR_UNIT_DAY: out->u.i64 = v / WR_DAY_US; break;
    case WR_UNIT_EPOCH: out->u.i64 = v / WR_SECOND_US; break;
    default: return WR_REASON_DOMAIN;
    }
    return WR_REASON_NONE;
}

/* ---- DATE_TRUNC ----------------------------------------------------------------------------------- */

static int64_t unit_size(enum wr_unit unit)
{
    static const int64_t size[] = {1, 1000, WR_SECOND_US, WR_MINUTE_US, WR_HOUR_US};
    WR_ASSERT(unit < WR_COUNT(size));
    return size[unit];
}

/* The first day of the unit (a day or longer) that a day lies in. */
static int64_t first_day(int64_t days, enum wr_unit unit)
{
    struct wr_civil c = wr_civil_of_days(days);
    switch (unit) {
    case WR_UNIT_WEEK: return days - (c.week_day - 1);
    case WR_UNIT_MONTH: return wr_days_of(c.year, c.month, 1);
    case WR_UNIT_QUARTER: return wr_days_of(c.year, (c.month - 1) / 3 * 3 + 1, 1);
    case WR_UNIT_YEAR: return wr_days_of(c.year, 1, 1);
    default: return days;
    }
}

WR_BUILTIN_FN(date_trunc)
{
    enum wr_unit unit = wr_unit_find(STR(0));
    const struct wr_zone *zone;
    int64_t t = I64(1), local;
    WR_ASSERT(count == 2 || count == 3);
    if (!wr_unit_fits(WR_BUILTIN_DATE_TRUNC, unit) || !zone_of(call, argument, count, 2, &zone))
        return WR_REASON_DOMAIN;
    if (__builtin_add_overflow(t, local_offset(zone, t), &local)) return WR_REASON_OVERFLOW;
    if (unit <= WR_UNIT_HOUR) {
        int64_t rest = local % unit_size(unit);
        if (rest < 0) rest += unit_size(unit);
        return __builtin_sub_overflow(t, rest, &out->u.i64) ? WR_REASON_OVERFLOW : WR_REASON_NONE;
    }
    int64_t days = first_day(wr_floor_div(local, WR_DAY_US), unit);
    if (__builtin_mul_overflow(days, WR_DAY_US, &out->u.i64)) return WR_REASON_OVERFLOW;
    if (zone && __builtin_mul_overflow(wr_zone_instant(zone, days * 86400), WR_SECOND_US, &out->u.i64))
        return WR_REASON_OVERFLOW;
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(date_trunc_date)
{
    enum wr_unit unit = wr_unit_find(STR(0));
    WR_UNUSED(call);
    WR_ASSERT(count == 2);
    if (!wr_unit_fits(WR_BUILTIN_DATE_TRUNC_DATE, unit)) return WR_REASON_DOMAIN;
    if (!day_is_sane(I64(1))) return WR_REASON_OVERFLOW;
    out->u.i64 = first_day(I64(1), unit);
    return WR_REASON_NONE;
}

/* ---- TO_TIMESTAMP --------------------------------------------------------------------------------- */

WR_BUILTIN_FN(to_timestamp)
{
    WR_UNUSED(call);
    WR_ASSERT(count == 1);
    return wr_parse_timestamp(STR(0), &out->u.i64) ? WR_REASON_NONE : WR_REASON_CAST;
}

bool wr_number_unit(struct wr_slice name, int64_t *per_second)
{
    static const char *const names[] = {"s", "ms", "us", "ns"};
    *per_second = 1;
    for (size_t i = 0; i < WR_COUNT(names); i++, *per_second *= 1000)
        if (wr_slice_equal(name, wr_slice_cstr(names[i]))) return true;
    return false;
}

WR_BUILTIN_FN(to_timestamp_number)
{
    int64_t per_second = 1000;
    WR_UNUSED(call);
    WR_ASSERT(count == 1 || count == 2);
    if (count > 1 && !wr_number_unit(STR(1), &per_second)) return WR_REASON_DOMAIN;
    if (per_second > WR_SECOND_US) {
        out->u.i64 = wr_floor_div(I64(0), per_second / WR_SECOND_US);
        return WR_REASON_NONE;
    }
    return __builtin_mul_overflow(I64(0), WR_SECOND_US / per_second, &out->u.i64) ? WR_REASON_OVERFLOW
                                                                                  : WR_REASON_NONE;
}

/* ---- Formats -------------------------------------------------------------------------------------- */

static const char *const day_name[] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
static const char *const month_name[] = {"January", "February", "March",     "April",   "May",      "June",
                                         "July",    "August",   "September", "October", "November", "December"};

struct wr_slice wr_format_check(struct wr_slice format)
{
    static const char fields[] = "YmdHMSfLFTRyejIpaAbBuwGVszZ%";
    for (size_t i = 0; i < format.size; i++) {
        if (format.data[i] != '%') continue;
        if (i + 1 == format.size || !memchr(fields, format.data[i + 1], sizeof fields - 1))
            return wr_slice_of(format.data + i, WR_MIN(format.size - i, (size_t)2));
        i++;
    }
    return (struct wr_slice){NULL, 0};
}

struct moment {
    struct wr_civil c;
    int64_t instant;
    int32_t offset; /* seconds east of UTC */
    const char *abbreviation;
};

/* A number with leading zeros (or blanks). */
static void put_number(struct wr_buf *to, int64_t value, int width, char pad)
{
    char text[WR_TEXT_MAX];
    WR_ASSERT(value > INT64_MIN && width >= 1 && width <= 6);
    size_t size = wr_print_i64(text, value < 0 ? -value : value);
    if (value < 0) wr_buf_add_char(to, '-');
    for (int i = (int)size; i < width; i++) wr_buf_add_char(to, pad);
    wr_buf_add(to, text, size);
}

static void put_offset(struct wr_buf *to, int32_t offset)
{
    int32_t minutes = (offset < 0 ? -offset : offset) / 60;
    wr_buf_add_char(to, offset < 0 ? '-' : '+');
    put_number(to, minutes / 60, 2, '0');
    put_number(to, minutes % 60, 2, '0');
}

static void put_field(struct wr_buf *to, char field, const struct moment *m)
{
    const struct wr_civil *c = &m->c;
    int64_t iso_year;
    WR_ASSERT(m->abbreviation && c->month >= 1 && c->month <= 12);
    int week = wr_iso_week(c, &iso_year), hour12 = c->hour % 12 ? c->hour % 12 : 12;
    switch (field) {
    case 'Y': put_number(to, c->year, 4, '0'); break;
    case 'm': put_number(to, c->month, 2, '0'); break;
    case 'd': put_number(to, c->day, 2, '0'); break;
    case 'H': put_number(to, c->hour, 2, '0'); break;
    case 'M': put_number(to, c->minute, 2, '0'); break;
    case 'S': put_number(to, c->second, 2, '0'); break;
    case 'f': put_number(to, c->micro, 6, '0'); break;
    case 'L': put_number(to, c->micro / 1000, 3, '0'); break;
    case 'F': put_field(to, 'Y', m), wr_buf_add_char(to, '-'), put_field(to, 'm', m), wr_buf_add_char(to, '-'),
        put_field(to, 'd', m); break;
    case 'R': put_field(to, 'H', m), wr_buf_add_char(to, ':'), put_field(to, 'M', m); break;
    case 'T': put_field(to, 'R', m), wr_buf_add_char(to, ':'), put_field(to, 'S', m); break;
    case 'y': put_number(to, (c->year % 100 + 100) % 100, 2, '0'); break;
    case 'e': put_number(to, c->day, 2, ' '); break;
    case 'j': put_number(to, c->year_day, 3, '0'); break;
    case 'I': put_number(to, hour12, 2, '0'); break;
    case 'p': wr_buf_add_cstr(to, c->hour < 12 ? "AM" : "PM"); break;
    case 'a': wr_buf_add(to, day_name[c->week_day - 1], 3); break;
    case 'A': wr_buf_add_cstr(to, day_name[c->week_day - 1]); break;
    case 'b': wr_buf_add(to, month_name[c->month - 1], 3); break;
    case 'B': wr_buf_add_cstr(to, month_name[c->month - 1]); break;
    case 'u': put_number(to, c->week_day, 1, '0'); break;
    case 'w': put_number(to, c->week_day % 7, 1, '0'); break;
    case 'G': put_number(to, iso_year, 4, '0'); break;
    case 'V': put_number(to, week, 2, '0'); break;
    case 's': put_number(to, wr_floor_div(m->instant, WR_SECOND_US), 1, '0'); break;
    case 'z': put_offset(to, m->offset); break;
    case 'Z': wr_buf_add(to, m->abbreviation, strnlen(m->abbreviation, 16)); break;
    default: wr_buf_add_char(to, field); break;
    }
}

WR_BUILTIN_FN(format_timestamp)
{
    const struct wr_zone *zone;
    struct moment m = {.instant = I64(0), .abbreviation = "UTC"};
    struct wr_slice format = STR(1);
    int64_t local;
    WR_ASSERT(count == 2 || count == 3);
    if (!zone_of(call, argument, count, 2, &zone) || wr_format_check(format).size) return WR_REASON_DOMAIN;
    if (zone) m.offset = wr_zone_offset(zone, wr_floor_div(m.instant, WR_SECOND_US), &m.abbreviation);
    if (__builtin_add_overflow(m.instant, m.offset * WR_SECOND_US, &local)) return WR_REASON_OVERFLOW;
    if (format.size > WR_TEXT_SIZE_MAX / 32) return WR_REASON_LENGTH;
    m.c = wr_civil_of(local);
    /* No field is longer than 32 bytes: the text is made in the arena at once. */
    size_t capacity = format.size * 32 + 1;
    struct wr_buf to = {wr_arena_alloc(call->strings, capacity), 0, capacity};
    for (size_t i = 0; i < format.size; i++) {
        if (format.data[i] == '%') put_field(&to, format.data[++i], &m);
        else wr_buf_add_char(&to, format.data[i]);
    }
    WR_ASSERT(to.capacity == capacity && to.size <= capacity);
    out->u.str = wr_buf_slice(&to);
    return WR_REASON_NONE;
}

/* ---- Reading by a format --------------------------------------------------------------------------- */

struct parsed {
    int64_t year;
    int month, day, year_day, hour, minute, second, micro;
    bool has_offset, has_instant, twelve, afternoon;
    int32_t offset;
    int64_t instant;
};

/* At most `most` digits, at least `least`. */
static bool read_number(const char **p, const char *end, int least, int most, int *out)
{
    int count = 0;
    WR_ASSERT(*p <= end && least <= most && most <= 9);
    for (*out = 0; *p < end && count < most && **p >= '0' && **p <= '9'; ++*p, count++)
        *out = *out * 10 + (**p - '0');
    return count >= least;
}

static bool read_name(const char **p, const char *end, const char *const *names, int count, int *out)
{
    for (int i = 0; i < count; i++) {
        size_t sizes[] = {strlen(names[i]), 3};
        for (int s = 0; s < 2; s++) {
            if ((size_t)(end - *p) < sizes[s]) continue;
            if (!wr_slice_equal_nocase(wr_slice_of(*p, sizes[s]), wr_slice_of(names[i], sizes[s]))) continue;
            *p += sizes[s];
            *out = i + 1;
            return true;
        }
    }
    return false;
}

static bool read_offset(const char **p, const char *end, int32_t *out)
{
    int hour, minute = 0;
    *out = 0;
    if (*p < end && (**p == 'Z' || **p == 'z')) return ++*p, true;
    if (*p == end || (**p != '+' && **p != '-')) return false;
    bool negative = *(*p)++ == '-';
    if (!read_number(p, end, 2, 2, &hour)) return false;
    if (*p < end && **p == ':') ++*p;
    if (*p < end && **p >= '0' && **p <= '9' && !read_number(p, end, 2, 2, &minute)) return false;
    if (hour > 23 || minute > 59) return false;
    *out = (hour * 3600 + minute * 60) * (negative ? -1 : 1);
    return true;
}

/* Fraction digits, up to nine; those past the sixth are cut off. */
static bool read_fraction(const char **p, const char *end, int *micro)
{
    int unit = 1000000, count = 0;
    for (*micro = 0; *p < end && count < 9 && **p >= '0' && **p <= '9'; ++*p, count++)
        *micro += (**p - '0') * (unit /= 10);
    return count > 0;
}

static bool read_sequence(const char **p, const char *end, const char *fields, char between, struct parsed *out);

static bool read_field(const char **p, const char *end, char field, struct parsed *out)
{
    int n;
    switch (field) {
    case 'Y':
        if (!read_number(p, end, 4, 4, &n)) return false;
        out->year = n;
        return true;
    case 'y':
        if (!read_number(p, end, 2, 2, &n)) return false;
        out->year = n < 69 ? 2000 + n : 1900 + n;
        return true;
    case 'm': return read_number(p, end, 1, 2, &out->month);
    case 'e':
        if (*p < end && **p == ' ') ++*p;
        return read_number(p, end, 1, 2, &out->day);
    case 'd': return read_number(p, end, 1, 2, &out->day);
    case 'j': return read_number(p, end, 1, 3, &out->year_day) && out->year_day > 0;
    case 'H': return read_number(p, end, 1, 2, &out->hour);
    case 'I':
        out->twelve = true;
        return read_number(p, end, 1, 2, &out->hour) && out->hour >= 1 && out->hour <= 12;
    case 'p': {
        static const char *const halves[] = {"AM ", "PM "};
        if (end - *p < 2) return false;
        out->afternoon = wr_slice_equal_nocase(wr_slice_of(*p, 2), wr_slice_of(halves[1], 2));
        bool fine = out->afternoon || wr_slice_equal_nocase(wr_slice_of(*p, 2), wr_slice_of(halves[0], 2));
        *p += 2;
        return fine;
    }
    case 'M': return read_number(p, end, 1, 2, &out->minute);
    case 'S': return read_number(p, end, 1, 2, &out->second);
    case 'f':
    case 'L': return read_fraction(p, end, &out->micro);
    case 'F': return read_sequence(p, end, "Ymd", '-', out);
    case 'T': return read_sequence(p, end, "HMS", ':', out);
    case 'R': return read_sequence(p, end, "HM", ':', out);
    case 'a':
    case 'A': return read_name(p, end, day_name, 7, &n);
    case 'b':
    case 'B': return read_name(p, end, month_name, 12, &out->month);
    case 'z': return out->has_offset = read_offset(p, end, &out->offset);
    case 's': {
        const char *start = *p;
        if (*p < end && **p == '-') ++*p;
        while (*p < end && **p >= '0' && **p <= '9') ++*p;
        return out->has_instant = wr_parse_i64(wr_slice_of(start, (size_t)(*p - start)), &out->instant);
    }
    case '%': return *p < end && *(*p)++ == '%';
    default: return false; /* %u %w %G %V %Z say too little to read by */
    }
}

static bool read_sequence(const char **p, const char *end, const char *fields, char between, struct parsed *out)
{
    for (const char *f = fields; *f; f++) {
        if (f > fields && (*p == end || *(*p)++ != between)) return false;
        if (!read_field(p, end, *f, out)) return false;
    }
    return true;
}

static enum wr_reason instant_of(const struct parsed *q, const struct wr_zone *zone, int64_t *out)
{
    int64_t second = q->instant;
    if (!q->has_instant) {
        int hour = q->twelve ? q->hour % 12 + (q->afternoon ? 12 : 0) : q->hour;
        if (q->month < 1 || q->month > 12 || q->day < 1 || q->day > wr_month_days(q->year, q->month) || hour > 23 ||
            q->minute > 59 || q->second > 60 || q->year_day > 365 + (wr_month_days(q->year, 2) == 29))
            return WR_REASON_CAST;
        int64_t days =
            q->year_day ? wr_days_of(q->year, 1, 1) + q->year_day - 1 : wr_days_of(q->year, q->month, q->day);
        second = days * 86400 + hour * 3600 + q->minute * 60 + q->second;
        if (q->has_offset) second -= q->offset;
        else if (zone) second = wr_zone_instant(zone, second);
    }
    if (__builtin_mul_overflow(second, WR_SECOND_US, out) || __builtin_add_overflow(*out, q->micro, out))
        return WR_REASON_OVERFLOW;
    return WR_REASON_NONE;
}

WR_BUILTIN_FN(to_timestamp_format)
{
    struct parsed q = {.year = 1970, .month = 1, .day = 1};
    const struct wr_zone *zone;
    struct wr_slice format = STR(1);
    WR_ASSERT(count == 2 || count == 3);
    if (!zone_of(call, argument, count, 2, &zone) || wr_format_check(format).size) return WR_REASON_DOMAIN;
    const char *p = STR(0).data ? STR(0).data : "", *end = p + STR(0).size;
    for (size_t i = 0; i < format.size; i++) {
        bool fine = format.data[i] == '%' ? read_field(&p, end, format.data[++i], &q)
                                          : p < end && *p++ == format.data[i];
        if (!fine) return WR_REASON_CAST;
    }
    return p == end ? instant_of(&q, zone, &out->u.i64) : WR_REASON_CAST;
}
