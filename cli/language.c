/* Texts of the language for check, explain and fmt. */
#include "cli/language.h"

#include <errno.h>

void wr_language_init(struct wr_language *language)
{
    wr_arena_init(&language->arena);
    wr_sources_init(&language->sources, &language->arena);
    wr_diags_init(&language->diags, &language->arena, &language->sources);
    language->file = 0;
    language->edited = language->edited_text = WR_SLICE("");
}

static bool is_edited(const struct wr_language *language, struct wr_slice name)
{
    return language->edited.size && wr_slice_equal(language->edited, name);
}

void wr_language_release(struct wr_language *language)
{
    wr_arena_release(&language->arena);
}

bool wr_language_read(struct wr_language *language, const char *path, int *code)
{
    struct wr_buf text = {0};
    if (is_edited(language, wr_slice_cstr(path))) {
        language->file = wr_sources_add(&language->sources, wr_slice_cstr(path), language->edited_text);
        return true;
    }
    bool ok = wr_read_file(path, &text, code);
    if (ok) language->file = wr_sources_add(&language->sources, wr_slice_cstr(path), wr_buf_slice(&text));
    wr_buf_release(&text);
    return ok;
}

/* INCLUDE looks from the folder of the file that includes. */
static bool include_file(void *context, struct wr_arena *arena, struct wr_slice from, struct wr_slice name,
                         struct wr_slice *full_name, struct wr_slice *text, struct wr_slice *why)
{
    const struct wr_language *language = context;
    size_t folder = from.size;
    while (folder > 0 && from.data[folder - 1] != '/') folder--;
    if (name.size && name.data[0] == '/') folder = 0;
    *full_name = wr_arena_printf(arena, "%.*s%.*s", (int)folder, from.data, WR_SLICE_ARG(name));
    if (is_edited(language, *full_name)) {
        *text = wr_arena_copy(arena, language->edited_text);
        return true;
    }
    FILE *file = fopen(full_name->data, "rb");
    struct wr_buf buf = {0};
    size_t n = 1;
    while (file && n > 0) {
        n = fread(wr_buf_reserve(&buf, 65536), 1, 65536, file);
        buf.size += n;
    }
    bool ok = file && !ferror(file);
    if (!ok) *why = wr_arena_copy(arena, wr_slice_cstr(strerror(errno)));
    else *text = wr_arena_copy(arena, wr_buf_slice(&buf));
    if (file) fclose(file);
    wr_buf_release(&buf);
    return ok;
}

struct wr_tree wr_language_parse(struct wr_language *language)
{
    return wr_parse(&language->arena, &language->diags, language->file, include_file, language);
}

struct wr_program *wr_language_compile(struct wr_language *language, const struct wr_args *args)
{
    struct wr_compile_options options = {.flink_dialect = wr_args_dialect(args)};
    struct wr_tree tree = wr_language_parse(language);
    return wr_compile(&tree, &language->diags, language->file, &options);
}
