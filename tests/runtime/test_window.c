/* The WINDOW operator against a list of rows that is computed anew for every window: random sizes, slides, offsets,
 * lateness, ties, late rows, NULLs and errors, any split into batches, and the state saved, dropped and loaded in the
 * middle. The functions of the task are played by this file. */
#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/operator.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static uint64_t random_state = 1;

static int64_t random_below(int64_t n)
{
    return (int64_t)(wr_mix64(random_state++) % (uint64_t)n);
}

/* ---- Rows and results -------------------------------------------------------------------------------- */

enum { ROWS = 600, KEYS = 9, AGGREGATES = 12 };

struct row {
    int64_t time, event;
    int key;             /* -1: NULL, -2: an error */
    int64_t x;
    int x_flag;          /* enum wr_flag */
    double f;
    bool flag;
    int flag_flag;
};
static struct row rows[ROWS];

struct result {
    int64_t start, end, time;
    int key;
    char text[AGGREGATES][64];
};
struct results {
    struct result *at;
    uint32_t count;
};

static struct results got;
static struct wr_buf refused, expected_refused; /* row numbers */
static uint32_t errors_counted, batch_start;
static int64_t passed_on;
static uint32_t ordinal_expected;

static void print_value(char out[64], enum wr_class cls, const struct wr_value *v)
{
    if (v->flag) snprintf(out, 64, "%s", v->flag == WR_FLAG_NULL ? "NULL" : "error");
    else if (cls == WR_CLASS_I64) snprintf(out, 64, "%lld", (long long)v->u.i64);
    else if (cls == WR_CLASS_F64) snprintf(out, 64, "%.12g", v->u.f64);
    else snprintf(out, 64, "%.*s", (int)WR_MIN(v->u.str.size, 60u), v->u.str.data ? v->u.str.data : "");
}

/* ---- What the operator calls --------------------------------------------------------------------------- */

void wr_operator_emit(struct wr_operator *op, const struct wr_batch *batch)
{
    WR_UNUSED(op);
    if (!got.at) return; /* a run that only counts allocations */
    for (uint32_t r = 0; r < batch->rows; r++) {
        struct result *result = &got.at[got.count++];
        struct wr_value key = wr_vector_at(&batch->column[0], r);
        assert_int_not_equal(key.flag, WR_FLAG_ERROR);
        result->key = key.flag ? -1 : key.u.str.data[1] - 'a';
        result->start = batch->column[1].u.i64[r];
        result->end = batch->column[2].u.i64[r];
        result->time = batch->place_time[r];
        assert_true(batch->time[r] == result->end - 1 && batch->event_time[r] == result->end - 1);
        assert_int_equal(batch->source[r], 0);
        bool follows = got.count > 1 && got.at[got.count - 2].end == result->end;
        ordinal_expected = follows ? ordinal_expected + 1 : 0;
        assert_int_equal(batch->ordinal[r], ordinal_expected);
        assert_true(result->end > passed_on); /* never behind the watermark that was passed on */
        for (uint32_t k = 0; k < AGGREGATES; k++) {
            struct wr_value v = wr_vector_at(&batch->column[3 + k], r);
            print_value(result->text[k], (enum wr_class)v.cls, &v);
        }
    }
}
void wr_operator_emit_watermark(struct wr_operator *op, int64_t watermark)
{
    WR_UNUSED(op);
    passed_on = WR_MAX(passed_on, watermark);
}
void wr_operator_refuse_late(struct wr_operator *op, const struct wr_batch *batch, uint32_t row)
{
    WR_UNUSED(op);
    WR_UNUSED(batch);
    wr_buf_printf(&refused, "%u ", batch_start + row);
}
void wr_operator_count_error(struct wr_operator *op, const struct wr_batch *batch, uint32_t row, enum wr_reason reason,
                             const char *what)
{
    WR_UNUSED(op);
    WR_UNUSED(batch);
    WR_UNUSED(row);
    WR_UNUSED(reason);
    assert_true(strcmp(what, "k") == 0 || strcmp(what, "a") == 0);
    errors_counted++;
}
void wr_operator_count(struct wr_operator *op, const char *reason, const char *code, struct wr_place place)
{
    WR_UNUSED(op);
    WR_UNUSED(reason);
    WR_UNUSED(code);
    WR_UNUSED(place);
}
uint64_t wr_task_hash_seed(const struct wr_task *task)
{
    WR_UNUSED(task);
    return 99;
}
void wr_limits_check_operator(struct wr_operator *op) { WR_UNUSED(op); }
bool wr_task_halted(struct wr_task *task) { return task == (void *)1; }
void wr_task_fail(struct wr_task *task, const struct wr_error *error)
{
    WR_UNUSED(task);
    assert_int_equal(error->status, WR_ERR_LIMIT);
    errors_counted++;
}

/* ---- The program ---------------------------------------------------------------------------------------- */

static const char *const names[] = {"k", "window_start", "window_end"};
static struct wr_aggregate aggregates[AGGREGATES];
static struct wr_schema_column columns[3 + AGGREGATES];
static const uint32_t key_column[] = {0};
static struct wr_node node;

static void make_node(int64_t size, int64_t slide, int64_t offset, int64_t late)
{
    struct wr_type i64 = wr_type_of(WR_KIND_BIGINT), f64 = wr_type_of(WR_KIND_DOUBLE), str = wr_type_of(WR_KIND_STRING);
    const struct wr_aggregate all[AGGREGATES] = {
        {.fn = WR_AGG_COUNT_ROWS, .column = WR_NONE, .type = i64},
        {.fn = WR_AGG_COUNT, .column = 1, .argument = i64, .type = i64},
        {.fn = WR_AGG_SUM, .column = 1, .argument = i64, .type = i64},
        {.fn = WR_AGG_AVG, .column = 1, .argument = i64, .type = f64},
        {.fn = WR_AGG_MIN, .column = 1, .argument = i64, .type = i64},
        {.fn = WR_AGG_MAX, .column = 2, .argument = f64, .type = f64},
        {.fn = WR_AGG_FIRST, .column = 4, .argument = str, .type = str},
        {.fn = WR_AGG_LAST, .column = 1, .argument = i64, .type = i64},
        {.fn = WR_AGG_SUM, .column = 2, .argument = f64, .type = f64},
        {.fn = WR_AGG_COUNT_DISTINCT, .column = 1, .argument = i64, .type = i64},
        {.fn = WR_AGG_STRING_AGG, .column = 4, .column2 = 4, .argument = str, .type = str},
        {.fn = WR_AGG_COUNT_ROWS, .column = WR_NONE, .filter = 3, .type = i64},
    };
    for (uint32_t i = 0; i < AGGREGATES; i++) {
        aggregates[i] = all[i];
        if (!all[i].column2) aggregates[i].column2 = WR_NONE;
        if (!all[i].filter) aggregates[i].filter = WR_NONE;
        columns[3 + i] = (struct wr_schema_column){"a", all[i].type};
    }
    columns[0] = (struct wr_schema_column){names[0], str};
    columns[1] = (struct wr_schema_column){names[1], wr_type_of(WR_KIND_TIMESTAMP)};
    columns[2] = (struct wr_schema_column){names[2], wr_type_of(WR_KIND_TIMESTAMP)};
    node = (struct wr_node){.kind = WR_NODE_WINDOW, .name = "w", .schema = {3 + AGGREGATES, columns}};
    node.u.window = (struct wr_window_node){.size_us = size, .slide_us = slide, .offset_us = offset, .late_us = late,
                                            .key_count = 1, .key = key_column, .aggregate_count = AGGREGATES,
                                            .aggregate = aggregates};
}

/* ---- The same again, naively ------------------------------------------------------------------------------ */

static const char *text_of(int key, int64_t x)
{
    static char text[2][32];
    static int turn;
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "%c%lld", 'A' + (key + 26) % 26, (long long)(x % 10));
    return text[turn];
}

/* One value that is an error makes the row bad: it takes no part at all. */
static bool is_bad(const struct row *r)
{
    return r->key == -2 || r->x_flag == WR_FLAG_ERROR || r->flag_flag == WR_FLAG_ERROR;
}

static bool contains(const struct row *r, int64_t start, int64_t end, int64_t late)
{
    return r->event >= start && r->event < end && end + late > r->time && !is_bad(r);
}

static void compute(struct result *out, const struct row *first, const struct row *last, int64_t late)
{
    uint64_t all = 0, count = 0, filtered = 0, distinct = 0;
    wr_i128 sum = 0;
    int64_t low = 0, latest = 0, members[ROWS];
    double greatest = 0, total = 0;
    char joined[64] = "", first_text[32] = "";
    struct wr_buf text = {0};
    for (const struct row *r = first; r < last; r++) {
        if (r->key != out->key || !contains(r, out->start, out->end, late)) continue;
        const char *s = text_of(r->key, r->x);
        if (all == 0) snprintf(first_text, sizeof first_text, "%s", s);
        if (all) wr_buf_add_cstr(&text, s); /* each text separates itself from the one before */
        wr_buf_add_cstr(&text, s);
        greatest = all == 0 || r->f > greatest ? r->f : greatest;
        total += r->f;
        all++;
        if (r->flag_flag == WR_FLAG_VALUE && r->flag) filtered++;
        if (r->x_flag) continue;
        low = count == 0 || r->x < low ? r->x : low;
        sum += r->x;
        latest = r->x;
        uint64_t m = 0;
        while (m < distinct && members[m] != r->x) m++;
        if (m == distinct) members[distinct++] = r->x;
        count++;
    }
    struct wr_slice whole = wr_buf_slice(&text);
    snprintf(joined, sizeof joined, "%.*s", (int)WR_MIN(whole.size, 60u), whole.size ? whole.data : "");
    bool none = count == 0;
    snprintf(out->text[0], 64, "%llu", (unsigned long long)all);
    const char *bad = none ? "NULL" : NULL;
    for (int k = 1; k <= 4; k++) snprintf(out->text[k], 64, "%s", bad ? bad : "");
    snprintf(out->text[1], 64, "%llu", (unsigned long long)count);
    if (!bad) {
        snprintf(out->text[2], 64, "%lld", (long long)sum);
        snprintf(out->text[3], 64, "%.12g", (double)sum / (double)count);
        snprintf(out->text[4], 64, "%lld", (long long)low);
    }
    snprintf(out->text[5], 64, "%.12g", greatest);
    snprintf(out->text[6], 64, "%s", first_text);
    if (bad) snprintf(out->text[7], 64, "%s", bad);
    else snprintf(out->text[7], 64, "%lld", (long long)latest);
    snprintf(out->text[8], 64, "%.12g", total);
    snprintf(out->text[9], 64, "%llu", (unsigned long long)distinct);
    snprintf(out->text[10], 64, "%s", joined);
    snprintf(out->text[11], 64, "%llu", (unsigned long long)filtered);
    wr_buf_release(&text);
}

/* All results in their order: by end, then by the key's first row in the window. */
static void recompute(struct results *out, uint32_t n)
{
    const struct wr_window_node *w = &node.u.window;
    int64_t least = INT64_MAX, most = INT64_MIN;
    for (uint32_t i = 0; i < n; i++) {
        least = WR_MIN(least, rows[i].event);
        most = WR_MAX(most, rows[i].event);
    }
    int64_t start = w->offset_us;
    while (start + w->size_us > least) start -= w->slide_us;
    out->count = 0;
    for (; start <= most; start += w->slide_us) {
        bool seen[KEYS + 1] = {false};
        for (uint32_t i = 0; i < n; i++) {
            if (!contains(&rows[i], start, start + w->size_us, w->late_us) || seen[rows[i].key + 1]) continue;
            seen[rows[i].key + 1] = true;
            struct result *result = &out->at[out->count++];
            *result = (struct result){.start = start, .end = start + w->size_us, .key = rows[i].key,
                                      .time = start + w->size_us + w->late_us};
            compute(result, rows + i, rows + n, w->late_us);
        }
    }
    wr_buf_clear(&expected_refused);
    for (uint32_t i = 0; i < n; i++) {
        bool any = false, taken = false;
        int64_t s = w->offset_us;
        while (s + w->size_us > rows[i].event) s -= w->slide_us;
        for (; s <= rows[i].event; s += w->slide_us) {
            any = any || (rows[i].event >= s && rows[i].event < s + w->size_us);
            taken = taken || contains(&rows[i], s, s + w->size_us, w->late_us);
        }
        if (any && !taken && !is_bad(&rows[i])) wr_buf_printf(&expected_refused, "%u ", i);
    }
}

/* ---- Running it -------------------------------------------------------------------------------------------- */

static void make_rows(uint32_t n, int64_t size)
{
    int64_t time = random_below(2) ? -5 * size : random_below(1000);
    for (uint32_t i = 0; i < n; i++) {
        struct row *r = &rows[i];
        if (random_below(3)) time += random_below(size / 2 + 2);
        *r = (struct row){.time = time, .event = time, .key = (int)random_below(KEYS + 1) - 1, .x = random_below(20) - 9,
                          .f = (double)random_below(1000) / 8, .flag = random_below(2)};
        if (random_below(4) == 0) r->event -= random_below(3 * size);
        if (random_below(10) == 0) r->x_flag = random_below(10) ? WR_FLAG_NULL : WR_FLAG_ERROR;
        if (random_below(20) == 0) r->flag_flag = random_below(10) ? WR_FLAG_NULL : WR_FLAG_ERROR;
        if (random_below(50) == 0) r->key = -2;
    }
}

static struct wr_batch_builder input;

static void make_batch(uint32_t from, uint32_t count)
{
    static const char *const keys[] = {"ka", "kb", "kc", "kd", "ke", "kf", "kg", "kh", "ki which is a long one"};
    wr_batch_builder_clear(&input);
    for (uint32_t i = 0; i < count; i++) {
        const struct row *r = &rows[from + i];
        struct wr_value key = {.cls = WR_CLASS_STR}, x = {.cls = WR_CLASS_I64}, f = {.cls = WR_CLASS_F64};
        struct wr_value flag = {.cls = WR_CLASS_BOOL}, text = {.cls = WR_CLASS_STR};
        if (r->key >= 0) key.u.str = wr_slice_cstr(keys[r->key]);
        else key.flag = r->key == -1 ? WR_FLAG_NULL : WR_FLAG_ERROR;
        x.u.i64 = r->x;
        x.flag = (uint8_t)r->x_flag;
        f.u.f64 = r->f;
        flag.u.boolean = r->flag;
        flag.flag = (uint8_t)r->flag_flag;
        text.u.str = wr_slice_cstr(text_of(r->key, r->x));
        const struct wr_value *all[] = {&key, &x, &f, &flag, &text};
        for (uint32_t c = 0; c < 5; c++) wr_batch_builder_put(&input, c, i, all[c], true);
        input.time[i] = input.place_time[i] = r->time;
        input.event_time[i] = r->event;
        if (r->event < r->time) {
            input.batch.any_late = true;
            wr_bit_set(input.batch.late, i);
        }
    }
    input.batch.rows = count;
}

struct entries {
    struct wr_buf bytes;
    size_t end[4096];
    uint32_t count; /* of ends: key, value, key, value … */
};

static void keep_entry(void *context, struct wr_slice key, struct wr_slice value)
{
    struct entries *e = context;
    wr_buf_add_slice(&e->bytes, key);
    e->end[e->count++] = e->bytes.size;
    wr_buf_add_slice(&e->bytes, value);
    e->end[e->count++] = e->bytes.size;
}

static void reload(struct wr_operator *op)
{
    static struct entries before, after;
    wr_buf_clear(&before.bytes);
    wr_buf_clear(&after.bytes);
    before.count = after.count = 0;
    op->cls->save_all(op, keep_entry, &before);
    op->cls->clear(op);
    struct wr_operator_size size;
    op->cls->measure(op, &size);
    assert_true(size.keys == 0 && size.starts == 0);
    size_t from = 0;
    for (uint32_t i = 0; i < before.count; i += 2) {
        struct wr_slice key = wr_slice_of(before.bytes.data + from, before.end[i] - from);
        struct wr_slice value = wr_slice_of(before.bytes.data + before.end[i], before.end[i + 1] - before.end[i]);
        assert_true(op->cls->load(op, key, value));
        from = before.end[i + 1];
    }
    op->cls->measure(op, &size);
    assert_int_equal(size.keys, before.count / 2);
    op->cls->save_all(op, keep_entry, &after);
    assert_int_equal(after.count, before.count);
    assert_true(wr_slice_equal(wr_buf_slice(&before.bytes), wr_buf_slice(&after.bytes)));
    wr_buf_release(&before.bytes);
    wr_buf_release(&after.bytes);
}

static struct wr_operator *start(void)
{
    struct wr_operator *op = wr_window_operator.create(NULL, &node);
    wr_timers_init(&op->timers);
    passed_on = WR_TIME_MIN;
    errors_counted = 0;
    wr_buf_clear(&refused);
    return op;
}

static void stop(struct wr_operator *op)
{
    wr_timers_release(&op->timers);
    op->cls->free(op);
}

static uint32_t due(const struct results *all, int64_t time)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < all->count; i++) n += all->at[i].time <= time;
    return n;
}

static void compare(const struct results *expected, uint32_t n)
{
    assert_int_equal(got.count, n);
    for (uint32_t i = 0; i < n; i++) {
        const struct result *a = &expected->at[i], *b = &got.at[i];
        assert_true(a->end == b->end);
        assert_true(a->start == b->start && a->time == b->time);
        assert_int_equal(a->key, b->key);
        for (uint32_t k = 0; k < AGGREGATES; k++) assert_string_equal(b->text[k], a->text[k]);
    }
}

static void run_one(void)
{
    static const struct wr_type types[5] = {{.kind = WR_KIND_STRING}, {.kind = WR_KIND_BIGINT}, {.kind = WR_KIND_DOUBLE},
                                            {.kind = WR_KIND_BOOLEAN}, {.kind = WR_KIND_STRING}};
    int64_t size = 1 + random_below(60), slide = random_below(2) ? size : 1 + random_below(2 * size);
    uint32_t n = (uint32_t)(1 + random_below(random_below(3) ? 100 : ROWS));
    bool reloads = random_below(2);
    make_node(size, slide, random_below(3) ? 0 : random_below(2 * size) - size, random_below(2) ? 0 : random_below(2 * size));
    make_rows(n, size);
    struct results expected = {.at = wr_alloc_zero(sizeof(struct result) * ROWS * 80)};
    got = (struct results){.at = wr_alloc_zero(sizeof(struct result) * ROWS * 80)};
    recompute(&expected, n);
    wr_batch_builder_init(&input, types, 5, false);
    struct wr_operator *op = start();
    uint32_t bad = 0;
    for (uint32_t from = 0; from < n;) {
        uint32_t count = (uint32_t)(1 + random_below(random_below(2) ? 5 : 200));
        count = WR_MIN(count, n - from);
        make_batch(from, count);
        for (uint32_t i = 0; i < count; i++) bad += is_bad(&rows[from + i]);
        batch_start = from;
        op->cls->on_batch(op, 0, &input.batch);
        from += count;
        int64_t last = rows[from - 1].time;
        /* A bad row moves nothing: the next watermark does. */
        if (!is_bad(&rows[from - 1])) assert_int_equal(got.count, due(&expected, last));
        if (random_below(3) == 0) {
            int64_t w = from < n ? last + random_below(rows[from].time - last + 1) : last;
            op->cls->on_watermark(op, 0, w);
            assert_int_equal(got.count, due(&expected, w));
            assert_true(passed_on <= w - node.u.window.late_us);
        }
        if (reloads && random_below(2)) reload(op);
    }
    op->cls->on_watermark(op, 0, WR_TIME_MAX);
    assert_true(passed_on == WR_TIME_MAX);
    compare(&expected, expected.count);
    assert_int_equal(errors_counted, bad);
    assert_true(wr_slice_equal(wr_buf_slice(&refused), wr_buf_slice(&expected_refused)));
    struct wr_operator_size left;
    op->cls->measure(op, &left);
    assert_true(left.keys == 0 && left.starts == 0);
    stop(op);
    wr_batch_builder_release(&input);
    wr_free(expected.at);
    wr_free(got.at);
}

static void results_are_those_of_a_list_of_rows(void **state)
{
    WR_UNUSED(state);
    for (int i = 0; i < 400; i++) {
        random_state = (uint64_t)i * 1000003 + 17;
        run_one();
    }
    wr_buf_release(&refused);
    wr_buf_release(&expected_refused);
}

static void windows_that_come_and_go_allocate_nothing(void **state)
{
    WR_UNUSED(state);
    static const struct wr_type types[5] = {{.kind = WR_KIND_STRING}, {.kind = WR_KIND_BIGINT}, {.kind = WR_KIND_DOUBLE},
                                            {.kind = WR_KIND_BOOLEAN}, {.kind = WR_KIND_STRING}};
    make_node(60, 20, 0, 10);
    wr_batch_builder_init(&input, types, 5, false);
    got = (struct results){0};
    struct wr_operator *op = start();
    wr_buf_reserve(&refused, 1 << 20);
    for (int64_t round = 0; round < 300; round++) {
        for (uint32_t i = 0; i < ROWS; i++)
            rows[i] = (struct row){.time = round * 100 + i / 6, .event = round * 100 + i / 6 - i % 3, .key = (int)i % KEYS,
                                   .x = i % 11, .f = 1, .flag = i % 2};
        make_batch(0, ROWS);
        uint64_t before = wr_alloc_count();
        op->cls->on_batch(op, 0, &input.batch);
        op->cls->on_watermark(op, 0, rows[ROWS - 1].time);
        if (round > 50) assert_int_equal(wr_alloc_count() - before, 0);
    }
    stop(op);
    wr_batch_builder_release(&input);
    wr_buf_release(&refused);
}

static void keys_that_never_come_back_are_let_go(void **state)
{
    WR_UNUSED(state);
    static const struct wr_type types[5] = {{.kind = WR_KIND_STRING}, {.kind = WR_KIND_BIGINT}, {.kind = WR_KIND_DOUBLE},
                                            {.kind = WR_KIND_BOOLEAN}, {.kind = WR_KIND_STRING}};
    make_node(100, 100, 0, 0);
    wr_batch_builder_init(&input, types, 5, false);
    got = (struct results){0};
    struct wr_operator *op = start();
    struct wr_operator_size size;
    uint64_t bytes = 0;
    for (uint32_t round = 0; round < 400; round++) {
        for (uint32_t i = 0; i < ROWS; i++) rows[i] = (struct row){.time = round * 100 + i / 6, .event = round * 100 + i / 6};
        make_batch(0, ROWS);
        char text[ROWS][16];
        for (uint32_t i = 0; i < ROWS; i++) {
            snprintf(text[i], sizeof text[i], "%u", round * ROWS + i);
            input.column[0].u.str[i] = wr_slice_cstr(text[i]);
        }
        op->cls->on_batch(op, 0, &input.batch);
        op->cls->measure(op, &size);
        assert_int_equal(size.keys, ROWS);
        if (round == 100) bytes = size.bytes;
    }
    assert_true(size.bytes <= bytes + bytes / 4);
    stop(op);
    wr_batch_builder_release(&input);
}

static void a_key_that_comes_back_stands_where_it_came_back(void **state)
{
    WR_UNUSED(state);
    static const struct wr_type types[5] = {{.kind = WR_KIND_STRING}, {.kind = WR_KIND_BIGINT}, {.kind = WR_KIND_DOUBLE},
                                            {.kind = WR_KIND_BOOLEAN}, {.kind = WR_KIND_STRING}};
    make_node(100, 100, 0, 0);
    wr_batch_builder_init(&input, types, 5, false);
    got = (struct results){0};
    struct wr_operator *op = start();
    const int keys[6] = {0, 1, 2, 2, 1, 0}; /* the last three in the second window */
    for (uint32_t i = 0; i < 6; i++) rows[i] = (struct row){.time = i / 3 * 100, .event = i / 3 * 100, .key = keys[i]};
    make_batch(0, 6);
    op->cls->on_batch(op, 0, &input.batch);
    static struct entries saved;
    op->cls->save_all(op, keep_entry, &saved);
    assert_int_equal(saved.count, 6);
    assert_memory_equal(saved.bytes.data, "\1\2kc", 4);
    assert_memory_equal(saved.bytes.data + saved.end[1], "\1\2kb", 4);
    assert_memory_equal(saved.bytes.data + saved.end[3], "\1\2ka", 4);
    wr_buf_release(&saved.bytes);
    stop(op);
    wr_batch_builder_release(&input);
}

static void a_damaged_state_is_refused(void **state)
{
    WR_UNUSED(state);
    static const struct wr_type types[5] = {{.kind = WR_KIND_STRING}, {.kind = WR_KIND_BIGINT}, {.kind = WR_KIND_DOUBLE},
                                            {.kind = WR_KIND_BOOLEAN}, {.kind = WR_KIND_STRING}};
    make_node(1000, 500, 0, 0);
    wr_batch_builder_init(&input, types, 5, false);
    got = (struct results){0};
    struct wr_operator *op = start();
    random_state = 5;
    make_rows(40, 100);
    make_batch(0, 40);
    op->cls->on_batch(op, 0, &input.batch);
    static struct entries saved;
    op->cls->save_all(op, keep_entry, &saved);
    assert_true(saved.count >= 2);
    struct wr_slice key = wr_slice_of(saved.bytes.data, saved.end[0]);
    size_t size = saved.end[1] - saved.end[0];
    for (size_t cut = 0; cut <= size; cut++) {
        op->cls->clear(op);
        char *copy = wr_alloc(cut); /* of its own, so that a sanitizer sees what is read past the end */
        memcpy(copy, saved.bytes.data + saved.end[0], cut);
        assert_int_equal(op->cls->load(op, key, wr_slice_of(copy, cut)), cut == size);
        wr_free(copy);
    }
    assert_false(op->cls->load(op, key, wr_slice_of(saved.bytes.data + saved.end[0], size))); /* twice */
    assert_false(op->cls->load(op, wr_slice_of("\1\5abc", 5), wr_slice_of(saved.bytes.data + saved.end[0], size)));
    wr_buf_release(&saved.bytes);
    wr_buf_release(&refused);
    stop(op);
    wr_batch_builder_release(&input);
}

static void too_many_windows_a_row_are_refused(void **state)
{
    WR_UNUSED(state);
    make_node(86400000000, 1, 0, 0);
    errors_counted = 0;
    struct wr_operator *op = wr_window_operator.create(NULL, &node);
    assert_int_equal(errors_counted, 1);
    op->cls->free(op);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(results_are_those_of_a_list_of_rows),
        cmocka_unit_test(windows_that_come_and_go_allocate_nothing),
        cmocka_unit_test(keys_that_never_come_back_are_let_go),
        cmocka_unit_test(a_key_that_comes_back_stands_where_it_came_back),
        cmocka_unit_test(a_damaged_state_is_refused),
        cmocka_unit_test(too_many_windows_a_row_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
