/* What the tools of the language (check, explain, fmt) share: a text parsed and compiled with its diagnostics. */
#ifndef WR_CLI_LANGUAGE_H
#define WR_CLI_LANGUAGE_H

#include "cli/cli.h"
#include "compiler/compile.h"

struct wr_language {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    uint32_t file;
    struct wr_slice edited, edited_text; /* the file of this name reads so, whatever it holds; empty: none does */
};

void wr_language_init(struct wr_language *language);
void wr_language_release(struct wr_language *language);
/* Reads a file as a further source. false after a message; *code is the exit code. */
bool wr_language_read(struct wr_language *language, const char *path, int *code);
/* The tree of the source last read, with what it includes; errors are in diags. */
struct wr_tree wr_language_parse(struct wr_language *language);
/* Parses the source last read, with what it includes, and compiles it; NULL when it has errors (in diags). */
struct wr_program *wr_language_compile(struct wr_language *language, const struct wr_args *args);

#endif
