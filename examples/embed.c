/* The library in a program of one's own: compile a text, run it over a file, take the results by callback.
 *
 *   cc -I. -o embed examples/embed.c build/release/libweir.a -llmdb -pthread -lsimdjson -lstdc++ -lpcre2-8 -lzstd -llz4 -lz -ljansson -lm
 *   ./embed payments.jsonl */
#include "include/weir.h"

#include <stdio.h>
#include <string.h>

static const char text[] = "CREATE STREAM payments (card STRING KEY, amount DOUBLE, at TIMESTAMP, WATERMARK FOR at AS at);\n"
                           "SELECT card, amount FROM payments WHERE amount > 500;\n";

static int on_output(void *context, const char *lines, size_t size)
{
    (void)context;
    return fwrite(lines, 1, size, stdout) != size;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: embed FILE\n");
        return 2;
    }
    weir_program *program = NULL;
    weir_text *diagnostics = NULL;
    if (weir_compile("embed", text, strlen(text), NULL, &program, &diagnostics) != WEIR_OK) {
        fputs(weir_text_data(diagnostics), stderr);
        weir_text_free(diagnostics);
        return 3;
    }
    weir_text_free(diagnostics);

    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.on_output = on_output;
    weir_engine *engine = NULL;
    weir_error error = {WEIR_OK, ""};
    weir_status status = weir_engine_open(program, &options, &engine, &error);
    if (status == WEIR_OK) status = weir_engine_bind_input(engine, "payments", argv[1], &error);
    if (status == WEIR_OK) status = weir_engine_run(engine, &error);
    if (status != WEIR_OK) fprintf(stderr, "embed: %s\n", error.message);
    weir_engine_close(engine);
    weir_program_free(program);
    return (int)status;
}
