/* Any bytes: the parser ends, with a tree or with errors; what parses has a layout that parses to itself. */
#include "dsl/fmt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Formats; false when it does not parse. */
static bool layout(struct wr_slice text, bool expand, struct wr_buf *out)
{
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    wr_arena_init(&arena);
    wr_sources_init(&sources, &arena);
    wr_diags_init(&diags, &arena, &sources);
    uint32_t file = wr_sources_add(&sources, WR_SLICE("fuzz.weir"), text);
    bool ok = wr_fmt(&arena, &diags, file, expand, out);
    if (!ok) {
        struct wr_buf rendered = {0};
        wr_diags_render(&diags, true, &rendered);
        wr_diags_render_json(&diags, &rendered);
        wr_buf_release(&rendered);
    }
    wr_arena_release(&arena);
    return ok;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_buf once = {0}, twice = {0}, expanded = {0};
    if (layout(wr_slice_of((const char *)data, size), false, &once)) {
        WR_ASSERT(layout(wr_buf_slice(&once), false, &twice));
        WR_ASSERT(wr_slice_equal(wr_buf_slice(&once), wr_buf_slice(&twice)));
        wr_buf_clear(&twice);
        WR_ASSERT(layout(wr_buf_slice(&once), true, &expanded));
        WR_ASSERT(layout(wr_buf_slice(&expanded), false, &twice));
    }
    wr_buf_release(&once);
    wr_buf_release(&twice);
    wr_buf_release(&expanded);
    return 0;
}
