/* compile_time: how long compiling a program takes, the median of many runs, in microseconds.
 *
 *   compile_time PROGRAM */
#include "include/weir.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { RUNS = 201 };

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    static char text[1 << 20];
    FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
    if (!file) {
        fprintf(stderr, "usage: compile_time PROGRAM\n");
        return 2;
    }
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    double took[RUNS];
    for (int i = 0; i < RUNS; i++) {
        struct timespec from, to;
        weir_program *program = NULL;
        weir_text *diagnostics = NULL;
        clock_gettime(CLOCK_MONOTONIC, &from);
        weir_status status = weir_compile(argv[1], text, size, NULL, &program, &diagnostics);
        clock_gettime(CLOCK_MONOTONIC, &to);
        if (status != WEIR_OK) {
            fputs(weir_text_data(diagnostics), stderr);
            return 3;
        }
        took[i] = (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
        weir_text_free(diagnostics);
        weir_program_free(program);
    }
    qsort(took, RUNS, sizeof took[0], compare);
    printf("%.1f\n", took[RUNS / 2]);
    return 0;
}
