#include "vm/limits.h"

#include "vm/pattern_class.h"
#include "vm/text.h"

bool wr_parse_bytes(struct wr_slice text, uint64_t *bytes)
{
    static const struct { const char *name; unsigned shift; } unit[] = {{"KB", 10}, {"MB", 20}, {"GB", 30}, {"TB", 40}};
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9') digits++;
    int64_t number;
    if (!digits || !wr_parse_i64(wr_slice_of(text.data, digits), &number)) return false;
    size_t at = digits;
    while (at < text.size && text.data[at] == ' ') at++;
    struct wr_slice rest = wr_slice_of(text.data + at, text.size - at);
    *bytes = (uint64_t)number;
    if (!rest.size) return at == digits;
    for (size_t i = 0; i < WR_COUNT(unit); i++) {
        if (!wr_slice_equal_nocase(rest, wr_slice_cstr(unit[i].name))) continue;
        if ((uint64_t)number > (UINT64_MAX >> 1) >> unit[i].shift) return false;
        *bytes = (uint64_t)number << unit[i].shift;
        return true;
    }
    return false;
}

void wr_print_bytes(uint64_t bytes, struct wr_buf *out)
{
    static const char *const unit[] = {"bytes", "KB", "MB", "GB", "TB"};
    size_t at = 0;
    while (at + 1 < WR_COUNT(unit) && bytes && bytes % 1024 == 0) {
        bytes /= 1024;
        at++;
    }
    wr_buf_printf(out, "%llu %s", (unsigned long long)bytes, bytes == 1 && !at ? "byte" : unit[at]);
}

static uint64_t count_of(const struct wr_program *program, const char *name, struct wr_limits *limits)
{
    const char *text = wr_program_setting(program, name);
    int64_t number;
    if (!text || !wr_parse_i64(wr_slice_cstr(text), &number) || number < 1) return UINT64_MAX;
    limits->set = true;
    return (uint64_t)number;
}

void wr_limits_read(const struct wr_program *program, struct wr_limits *limits)
{
    *limits = (struct wr_limits){.bytes = WR_STATE_BYTES_DEFAULT};
    limits->starts_key = count_of(program, "max_starts_per_key", limits);
    limits->starts_pattern = count_of(program, "max_starts_per_pattern", limits);
    limits->starts = count_of(program, "max_starts", limits);
    limits->keys = count_of(program, "max_keys", limits);
    limits->rows = count_of(program, "max_rows_kept", limits);
    limits->windows = count_of(program, "max_windows", limits);
    const char *bytes = wr_program_setting(program, "max_state_bytes");
    uint64_t number;
    if (bytes && wr_parse_bytes(wr_slice_cstr(bytes), &number) && number) {
        limits->bytes = number;
        limits->set = true;
    }
    const char *policy = wr_program_setting(program, "on_limit");
    struct wr_slice said = wr_slice_cstr(policy ? policy : "fail");
    WR_ASSERT(said.data);
    if (wr_slice_equal_nocase(said, WR_SLICE("drop_oldest"))) limits->policy = WR_ON_LIMIT_DROP_OLDEST;
    if (wr_slice_equal_nocase(said, WR_SLICE("drop_new"))) limits->policy = WR_ON_LIMIT_DROP_NEW;
}

bool wr_limits_drop_starts(const struct wr_limits *limits, const struct wr_pattern_node *pattern)
{
    WR_ASSERT(limits->bytes > 0);
    if (!wr_pattern_class_refuses(pattern, WR_MATCHER_ROW)) return false; /* one row is no start that stays open */
    if (limits->starts_key != UINT64_MAX) return true;
    if (limits->policy == WR_ON_LIMIT_FAIL) return false;
    bool drops_rows = limits->rows != UINT64_MAX && limits->policy == WR_ON_LIMIT_DROP_OLDEST;
    return limits->starts_pattern != UINT64_MAX || limits->keys != UINT64_MAX || drops_rows;
}
