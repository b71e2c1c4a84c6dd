/* What became of the starts of a pattern, for programs: {"version":1,…}. */
#include "cli/why.h"

#include "vm/text.h"

static void add_text(struct wr_buf *out, const char *text)
{
    wr_buf_add_char(out, '"');
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == '"' || c == '\\') wr_buf_printf(out, "\\%c", c);
        else if (c < 0x20) wr_buf_printf(out, "\\u%04x", c);
        else wr_buf_add_char(out, (char)c);
    }
    wr_buf_add_char(out, '"');
}

static void add_time(struct wr_buf *out, int64_t us)
{
    char text[WR_TEXT_MAX];
    size_t size = wr_print_timestamp(text, us);
    wr_buf_printf(out, "\"%.*s\"", (int)size, text);
}

static void add_row(struct wr_buf *out, const weir_row *row)
{
    wr_buf_add_cstr(out, "\"stream\":");
    add_text(out, row->stream);
    wr_buf_printf(out, ",\"partition\":%u,\"record\":%llu,\"time\":", row->partition,
                  (unsigned long long)row->record);
    add_time(out, row->time_us);
    wr_buf_add_cstr(out, ",\"variable\":");
    add_text(out, row->variable ? row->variable : "");
    wr_buf_printf(out, ",\"row\":%s", row->text ? row->text : "null");
}

static void add_start(struct wr_buf *out, const weir_start *s)
{
    static const char *const ends[] = {[WEIR_START_MATCH] = "match",
                                       [WEIR_START_DIED] = "died",
                                       [WEIR_START_EXPIRED] = "expired",
                                       [WEIR_START_TAKEN] = "taken",
                                       [WEIR_START_INPUT_ENDED] = "input_ended"};
    wr_buf_add_cstr(out, "\n{\"pattern\":");
    add_text(out, s->pattern);
    wr_buf_add_cstr(out, ",\"key\":");
    add_text(out, s->key);
    wr_buf_printf(out, ",\"end\":\"%s\",\"end_time\":", ends[s->end]);
    add_time(out, s->end_us);
    wr_buf_add_cstr(out, ",\"rows\":[");
    for (size_t i = 0; i < s->row_count; i++) {
        wr_buf_add_cstr(out, i ? ",{" : "{");
        add_row(out, &s->rows[i]);
        wr_buf_add_char(out, '}');
    }
    wr_buf_printf(out, "],\"refused\":%llu,\"refusals\":[", (unsigned long long)s->refused);
    for (size_t i = 0; i < s->refusal_count; i++) {
        wr_buf_add_cstr(out, i ? ",{" : "{");
        add_row(out, &s->refusals[i].row);
        wr_buf_add_cstr(out, ",\"condition\":");
        add_text(out, s->refusals[i].condition);
        wr_buf_add_cstr(out, ",\"values\":");
        add_text(out, s->refusals[i].values);
        wr_buf_add_char(out, '}');
    }
    wr_buf_add_cstr(out, "]}");
}

void wr_why_print_json(const struct wr_why_start *start, size_t count, uint64_t matches,
                       uint64_t partials, struct wr_buf *out)
{
    wr_buf_printf(out, "{\"version\":1,\"matches\":%llu,\"partial\":%llu,\"starts\":[",
                  (unsigned long long)matches, (unsigned long long)partials);
    for (size_t i = 0; i < count; i++) {
        if (i) wr_buf_add_char(out, ',');
        add_start(out, &start[i].start);
    }
    wr_buf_add_cstr(out, "]}\n");
}
