/* Time zones from the TZif files of the IANA database (RFC 9636), read by a small reader of our own: libc's
 * only way to another zone is the variable TZ and tzset, global to the process, so that two threads, or two
 * zones in one expression, would change each other's answers. */
#include "vm/builtin_impl.h"
#include "vm/calendar.h"

#include <stdio.h>

enum { FILE_SIZE_MAX = 1 << 20, NAME_SIZE_MAX = 100, KINDS_MAX = 256 };

struct kind {
    int32_t offset; /* seconds east of UTC */
    const char *abbreviation;
};

/* When the clocks change within a year, as the footer of a file says for all years past its table. */
struct rule {
    enum { RULE_NONE, RULE_JULIAN, RULE_DAY, RULE_MONTH } form;
    int day, week, month;
    int32_t time; /* seconds after local midnight */
};

struct wr_zone {
    char *name;
    uint32_t count; /* changes */
    int64_t *at;    /* seconds since 1970, ascending */
    uint8_t *kind_of;
    struct kind kind[KINDS_MAX];
    uint32_t first; /* the kind before all changes */
    char *names;    /* what the abbreviations point into */
    /* The footer: always `standard`, or with `summer` between two moments of each year. */
    struct kind standard, summer;
    bool has_footer, has_summer;
    struct rule begin, end;
    char footer_names[2][16];
};

/* ---- The file ------------------------------------------------------------------------------------- */

struct reader {
    const unsigned char *p, *end;
};

static uint64_t take(struct reader *r, unsigned bytes)
{
    uint64_t value = 0;
    WR_ASSERT(bytes <= 8 && r->p <= r->end);
    if ((size_t)(r->end - r->p) < bytes) {
        r->p = r->end;
        return 0;
    }
    while (bytes-- > 0) value = value << 8 | *r->p++;
    return value;
}

struct header {
    uint32_t utc, standard, leap, times, types, chars;
    bool second; /* a block with 64-bit times follows */
};

static bool take_header(struct reader *r, struct header *h)
{
    if (r->end - r->p < 44 || memcmp(r->p, "TZif", 4) != 0) return false;
    h->second = r->p[4] >= '2';
    r->p += 20;
    h->utc = (uint32_t)take(r, 4);
    h->standard = (uint32_t)take(r, 4);
    h->leap = (uint32_t)take(r, 4);
    h->times = (uint32_t)take(r, 4);
    h->types = (uint32_t)take(r, 4);
    h->chars = (uint32_t)take(r, 4);
    return h->times <= FILE_SIZE_MAX && h->types >= 1 && h->types <= KINDS_MAX && h->chars <= FILE_SIZE_MAX &&
           h->leap <= FILE_SIZE_MAX && h->utc <= KINDS_MAX && h->standard <= KINDS_MAX;
}

static size_t block_size(const struct header *h, unsigned time_size)
{
    return (size_t)h->times * (time_size + 1) + (size_t)h->types * 6 + h->chars + (size_t)h->leap * (time_size + 4) +
           h->standard + h->utc;
}

static bool read_block(struct wr_zone *zone, struct reader *r, const struct header *h, unsigned time_size)
{
    WR_ASSERT((time_size == 4 || time_size == 8) && h->types <= KINDS_MAX);
    if ((size_t)(r->end - r->p) < block_size(h, time_size)) return false;
    zone->count = h->times;
    zone->at = wr_alloc(sizeof *zone->at * WR_MAX(h->times, 1u));
    zone->kind_of = wr_alloc(WR_MAX(h->times, 1u));
    zone->names = wr_alloc_zero(h->chars + 1u);
    for (uint32_t i = 0; i < h->times; i++) {
        uint64_t raw = take(r, time_size);
        zone->at[i] = time_size == 8 ? (int64_t)raw : (int32_t)(uint32_t)raw;
        if (i > 0 && zone->at[i] < zone->at[i - 1]) return false;
    }
    for (uint32_t i = 0; i < h->times; i++) {
        zone->kind_of[i] = (uint8_t)take(r, 1);
        if (zone->kind_of[i] >= h->types) return false;
    }
    uint32_t name_of[KINDS_MAX];
    bool found = false;
    for (uint32_t i = 0; i < h->types; i++) {
        zone->kind[i].offset = (int32_t)(uint32_t)take(r, 4);
        bool summer = take(r, 1) != 0;
        name_of[i] = (uint32_t)take(r, 1);
        if (name_of[i] > h->chars || zone->kind[i].offset < -93600 || zone->kind[i].offset > 93600) return false;
        if (!summer && !found) zone->first = i, found = true;
    }
    WR_ASSERT((size_t)(r->end - r->p) >= h->chars && zone->first < h->types);
    memcpy(zone->names, r->p, h->chars);
    for (uint32_t i = 0; i < h->types; i++) zone->kind[i].abbreviation = zone->names + name_of[i];
    r->p += (size_t)h->chars + (size_t)h->leap * (time_size + 4) + h->standard + h->utc;
    return true;
}

/* ---- The footer: POSIX's TZ, as in "CET-1CEST,M3.5.0,M10.5.0/3" ------------------------------------ */

static bool footer_char(struct reader *r, char wanted)
{
    if (r->p == r->end || *r->p != (unsigned char)wanted) return false;
    r->p++;
    return true;
}

static bool footer_number(struct reader *r, int *out)
{
    const unsigned char *start = r->p;
    for (*out = 0; r->p < r->end && *r->p >= '0' && *r->p <= '9' && *out < 10000; r->p++)
        *out = *out * 10 + (*r->p - '0');
    return r->p > start;
}

static bool footer_name(struct reader *r, char out[16])
{
    bool quoted = footer_char(r, '<');
    size_t size = 0;
    for (; r->p < r->end; r->p++) {
        unsigned char c = *r->p;
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (quoted ? c == '>' : !letter) break;
        if (size == 15) return false;
        out[size++] = (char)c;
    }
    out[size] = 0;
    return size > 0 && (!quoted || footer_char(r, '>'));
}

/* [+-]hh[:mm[:ss]] as seconds. */
static bool footer_time(struct reader *r, int32_t *out)
{
    int hour, minute = 0, second = 0;
    bool negative = footer_char(r, '-');
    if (!negative) footer_char(r, '+');
    if (!footer_number(r, &hour)) return false;
    if (footer_char(r, ':') && (!footer_number(r, &minute) || (footer_char(r, ':') && !footer_number(r, &second))))
        return false;
    if (hour > 167 || minute > 59 || second > 59) return false;
    *out = hour * 3600 + minute * 60 + second;
    if (negative) *out = -*out;
    return true;
}

static bool footer_rule(struct reader *r, struct rule *rule)
{
    rule->time = 7200;
    if (!footer_char(r, ',')) return false;
    if (footer_char(r, 'M')) {
        rule->form = RULE_MONTH;
        if (!footer_number(r, &rule->month) || !footer_char(r, '.') || !footer_number(r, &rule->week) ||
            !footer_char(r, '.') || !footer_number(r, &rule->day))
            return false;
        if (rule->month < 1 || rule->month > 12 || rule->week < 1 || rule->week > 5 || rule->day > 6) return false;
    } else {
        rule->form = footer_char(r, 'J') ? RULE_JULIAN : RULE_DAY;
        if (!footer_number(r, &rule->day) || rule->day > 365) return false;
    }
    return !footer_char(r, '/') || footer_time(r, &rule->time);
}

/* A file without a footer, or with one that is none, keeps its last kind for ever. */
static void read_footer(struct wr_zone *zone, struct reader r)
{
    int32_t west;
    const unsigned char *stop;
    if (!footer_char(&r, '\n') || !(stop = memchr(r.p, '\n', (size_t)(r.end - r.p)))) return;
    r.end = stop;
    if (!footer_name(&r, zone->footer_names[0]) || !footer_time(&r, &west)) return;
    zone->standard = (struct kind){-west, zone->footer_names[0]};
    zone->has_footer = true;
    if (r.p == r.end || !footer_name(&r, zone->footer_names[1])) return;
    int32_t summer = west - 3600;
    if (r.p < r.end && *r.p != ',' && !footer_time(&r, &summer)) return;
    if (!footer_rule(&r, &zone->begin) || !footer_rule(&r, &zone->end)) return;
    zone->summer = (struct kind){-summer, zone->footer_names[1]};
    zone->has_summer = true;
}

/* The local second of the year's change. */
static int64_t rule_second(const struct rule *rule, int64_t year)
{
    int64_t day = wr_days_of(year, 1, 1);
    WR_ASSERT(rule->form != RULE_NONE);
    if (rule->form == RULE_MONTH) {
        int64_t first = wr_days_of(year, rule->month, 1);
        int week_day = wr_civil_of_days(first).week_day % 7; /* Sunday 0 */
        WR_ASSERT(rule->week >= 1 && rule->week <= 5);
        int64_t of_month = (rule->day - week_day + 7) % 7 + 7 * (rule->week - 1);
        if (of_month >= wr_month_days(year, rule->month)) of_month -= 7;
        day = first + of_month;
    } else if (rule->form == RULE_JULIAN) { /* 1..365, without the 29th of February */
        day += rule->day - 1 + (rule->day >= 60 && wr_month_days(year, 2) == 29);
    } else {
        day += rule->day;
    }
    return day * 86400 + rule->time;
}

static struct kind footer_kind(const struct wr_zone *zone, int64_t second)
{
    WR_ASSERT(zone->has_footer);
    if (!zone->has_summer) return zone->standard;
    int64_t year = wr_civil_of_days(wr_floor_div(second + zone->standard.offset, 86400)).year;
    int64_t begin = rule_second(&zone->begin, year) - zone->standard.offset;
    int64_t end = rule_second(&zone->end, year) - zone->summer.offset;
    bool summer = begin < end ? second >= begin && second < end : second >= begin || second < end;
    return summer ? zone->summer : zone->standard;
}

/* ---- Finding a file ------------------------------------------------------------------------------- */

static bool is_zone_name(struct wr_slice name)
{
    if (name.size == 0 || name.size > NAME_SIZE_MAX || name.data[0] == '/' || name.data[0] == '.') return false;
    for (size_t i = 0; i < name.size; i++) {
        char c = name.data[i];
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' ||
                     c == '-' || c == '+';
        if (!plain && !(c == '/' && i + 1 < name.size && name.data[i + 1] != '/')) return false;
    }
    return true;
}

/* The whole file, or an empty slice; the caller frees the data. */
static struct wr_slice read_file(struct wr_slice name)
{
    static const char *const folder[] = {"/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/usr/share/lib/zoneinfo"};
    for (size_t i = 0; i < WR_COUNT(folder); i++) {
        char path[NAME_SIZE_MAX + 64];
        WR_ASSERT(name.size <= NAME_SIZE_MAX);
        snprintf(path, sizeof path, "%s/%.*s", folder[i], WR_SLICE_ARG(name));
        FILE *file = fopen(path, "rbe");
        if (!file) continue;
        char *data = wr_alloc(FILE_SIZE_MAX);
        size_t size = fread(data, 1, FILE_SIZE_MAX, file);
        fclose(file);
        if (size >= 44 && memcmp(data, "TZif", 4) == 0) return wr_slice_of(data, size);
        wr_free(data);
    }
    return (struct wr_slice){NULL, 0};
}

static bool read_zone(struct wr_zone *zone, struct wr_slice file)
{
    struct reader r = {(const unsigned char *)file.data, (const unsigned char *)file.data + file.size};
    struct header h;
    if (!take_header(&r, &h)) return false;
    if (!h.second) return read_block(zone, &r, &h, 4);
    if ((size_t)(r.end - r.p) < block_size(&h, 4)) return false;
    r.p += block_size(&h, 4);
    if (!take_header(&r, &h) || !read_block(zone, &r, &h, 8)) return false;
    read_footer(zone, r);
    return true;
}

struct wr_zone *wr_zone_new(struct wr_slice name)
{
    bool utc = wr_slice_equal_nocase(name, WR_SLICE("UTC")) || wr_slice_equal_nocase(name, WR_SLICE("Z"));
    if (!utc && !is_zone_name(name)) return NULL;
    struct wr_slice file = utc ? (struct wr_slice){NULL, 0} : read_file(name);
    if (!utc && !file.data) return NULL;
    struct wr_zone *zone = wr_alloc_zero(sizeof *zone);
    zone->name = wr_alloc(name.size + 1);
    memcpy(zone->name, name.data, name.size);
    zone->name[name.size] = 0;
    zone->kind[0].abbreviation = "UTC";
    bool fine = utc || read_zone(zone, file);
    wr_free((void *)(uintptr_t)file.data);
    if (fine) return zone;
    wr_zone_free(zone);
    return NULL;
}

void wr_zone_free(void *data)
{
    struct wr_zone *zone = data;
    if (!zone) return;
    wr_free(zone->name);
    wr_free(zone->at);
    wr_free(zone->kind_of);
    wr_free(zone->names);
    wr_free(zone);
}

struct wr_slice wr_zone_name(const struct wr_zone *zone)
{
    return wr_slice_cstr(zone->name);
}

bool wr_zone_exists(struct wr_slice name)
{
    struct wr_zone *zone = wr_zone_new(name);
    wr_zone_free(zone);
    return zone != NULL;
}

/* ---- Asking --------------------------------------------------------------------------------------- */

static struct kind kind_at(const struct wr_zone *zone, int64_t second)
{
    uint32_t low = 0, high = zone->count; /* the first change after the second */
    WR_DCHECK(zone->first < KINDS_MAX);
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (zone->at[middle] <= second) low = middle + 1;
        else high = middle;
    }
    if (low == zone->count && zone->has_footer) return footer_kind(zone, second);
    return zone->kind[low == 0 ? zone->first : zone->kind_of[low - 1]];
}

int32_t wr_zone_offset(const struct wr_zone *zone, int64_t second, const char **abbreviation)
{
    struct kind kind = kind_at(zone, second);
    if (abbreviation) *abbreviation = kind.abbreviation;
    return kind.offset;
}

int64_t wr_zone_instant(const struct wr_zone *zone, int64_t local)
{
    /* No offset is past 26 hours; a day before and after see the kinds around a change. */
    int32_t before = wr_zone_offset(zone, local - 86400, NULL), after = wr_zone_offset(zone, local + 86400, NULL);
    int64_t early = local - WR_MAX(before, after), late = local - WR_MIN(before, after);
    if (early + wr_zone_offset(zone, early, NULL) == local) return early;
    if (late + wr_zone_offset(zone, late, NULL) == local) return late;
    if (early == late) { /* two changes within those days: the kind between them, if that gives the time */
        int64_t between = local - wr_zone_offset(zone, early, NULL);
        return between + wr_zone_offset(zone, between, NULL) == local ? between : early;
    }
    /* Left out: the change lies between the two. */
    WR_ASSERT(early < late);
    int32_t offset = wr_zone_offset(zone, early, NULL);
    while (late - early > 1) {
        int64_t middle = early + (late - early) / 2;
        if (wr_zone_offset(zone, middle, NULL) == offset) early = middle;
        else late = middle;
    }
    return late;
}
