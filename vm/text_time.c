/* Times as text, and back: RFC 3339 and SQL for instants, ISO 8601 and short units for durations. */
#include "base/text.h"
#include "vm/calendar.h"
#include "vm/text.h"

/* What is still to be read. */
struct cursor {
    const char *p, *end;
};

static bool take(struct cursor *c, char wanted)
{
    if (c->p == c->end || *c->p != wanted) return false;
    c->p++;
    return true;
}

/* Exactly `count` digits. */
static bool take_digits(struct cursor *c, int count, int *out)
{
    int value = 0;
    WR_ASSERT(count >= 1 && count <= 9 && c->p <= c->end);
    if (c->end - c->p < count) return false;
    for (int i = 0; i < count; i++, c->p++) {
        if (*c->p < '0' || *c->p > '9') return false;
        value = value * 10 + (*c->p - '0');
    }
    *out = value;
    return true;
}

static bool at_digit(const struct cursor *c)
{
    return c->p < c->end && *c->p >= '0' && *c->p <= '9';
}

/* Years of four digits; further ones only behind a sign, as they are printed. */
static bool take_year(struct cursor *c, int64_t *out)
{
    int year;
    bool negative = take(c, '-'), is_signed = negative || take(c, '+');
    if (!take_digits(c, 4, &year)) return false;
    int64_t value = year;
    for (int extra = 0; is_signed && at_digit(c); extra++, c->p++) {
        if (extra == 3) return false;
        value = value * 10 + (*c->p - '0');
    }
    *out = negative ? -value : value;
    return true;
}

static bool take_date(struct cursor *c, int64_t *days)
{
    int64_t year;
    int month, day;
    if (!take_year(c, &year) || !take(c, '-') || !take_digits(c, 2, &month) || !take(c, '-') ||
        !take_digits(c, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > wr_month_days(year, month)) return false;
    *days = wr_days_of(year, month, day);
    return true;
}

/* HH:MM[:SS[.fraction]]; a leap second counts as the next second's beginning. */
static bool take_time(struct cursor *c, int64_t *micros)
{
    int hour, minute, second = 0;
    int64_t fraction = 0, unit = WR_SECOND_US;
    if (!take_digits(c, 2, &hour) || !take(c, ':') || !take_digits(c, 2, &minute)) return false;
    if (take(c, ':')) {
        if (!take_digits(c, 2, &second)) return false;
        if (take(c, '.')) {
            int count = 0;
            for (; at_digit(c); c->p++, count++) {
                unit /= 10; /* 0 past the microseconds: those digits are cut off */
                fraction += (*c->p - '0') * unit;
            }
            if (count < 1 || count > 9) return false;
        }
    }
    if (hour > 23 || minute > 59 || second > 60) return false;
    *micros = hour * WR_HOUR_US + minute * WR_MINUTE_US + second * WR_SECOND_US + fraction;
    return true;
}

/* Z, +02:00, +0200, +02, or nothing: microseconds east of UTC. */
static bool take_offset(struct cursor *c, int64_t *micros)
{
    int hour, minute = 0;
    *micros = 0;
    if (c->p == c->end || take(c, 'Z') || take(c, 'z')) return true;
    bool negative = take(c, '-');
    if (!negative && !take(c, '+')) return false;
    if (!take_digits(c, 2, &hour)) return false;
    if (c->p < c->end) {
        take(c, ':');
        if (!take_digits(c, 2, &minute)) return false;
    }
    if (hour > 23 || minute > 59) return false;
    *micros = hour * WR_HOUR_US + minute * WR_MINUTE_US;
    if (negative) *micros = -*micros;
    return true;
}

static struct cursor cursor_of(struct wr_slice text)
{
    return (struct cursor){text.data, text.data + text.size};
}

bool wr_parse_timestamp(struct wr_slice text, int64_t *micros)
{
    int64_t days, time = 0, offset = 0, whole;
    if (text.size == 0) return false;
    struct cursor c = cursor_of(text);
    if (!take_date(&c, &days)) return false;
    if (take(&c, 'T') || take(&c, 't') || take(&c, ' ')) {
        if (!take_time(&c, &time) || !take_offset(&c, &offset)) return false;
    }
    if (c.p != c.end) return false;
    if (__builtin_mul_overflow(days, WR_DAY_US, &whole)) return false;
    return !__builtin_add_overflow(whole, time - offset, micros);
}

bool wr_parse_date(struct wr_slice text, int64_t *days)
{
    if (text.size == 0) return false;
    struct cursor c = cursor_of(text);
    return take_date(&c, days) && c.p == c.end;
}

bool wr_parse_time(struct wr_slice text, int64_t *micros)
{
    if (text.size == 0) return false;
    struct cursor c = cursor_of(text);
    return take_time(&c, micros) && c.p == c.end && *micros < WR_DAY_US;
}

/* ---- Durations --------------------------------------------------------------------------------- */

/* Digits, as many as there are. */
static bool take_count(struct cursor *c, uint64_t *out)
{
    uint64_t value = 0;
    if (!at_digit(c)) return false;
    for (; at_digit(c); c->p++) {
        if (value > UINT64_MAX / 10 - 1) return false;
        value = value * 10 + (uint64_t)(*c->p - '0');
    }
    *out = value;
    return true;
}

static bool add_units(uint64_t *sum, uint64_t count, int64_t unit)
{
    uint64_t product;
    WR_ASSERT(unit > 0);
    return !__builtin_mul_overflow(count, (uint64_t)unit, &product) && !__builtin_add_overflow(*sum, product, sum);
}

/* Behind the P of ISO 8601: weeks, days, T, hours, minutes, seconds, each at most once and in order. */
static bool take_iso(struct cursor *c, uint64_t *sum)
{
    static const struct {
        char letter;
        bool in_time;
        int64_t unit;
    } part[] = {{'W', false, 7 * WR_DAY_US}, {'D', false, WR_DAY_US}, {'H', true, WR_HOUR_US},
                {'M', true, WR_MINUTE_US},   {'S', true, WR_SECOND_US}};
    bool in_time = false, any = false;
    for (size_t next = 0; c->p < c->end;) {
        uint64_t count, fraction = 0;
        if (!in_time && take(c, 'T')) {
            in_time = true;
            if (c->p == c->end) return false;
        }
        if (!take_count(c, &count)) return false;
        bool has_fraction = take(c, '.');
        if (has_fraction) {
            uint64_t unit = (uint64_t)WR_SECOND_US;
            if (!at_digit(c)) return false;
            for (; at_digit(c); c->p++) fraction += (uint64_t)(*c->p - '0') * (unit /= 10);
        }
        while (next < WR_COUNT(part) &&
               !(part[next].in_time == in_time && c->p < c->end && *c->p == part[next].letter))
            next++;
        if (next == WR_COUNT(part) || (has_fraction && part[next].letter != 'S')) return false;
        if (!add_units(sum, count, part[next].unit) || !add_units(sum, fraction, 1)) return false;
        c->p++, next++, any = true;
    }
    return any;
}

/* 1h30m, 250ms: units from the greatest down, each at most once. */
static bool take_short(struct cursor *c, uint64_t *sum)
{
    static const struct {
        const char *name;
        int64_t unit;
    } part[] = {{"w", 7 * WR_DAY_US}, {"d", WR_DAY_US}, {"h", WR_HOUR_US}, {"m", WR_MINUTE_US},
                {"s", WR_SECOND_US},  {"ms", 1000},     {"us", 1}};
    for (size_t next = 0; c->p < c->end;) {
        uint64_t count;
        if (!take_count(c, &count)) return false;
        const char *start = c->p;
        while (c->p < c->end && !at_digit(c)) c->p++;
        struct wr_slice name = wr_slice_of(start, (size_t)(c->p - start));
        while (next < WR_COUNT(part) && !wr_slice_equal_nocase(name, wr_slice_cstr(part[next].name))) next++;
        if (next == WR_COUNT(part) || !add_units(sum, count, part[next].unit)) return false;
        next++;
    }
    return true;
}

bool wr_parse_interval(struct wr_slice text, int64_t *micros)
{
    uint64_t sum = 0;
    if (text.size == 0) return false;
    struct cursor c = cursor_of(text);
    bool negative = take(&c, '-');
    if (!negative) take(&c, '+');
    if (c.p == c.end) return false;
    if (memchr(text.data, ' ', text.size)) return wr_duration_words(text, micros);
    if (!(take(&c, 'P') ? take_iso(&c, &sum) : take_short(&c, &sum))) return false;
    if (sum > (uint64_t)INT64_MAX + negative) return false;
    *micros = (int64_t)(negative ? 0 - sum : sum);
    return true;
}

/* ---- Printing ---------------------------------------------------------------------------------- */

static char *put2(char *p, int value)
{
    WR_ASSERT(value >= 0 && value <= 99);
    *p++ = (char)('0' + value / 10);
    *p++ = (char)('0' + value % 10);
    return p;
}

/* ".25": no more digits than needed, nothing for 0. */
static char *put_fraction(char *p, int micro)
{
    WR_ASSERT(micro >= 0 && micro < 1000000);
    if (micro == 0) return p;
    *p++ = '.';
    for (int unit = 100000; micro; unit /= 10) {
        *p++ = (char)('0' + micro / unit);
        micro %= unit;
    }
    return p;
}

static char *put_date(char *p, const struct wr_civil *c)
{
    int64_t year = c->year < 0 ? -c->year : c->year;
    if (c->year < 0 || c->year > 9999) *p++ = c->year < 0 ? '-' : '+';
    if (year < 10000) {
        p = put2(p, (int)(year / 100));
        p = put2(p, (int)(year % 100));
    } else {
        p += wr_print_i64(p, year);
    }
    *p++ = '-';
    p = put2(p, c->month);
    *p++ = '-';
    return put2(p, c->day);
}

static char *put_time(char *p, const struct wr_civil *c)
{
    p = put2(p, c->hour);
    *p++ = ':';
    p = put2(p, c->minute);
    *p++ = ':';
    p = put2(p, c->second);
    return put_fraction(p, c->micro);
}

size_t wr_print_timestamp(char *out, int64_t micros)
{
    struct wr_civil c = wr_civil_of(micros);
    char *p = put_date(out, &c);
    *p++ = 'T';
    p = put_time(p, &c);
    *p++ = 'Z';
    WR_ASSERT(p - out <= WR_TEXT_MAX);
    return (size_t)(p - out);
}

size_t wr_print_date(char *out, int64_t days)
{
    /* Days whose date no calendar of 64 bits holds are shown as a number. */
    if (days > INT64_MAX / 1000 || days < INT64_MIN / 1000) return wr_print_i64(out, days);
    struct wr_civil c = wr_civil_of_days(days);
    WR_ASSERT(wr_days_of(c.year, c.month, c.day) == days);
    return (size_t)(put_date(out, &c) - out);
}

size_t wr_print_time(char *out, int64_t micros)
{
    struct wr_civil c = wr_civil_of(micros);
    return (size_t)(put_time(out, &c) - out);
}

size_t wr_print_interval(char *out, int64_t micros)
{
    static const struct {
        char letter;
        int64_t unit;
    } part[] = {{'H', WR_HOUR_US}, {'M', WR_MINUTE_US}};
    char *p = out;
    uint64_t rest = micros < 0 ? 0 - (uint64_t)micros : (uint64_t)micros;
    if (micros < 0) *p++ = '-';
    *p++ = 'P';
    if (rest >= (uint64_t)WR_DAY_US) {
        p += wr_print_i64(p, (int64_t)(rest / (uint64_t)WR_DAY_US));
        *p++ = 'D';
        rest %= (uint64_t)WR_DAY_US;
        if (rest == 0) return (size_t)(p - out);
    }
    *p++ = 'T';
    for (size_t i = 0; i < WR_COUNT(part); i++) {
        if (rest < (uint64_t)part[i].unit) continue;
        p += wr_print_i64(p, (int64_t)(rest / (uint64_t)part[i].unit));
        *p++ = part[i].letter;
        rest %= (uint64_t)part[i].unit;
    }
    if (rest || micros == 0) {
        p += wr_print_i64(p, (int64_t)(rest / (uint64_t)WR_SECOND_US));
        p = put_fraction(p, (int)(rest % (uint64_t)WR_SECOND_US));
        *p++ = 'S';
    }
    WR_ASSERT(p - out <= WR_TEXT_MAX);
    return (size_t)(p - out);
}
