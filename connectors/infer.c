/* What a recording looks like: from what was seen of its columns to types, names, the event time and the key. Every
 * guess comes with its reason; a wrong one costs the reader of the declaration a look, so the rules are few. */
#include "connectors/infer.h"

#include "base/hash.h"
#include "base/text.h"

#include <math.h>

/* ---- What is seen ---------------------------------------------------------------------------- */

static void note_distinct(struct wr_seen *seen, struct wr_slice text)
{
    if (seen->distinct > WR_INFER_DISTINCT_MAX) return;
    uint64_t hash = wr_hash64(text.data ? text.data : "", text.size, 0) | 1;
    if (seen->distinct * 2 >= seen->hash_size) {
        size_t size = seen->hash_size ? seen->hash_size * 2 : 64;
        uint64_t *grown = wr_alloc_zero(size * sizeof *grown);
        for (size_t i = 0; i < seen->hash_size; i++) {
            size_t at = seen->hash[i] / 2 % size;
            while (seen->hash[i] && grown[at]) at = (at + 1) % size;
            if (seen->hash[i]) grown[at] = seen->hash[i];
        }
        wr_free(seen->hash);
        seen->hash = grown;
        seen->hash_size = size;
    }
    size_t at = hash / 2 % seen->hash_size;
    for (; seen->hash[at]; at = (at + 1) % seen->hash_size)
        if (seen->hash[at] == hash) return;
    seen->hash[at] = hash;
    seen->distinct++;
}

void wr_infer_value(struct wr_seen *seen, struct wr_slice text, enum wr_looks looks, double number, int64_t instant)
{
    seen->looks[looks]++;
    if (looks == WR_LOOKS_NULL) return;
    note_distinct(seen, text);
    if (looks == WR_LOOKS_INTEGER || looks == WR_LOOKS_REAL) {
        seen->least = seen->any_value ? fmin(seen->least, number) : number;
        seen->most = seen->any_value ? fmax(seen->most, number) : number;
        if (seen->any_value) seen->lag = fmax(seen->lag, seen->front - number);
        seen->front = seen->any_value ? fmax(seen->front, number) : number;
        seen->any_value = true;
    } else if (looks == WR_LOOKS_INSTANT) {
        if (seen->any_order) seen->lag_us = WR_MAX(seen->lag_us, seen->front_us - instant);
        seen->front_us = seen->any_order ? WR_MAX(seen->front_us, instant) : instant;
        seen->any_order = true;
    }
}

/* ---- Types ----------------------------------------------------------------------------------- */

static bool ends_with(struct wr_slice name, const char *tail)
{
    size_t n = strlen(tail);
    return name.size >= n && wr_slice_equal_nocase(wr_slice_of(name.data + name.size - n, n), wr_slice_of(tail, n));
}

static bool is_one_of(struct wr_slice name, const char *const *list)
{
    for (; *list; list++)
        if (wr_slice_equal_nocase(name, wr_slice_cstr(*list))) return true;
    return false;
}

/* 3: the name of an event time; 2: of a time; 0: of something else. */
static unsigned time_name(struct wr_slice name)
{
    static const char *const best[] = {"at", "ts", "time", "timestamp", "event_time", "eventtime", "event_ts",
                                       "datetime", "event_timestamp", NULL};
    static const char *const tails[] = {"_at", "_ts", "time", "timestamp", "_date", "At", "Ts", "_ms", "_us", "_ns",
                                        "epoch", NULL};
    if (is_one_of(name, best)) return 3;
    for (size_t i = 0; tails[i]; i++) {
        bool camel = tails[i][0] == 'A' || tails[i][0] == 'T'; /* createdAt, but not "flat" */
        size_t n = strlen(tails[i]);
        if (camel ? name.size > n && memcmp(name.data + name.size - n, tails[i], n) == 0 : ends_with(name, tails[i]))
            return 2;
    }
    return 0;
}

static const struct unit {
    const char *name;
    double per_second, us;
} units[] = {{"s", 1, 1e6}, {"ms", 1e3, 1e3}, {"us", 1e6, 1}, {"ns", 1e9, 1e-3}};

/* The unit in which all values lie between 2000 and 2100, or NULL. */
static const struct unit *unit_of(const struct wr_seen *seen)
{
    static const double from = 946684800, to = 4102444800;
    for (size_t i = 0; i < WR_COUNT(units); i++)
        if (seen->least >= from * units[i].per_second && seen->most < to * units[i].per_second) return &units[i];
    return NULL;
}

struct guess {
    enum wr_kind kind;
    const char *why;
    const struct unit *unit; /* of a TIMESTAMP in numbers */
};

/* any: a text column reads every value, as in CSV. */
static struct guess guess_type(const struct wr_seen *seen, bool any)
{
    const uint64_t *n = seen->looks;
    uint64_t numbers = n[WR_LOOKS_INTEGER] + n[WR_LOOKS_REAL];
    uint64_t texts = n[WR_LOOKS_TEXT] + n[WR_LOOKS_INSTANT] + n[WR_LOOKS_DATE];
    uint64_t values = numbers + texts + n[WR_LOOKS_BOOLEAN];
    if (values == 0) return (struct guess){WR_KIND_STRING, "nothing but NULL was seen", NULL};
    if (n[WR_LOOKS_BOOLEAN] == values) return (struct guess){WR_KIND_BOOLEAN, "true and false", NULL};
    if (n[WR_LOOKS_INSTANT] == values) return (struct guess){WR_KIND_TIMESTAMP, "texts with date and time", NULL};
    if (n[WR_LOOKS_DATE] == values) return (struct guess){WR_KIND_DATE, "dates", NULL};
    if (n[WR_LOOKS_DATE] + n[WR_LOOKS_INSTANT] == values)
        return (struct guess){WR_KIND_TIMESTAMP, "dates, most with a time", NULL};
    if (numbers == values) {
        const struct unit *unit = time_name(seen->name) ? unit_of(seen) : NULL;
        if (unit) return (struct guess){WR_KIND_TIMESTAMP, "numbers as large as times since 1970", unit};
        if (n[WR_LOOKS_REAL] == 0) return (struct guess){WR_KIND_BIGINT, "whole numbers", NULL};
        return (struct guess){WR_KIND_DOUBLE, "numbers", NULL};
    }
    if (texts * 2 >= values) {
        const char *why = texts == values || any ? "texts" : "texts in most records, other values in some";
        return (struct guess){WR_KIND_STRING, why, NULL};
    }
    if (n[WR_LOOKS_BOOLEAN] * 2 > values)
        return (struct guess){WR_KIND_BOOLEAN, "true and false in most records, other values in some", NULL};
    return (struct guess){n[WR_LOOKS_REAL] ? WR_KIND_DOUBLE : WR_KIND_BIGINT,
                          "numbers in most records, other values in some", NULL};
}

/* ---- Event time and key ---------------------------------------------------------------------- */

static uint64_t values_of(const struct wr_seen *seen)
{
    uint64_t n = 0;
    for (int i = WR_LOOKS_BOOLEAN; i < WR_LOOKS_CONTAINER; i++) n += seen->looks[i];
    return n;
}

/* The best name among TIMESTAMP columns that every record has; of equals the first. */
static uint32_t pick_time(const struct wr_infer_state *s, const struct guess *guess)
{
    uint32_t best = WR_NONE;
    unsigned best_score = 0;
    for (uint32_t i = 0; i < s->seen.count; i++) {
        if (guess[i].kind != WR_KIND_TIMESTAMP) continue;
        unsigned score = 1 + time_name(s->seen.at[i].name) * 2 + !s->seen.at[i].nested;
        if (values_of(&s->seen.at[i]) == s->rows) score += 100;
        if (score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

/* How much a name speaks for a key: 2 for the name of a thing that acts, 1 for an identifier. */
static unsigned key_name(struct wr_slice name)
{
    static const char *const things[] = {"key", "card", "user", "account", "tail", "device", "customer", "symbol",
                                         "session", "host", "sensor", "vehicle", "plane", "machine", "client", "ip",
                                         "member", "player", "meter", "truck", "driver", "icao24", NULL};
    if (is_one_of(name, things)) return 2;
    for (size_t i = 0; things[i]; i++) {
        size_t n = strlen(things[i]);
        struct wr_slice head = wr_slice_of(name.data, WR_MIN(n, name.size));
        if (name.size > n && wr_slice_equal_nocase(head, wr_slice_cstr(things[i])) &&
            (ends_with(name, "id") || ends_with(name, "key") || ends_with(name, "no") || ends_with(name, "number")))
            return 2;
    }
    static const char *const identifiers[] = {"id", "code", "uid", "uuid", NULL};
    bool tail = ends_with(name, "_id") || ends_with(name, "_key") || ends_with(name, "_code");
    bool camel = name.size > 2 && memcmp(name.data + name.size - 2, "Id", 2) == 0; /* userId, but not "paid" */
    return tail || camel || is_one_of(name, identifiers) ? 1 : 0;
}

/* A text or whole number that repeats, is not one of a few words, and is named like a key if any is. */
static uint32_t pick_key(const struct wr_infer_state *s, const struct guess *guess)
{
    uint32_t best = WR_NONE;
    double best_score = 0;
    for (uint32_t i = 0; i < s->seen.count; i++) {
        const struct wr_seen *seen = &s->seen.at[i];
        uint64_t values = values_of(seen);
        if (guess[i].kind != WR_KIND_STRING && guess[i].kind != WR_KIND_BIGINT) continue;
        bool many = seen->distinct > WR_INFER_DISTINCT_MAX, unique = !many && seen->distinct >= values;
        unsigned named = key_name(seen->name);
        if (values == 0 || values * 2 < s->rows || seen->distinct < 2) continue;
        if (unique && (named < 2 || values > 1000)) continue;
        if (named == 0 && (guess[i].kind != WR_KIND_STRING || seen->distinct < 5 || seen->distinct * 2 > values)) continue;
        double score = 1 + named * 10.0 + fmin((double)seen->distinct, 1000) / 1001 - (seen->nested ? 0.5 : 0) -
                       (unique ? 15 : 0); /* of each value one record: a key only where nothing repeats */
        if (best == WR_NONE || score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

/* ---- Names ----------------------------------------------------------------------------------- */

static bool is_plain(struct wr_slice name)
{
    for (size_t i = 0; i < name.size; i++) {
        char c = wr_lower(name.data[i]);
        if (!((c >= 'a' && c <= 'z') || c == '_' || (i && c >= '0' && c <= '9'))) return false;
    }
    return name.size > 0;
}

static bool is_taken(const struct wr_inferred *out, struct wr_slice name, bool exactly)
{
    for (uint32_t i = 0; i < out->count; i++)
        if (exactly ? wr_slice_equal(out->column[i].name, name) : wr_slice_equal_nocase(out->column[i].name, name))
            return true;
    return false;
}

/* Is it the name of a field at the top, whether or not that stands in the list already? */
static bool is_top_name(const struct wr_infer_state *s, struct wr_slice name)
{
    for (size_t i = 0; i < s->seen.count; i++)
        if (!s->seen.at[i].nested && wr_slice_equal_nocase(s->seen.at[i].name, name)) return true;
    return false;
}

/* payment_amount for $.payment.amount; the wire's own name at the top. */
static void name_column(const struct wr_infer_state *s, const struct wr_inferred *out, const struct wr_seen *seen,
                        struct wr_inferred_column *column)
{
    struct wr_arena *arena = s->arena;
    column->name = seen->name;
    if (seen->nested) {
        struct wr_buf text = {0};
        for (size_t i = 2; i < seen->path.size; i++) {
            char c = seen->path.data[i];
            bool letter = is_plain(wr_slice_of(&c, 1)) || (c >= '0' && c <= '9');
            if (letter) wr_buf_add_char(&text, c);
            else if (text.size && text.data[text.size - 1] != '_') wr_buf_add_char(&text, '_');
        }
        while (text.size > 1 && text.data[text.size - 1] == '_') text.size--;
        if (text.size == 0) wr_buf_add_cstr(&text, "column");
        column->name = wr_arena_copy(arena, wr_buf_slice(&text));
        for (unsigned k = 2; is_taken(out, column->name, false) || is_top_name(s, column->name); k++)
            column->name = wr_arena_printf(arena, "%.*s_%u", WR_SLICE_ARG(wr_buf_slice(&text)), k);
        wr_buf_release(&text);
        column->path = seen->path;
    }
    column->quoted = !is_plain(column->name) || is_taken(out, column->name, false);
}

static void build(struct wr_infer_state *s, struct wr_arena *arena, struct wr_inferred *out)
{
    struct guess *guess = wr_alloc(sizeof *guess * s->seen.count);
    for (size_t i = 0; i < s->seen.count; i++) guess[i] = guess_type(&s->seen.at[i], strcmp(out->format, "json") != 0);
    uint32_t time = pick_time(s, guess), key = pick_key(s, guess);
    const struct unit *unit = time == WR_NONE ? NULL : guess[time].unit;
    out->column = WR_NEW_ARRAY(arena, struct wr_inferred_column, s->seen.count + 1);
    for (uint32_t i = 0; i < s->seen.count; i++) {
        struct wr_seen *seen = &s->seen.at[i];
        uint64_t values = values_of(seen);
        if (seen->looks[WR_LOOKS_CONTAINER] > values) continue;
        struct wr_inferred_column *column = &out->column[out->count];
        name_column(s, out, seen, column);
        if (is_taken(out, column->name, true)) continue; /* a header with the same name twice */
        /* A stream has one unit for its numbers; the event time's, else milliseconds. */
        if (guess[i].unit && i != time && strcmp(guess[i].unit->name, unit ? unit->name : "ms") != 0)
            guess[i] = (struct guess){seen->looks[WR_LOOKS_REAL] ? WR_KIND_DOUBLE : WR_KIND_BIGINT,
                                      "a time in another unit than the event time's", NULL};
        column->type = wr_type_of(guess[i].kind);
        column->why = guess[i].why;
        column->nulls = s->rows - WR_MIN(s->rows, values);
        column->distinct = WR_MIN(seen->distinct, (size_t)WR_INFER_DISTINCT_MAX + 1);
        if (i == time) {
            double lag = guess[i].unit ? seen->lag * guess[i].unit->us : (double)seen->lag_us;
            out->time_column = out->count;
            out->time_unit = unit ? unit->name : NULL;
            out->disorder_us = lag < 9e18 ? (int64_t)ceil(lag) : INT64_MAX;
        }
        if (i == key) out->key_column = out->count;
        out->count++;
    }
    wr_free(guess);
}

/* What stands between the fields of a header that has none of the format's own: the most frequent of the others outside
 * of quotes. 0: the format's own is right. */
static char other_delimiter(struct wr_slice head, char usual)
{
    static const char others[] = ",;\t|";
    size_t count[sizeof others] = {0}, best = 0;
    bool quoted = false;
    for (size_t i = 0; i < head.size && (quoted || head.data[i] != '\n'); i++) {
        const char *found = head.data[i] ? strchr(others, head.data[i]) : NULL;
        if (head.data[i] == '"') quoted = !quoted;
        else if (found && !quoted) count[found - others]++;
    }
    if (count[strchr(others, usual) - others]) return 0;
    for (size_t i = 1; i < sizeof others - 1; i++)
        if (count[i] > count[best]) best = i;
    return count[best] ? others[best] : 0;
}

enum wr_status wr_infer(const char *path, uint64_t rows, struct wr_arena *arena, struct wr_inferred *out,
                        struct wr_error *error)
{
    struct wr_byte_source *source = wr_byte_source_open(path, error);
    if (!source) return error->status;
    struct wr_infer_state s = {.arena = arena};
    *out = (struct wr_inferred){.time_column = WR_NONE, .key_column = WR_NONE};
    struct wr_slice head = wr_byte_source_peek(source, 4096);
    out->format = wr_format_guess(path, head);
    char usual = strcmp(out->format, "tsv") == 0 ? '\t' : ',';
    bool json = strcmp(out->format, "json") == 0;
    if (!json) out->delimiter = other_delimiter(head, usual);
    enum wr_status status = json ? wr_infer_json(&s, source, rows, error)
                                 : wr_infer_csv(&s, source, out->delimiter ? out->delimiter : usual, rows, error);
    if (status == WR_OK) build(&s, arena, out);
    out->rows = s.rows;
    out->bad_rows = s.bad_rows;
    out->note = s.note;
    out->is_array = s.is_array;
    for (size_t i = 0; i < s.seen.count; i++) wr_free(s.seen.at[i].hash);
    wr_vec_release(&s.seen);
    return status;
}
