/* weir fmt: the one canonical layout. */
#include "cli/language.h"
#include "cli/wtest.h"
#include "dsl/fmt.h"

/* What becomes of the text of a file once it is laid out. */
static int give(struct wr_args *args, const char *path, struct wr_slice before,
                struct wr_slice after)
{
    bool same = wr_slice_equal(before, after);
    if (wr_args_has(args, WR_OPTION_CHECK)) {
        if (!same) printf("%s\n", path);
        return same ? WR_EXIT_DONE : WR_EXIT_NO;
    }
    if (!wr_args_has(args, WR_OPTION_WRITE)) wr_put_out(after);
    else if (!same && !wr_write_file(path, after)) return WR_EXIT_IO;
    return WR_EXIT_DONE;
}

static int format_test(struct wr_args *args, const char *path)
{
    struct wr_buf text = {0}, out = {0};
    const char *why;
    uint32_t line;
    int code;
    if (wr_read_file(path, &text, &code))
        code = wr_test_format(wr_buf_slice(&text), &out, &why, &line)
                   ? give(args, path, wr_buf_slice(&text), wr_buf_slice(&out))
                   : wr_fail(WR_EXIT_PROGRAM, "%s:%u: %s", path, line, why);
    wr_buf_release(&text);
    wr_buf_release(&out);
    return code;
}

static int refuse(struct wr_args *args, struct wr_language *language)
{
    struct wr_buf out = {0};
    wr_diags_render(&language->diags, args->color, &out);
    fwrite(out.data, 1, out.size, stderr);
    wr_buf_release(&out);
    return WR_EXIT_PROGRAM;
}

static int format_one(struct wr_args *args, const char *path)
{
    struct wr_language language;
    struct wr_buf out = {0};
    int code;
    wr_language_init(&language);
    if (wr_language_read(&language, path, &code)) {
        struct wr_slice text = language.sources.at[language.file].text;
        bool ok = wr_fmt(&language.arena, &language.diags, language.file, wr_args_has(args, WR_OPTION_EXPAND), &out);
        code = ok ? give(args, path, text, wr_buf_slice(&out)) : refuse(args, &language);
    }
    wr_buf_release(&out);
    wr_language_release(&language);
    return code;
}

/* ---- Markdown: its programs and tests, and nothing else ------------------------------------------ */

/* Appends a fence's text laid out; the exit code, after a message. */
static int format_fence(struct wr_args *args, const char *path, const struct wr_fence *fence, struct wr_buf *out)
{
    if (wr_slice_equal(fence->language, WR_SLICE("wtest"))) {
        const char *why;
        uint32_t line;
        if (wr_test_format(fence->text, out, &why, &line)) return WR_EXIT_DONE;
        return wr_fail(WR_EXIT_PROGRAM, "%s:%u: %s", path, fence->line + line - 1, why);
    }
    struct wr_language language;
    wr_language_init(&language);
    language.file = wr_sources_add(&language.sources, wr_slice_cstr(path), fence->text);
    language.sources.at[language.file].line_shift = fence->line - 1;
    bool ok = wr_fmt(&language.arena, &language.diags, language.file, wr_args_has(args, WR_OPTION_EXPAND), out);
    int code = ok ? WR_EXIT_DONE : refuse(args, &language);
    wr_language_release(&language);
    return code;
}

/* Lines with the ends that the text's first line had: CRLF stays so. */
static void add_with_ends(struct wr_buf *out, struct wr_slice lines, struct wr_slice before)
{
    const char *first = before.size ? memchr(before.data, '\n', before.size) : NULL;
    bool carriage = first && first > before.data && first[-1] == '\r';
    for (size_t i = 0; i < lines.size; i++) {
        if (carriage && lines.data[i] == '\n') wr_buf_add_char(out, '\r');
        wr_buf_add_char(out, lines.data[i]);
    }
}

static int format_markdown(struct wr_args *args, const char *path)
{
    struct wr_buf text = {0}, out = {0};
    struct wr_fence fence;
    uint32_t line = 1;
    int code;
    if (wr_read_file(path, &text, &code)) {
        struct wr_slice rest = wr_buf_slice(&text);
        const char *from = rest.data;
        code = WR_EXIT_DONE;
        while (code == WR_EXIT_DONE && wr_fence_next(&rest, &line, &fence)) {
            bool program = wr_fence_is_program(&fence) && !wr_fence_has_errors(&fence);
            if (!program && !wr_slice_equal(fence.language, WR_SLICE("wtest"))) continue;
            wr_buf_add(&out, from, (size_t)(fence.text.data - from));
            struct wr_buf laid = {0};
            code = format_fence(args, path, &fence, &laid);
            add_with_ends(&out, wr_buf_slice(&laid), fence.text);
            wr_buf_release(&laid);
            from = fence.text.data + fence.text.size;
        }
        if (code == WR_EXIT_DONE) {
            wr_buf_add(&out, from, (size_t)(text.data + text.size - from));
            code = give(args, path, wr_buf_slice(&text), wr_buf_slice(&out));
        }
    }
    wr_buf_release(&text);
    wr_buf_release(&out);
    return code;
}

static int format_path(struct wr_args *args, const char *path)
{
    if (wr_path_ends(path, ".wtest")) return format_test(args, path);
    return wr_path_ends(path, ".md") ? format_markdown(args, path) : format_one(args, path);
}

int wr_cli_fmt(struct wr_args *args)
{
    static const char *const ends[] = {".weir", ".wtest", NULL};
    if (args->positional.count == 0)
        return wr_fail(WR_EXIT_USAGE, "fmt wants a program or a folder ('-' is standard input)");
    int worst = WR_EXIT_DONE;
    for (size_t i = 0; i < args->positional.count; i++) {
        struct wr_paths paths = {0};
        bool folder = wr_is_folder(args->positional.at[i]);
        if (folder && !wr_args_has(args, WR_OPTION_CHECK) && !wr_args_has(args, WR_OPTION_WRITE))
            return wr_fail(WR_EXIT_USAGE, "%s is a folder: --check looks at its files, -w rewrites them",
                           args->positional.at[i]);
        wr_paths_add(&paths, args->positional.at[i], ends);
        for (size_t k = 0; k < paths.list.count; k++) {
            int code = format_path(args, paths.list.at[k]);
            worst = WR_MAX(worst, code);
        }
        wr_paths_release(&paths);
    }
    return worst;
}
