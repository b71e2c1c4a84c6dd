/* Programs and tests inside Markdown: what stands between ``` and ```. */
#include "base/text.h"
#include "cli/wtest.h"

static size_t ticks(struct wr_slice line, size_t *indent)
{
    size_t i = 0;
    while (i < line.size && line.data[i] == ' ' && i < 3) i++;
    *indent = i;
    size_t n = 0;
    while (i + n < line.size && line.data[i + n] == '`') n++;
    return n >= 3 ? n : 0;
}

static struct wr_slice trim(struct wr_slice s)
{
    while (s.size && (s.data[0] == ' ' || s.data[0] == '\t'))
        s = wr_slice_of(s.data + 1, s.size - 1);
    while (s.size && (s.data[s.size - 1] == ' ' || s.data[s.size - 1] == '\r')) s.size--;
    return s;
}

bool wr_fence_next(struct wr_slice *rest, uint32_t *line, struct wr_fence *fence)
{
    struct wr_slice one;
    size_t indent, open = 0;
    while (!open) {
        if (!wr_test_next_line(rest, &one)) return false;
        ++*line;
        open = ticks(one, &indent);
    }
    struct wr_slice info = trim(wr_slice_of(one.data + indent + open, one.size - indent - open));
    size_t n = 0;
    while (n < info.size && info.data[n] != ' ') n++;
    fence->language = wr_slice_of(info.data, n);
    fence->info = trim(wr_slice_of(info.data + n, info.size - n));
    fence->line = *line;
    const char *from = rest->data, *end = rest->data;
    while (wr_test_next_line(rest, &one)) {
        ++*line;
        size_t close = ticks(one, &indent);
        if (close >= open &&
            trim(wr_slice_of(one.data + indent + close, one.size - indent - close)).size == 0)
            break;
        end = rest->data;
    }
    fence->text = wr_slice_of(from, (size_t)(end - from));
    return true;
}

static bool says(struct wr_slice info, const char *word)
{
    size_t size = strlen(word);
    for (size_t i = 0; i + size <= info.size; i++)
        if (memcmp(info.data + i, word, size) == 0 && (i == 0 || info.data[i - 1] == ' ') &&
            (i + size == info.size || info.data[i + size] == ' '))
            return true;
    return false;
}

bool wr_fence_is_program(const struct wr_fence *fence)
{
    bool language = wr_slice_equal(fence->language, WR_SLICE("sql")) ||
                    wr_slice_equal(fence->language, WR_SLICE("weir"));
    return language && !says(fence->info, "ignore");
}

bool wr_fence_has_errors(const struct wr_fence *fence)
{
    return says(fence->info, "errors");
}

bool wr_fence_continues(const struct wr_fence *fence)
{
    return says(fence->info, "continues");
}

void wr_fence_program(const struct wr_fence *fence, struct wr_buf *so_far)
{
    if (!wr_fence_continues(fence)) wr_buf_clear(so_far);
    uint32_t line = 1;
    for (size_t i = 0; i < so_far->size; i++) line += so_far->data[i] == '\n';
    for (; line < fence->line; line++) wr_buf_add_char(so_far, '\n');
    wr_buf_add_slice(so_far, fence->text);
}

void wr_test_parse_markdown(struct wr_test_file *file, struct wr_slice text)
{
    struct wr_buf program = {0};
    struct wr_fence fence;
    uint32_t line = 1;
    const char *kept = NULL;
    text = wr_test_behind_mark(text);
    while (wr_fence_next(&text, &line, &fence)) {
        if (wr_fence_is_program(&fence)) {
            wr_fence_program(&fence, &program);
            kept = wr_arena_cstr(&file->arena, wr_buf_slice(&program));
        } else if (wr_slice_equal(fence.language, WR_SLICE("wtest"))) {
            wr_test_parse(file, fence.text, fence.line, kept, 1);
        }
    }
    wr_buf_release(&program);
}
