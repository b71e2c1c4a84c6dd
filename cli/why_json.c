/* What became of the starts of a pattern, for programs: {"version":1,…}. */
#include "cli/why.h"

#include "vm/text.h"

static void add_time(struct wr_buf *out, int64_t us)
{
    char text[WR_TEXT_MAX];
    size_t size = wr_print_timestamp(text, us);
    wr_buf_printf(out, "\"%.*s\"", (int)size, text);
}

static void add_row(struct wr_buf *out, const weir_row *row)
{
    wr_buf_add_cstr(out, "\"stream\":");
    wr_buf_add_json_cstr(out, row->stream);
    wr_buf_printf(out, ",\"partition\":%u,\"record\":%llu,\"time\":", row->partition,
                  (unsigned long long)row->record);
    add_time(out, row->time_us);
    wr_buf_add_cstr(out, ",\"variable\":");
    wr_buf_add_json_cstr(out, row->variable ? row->variable : "");
    wr_buf_printf(out, ",\"row\":%s", row->text ? row->text : "null");
}

/* Names that stay: docs/testing.md lists them. */
static const char *end_name(int end)
{
    static const char *const ends[] = {
        [WEIR_START_MATCH] = "match",           [WEIR_START_DIED] = "died",
        [WEIR_START_EXPIRED] = "expired",       [WEIR_START_TAKEN] = "taken",
        [WEIR_START_INPUT_ENDED] = "input_ended", [WEIR_START_FORBIDDEN] = "forbidden",
        [WEIR_START_CLOSED] = "closed",         [WEIR_START_BOUND] = "bound",
        [WEIR_START_CLAIMED] = "claimed",       [WEIR_START_LIMIT] = "limit",
        [WEIR_START_COVERED] = "covered",       [WEIR_START_SUPPRESSED] = "suppressed",
        [WEIR_START_LED] = "led"};
    WR_ASSERT((size_t)end < WR_COUNT(ends));
    return ends[end];
}

static const char *kind_name(int kind)
{
    static const char *const kinds[] = {
        [WEIR_REFUSED_CONDITION] = "condition", [WEIR_REFUSED_EARLY] = "early",
        [WEIR_REFUSED_BOUND] = "bound",         [WEIR_REFUSED_CLAIMED] = "claimed",
        [WEIR_REFUSED_CLOSED] = "closed",       [WEIR_REFUSED_FORBIDDEN] = "forbidden",
        [WEIR_REFUSED_ABSENCE] = "absence"};
    WR_ASSERT((size_t)kind < WR_COUNT(kinds));
    return kinds[kind];
}

static void add_taken(struct wr_buf *out, const weir_row *row)
{
    if (!row->is_moment) {
        add_row(out, row);
        return;
    }
    wr_buf_add_cstr(out, "\"absent\":");
    wr_buf_add_json_cstr(out, row->variable ? row->variable : "");
    wr_buf_add_cstr(out, ",\"time\":");
    add_time(out, row->time_us);
}

/* What else brought the end. */
static void add_cause(struct wr_buf *out, const weir_start *s)
{
    if (s->limit_us >= 0) wr_buf_printf(out, ",\"limit_us\":%lld", (long long)s->limit_us);
    if (*s->waits) wr_buf_add_cstr(out, ",\"waits_for\":");
    if (*s->waits) wr_buf_add_json_cstr(out, s->waits);
    if (*s->cause) wr_buf_add_cstr(out, ",\"cause\":");
    if (*s->cause) wr_buf_add_json_cstr(out, s->cause);
    if (s->end == WEIR_START_LED || s->end == WEIR_START_SUPPRESSED) {
        wr_buf_add_cstr(out, ",\"by_time\":");
        add_time(out, s->by_us);
    }
    if (s->waited)
        wr_buf_printf(out, ",\"waited_for\":\"%s\"", s->waited & WEIR_WAITED_PREFERRED ? "preferred" : "earlier start");
    if (!s->has_by) return;
    wr_buf_add_cstr(out, ",\"by\":[{");
    add_row(out, &s->by_first);
    wr_buf_add_cstr(out, "},{");
    add_row(out, &s->by_last);
    wr_buf_add_cstr(out, "}]");
}

static void add_start(struct wr_buf *out, const weir_start *s, const struct wr_why_asides *asides)
{
    wr_buf_add_cstr(out, "\n{\"pattern\":");
    wr_buf_add_json_cstr(out, s->pattern);
    wr_buf_add_cstr(out, ",\"key\":");
    wr_buf_add_json_cstr(out, s->key);
    wr_buf_printf(out, ",\"end\":\"%s\",\"end_time\":", end_name(s->end));
    add_time(out, s->end_us);
    add_cause(out, s);
    wr_buf_add_cstr(out, ",\"rows\":[");
    for (size_t i = 0; i < s->row_count; i++) {
        wr_buf_add_cstr(out, i ? ",{" : "{");
        add_taken(out, &s->rows[i]);
        wr_buf_add_char(out, '}');
    }
    wr_buf_printf(out, "],\"refused\":%llu,\"refusals\":[", (unsigned long long)s->refused);
    for (size_t i = 0; i < s->refusal_count; i++) {
        wr_buf_add_cstr(out, i ? ",{" : "{");
        add_row(out, &s->refusals[i].row);
        wr_buf_printf(out, ",\"kind\":\"%s\",\"awaited\":", kind_name(s->refusals[i].kind));
        wr_buf_add_json_cstr(out, s->refusals[i].awaited);
        if (s->refusals[i].limit_us > 0)
            wr_buf_printf(out, ",\"limit_us\":%lld", (long long)s->refusals[i].limit_us);
        wr_buf_add_cstr(out, ",\"condition\":");
        wr_buf_add_json_cstr(out, s->refusals[i].condition);
        wr_buf_add_cstr(out, ",\"values\":");
        wr_buf_add_json_cstr(out, s->refusals[i].values);
        wr_buf_add_char(out, '}');
    }
    wr_buf_add_cstr(out, "],\"aside\":[");
    if (s->end != WEIR_START_MATCH) wr_why_asides_json(asides, s, out);
    wr_buf_add_cstr(out, "]}");
}

void wr_why_print_json(const struct wr_why_start *start, size_t count, uint64_t matches,
                       uint64_t partials, const struct wr_why_asides *asides, struct wr_buf *out)
{
    wr_buf_printf(out, "{\"version\":1,\"matches\":%llu,\"partial\":%llu,\"starts\":[",
                  (unsigned long long)matches, (unsigned long long)partials);
    for (size_t i = 0; i < count; i++) {
        if (i) wr_buf_add_char(out, ',');
        add_start(out, &start[i].start, asides);
    }
    wr_buf_add_char(out, ']');
    if (!count) {
        wr_buf_add_cstr(out, ",\"aside\":[");
        wr_why_asides_json(asides, NULL, out);
        wr_buf_add_char(out, ']');
    }
    wr_buf_add_cstr(out, "}\n");
}
