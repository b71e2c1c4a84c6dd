/* Messages, whole files, standard output, usage texts. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

int wr_fail(int code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("weir: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    return code;
}

int wr_exit_of(weir_status status, const weir_error *error)
{
    if (status == WEIR_OK || status == WEIR_E_CLOSED) return WR_EXIT_DONE;
    if (status != WEIR_E_STOPPED && error && error->message[0]) wr_fail(0, "%s", error->message);
    else if (status == WEIR_E_MEMORY) fputs("weir: out of memory\n", stderr);
    return status == WEIR_E_MEMORY ? WR_EXIT_LIMIT : (int)status;
}

bool wr_read_file(const char *path, struct wr_buf *out, int *code)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    *code = WR_EXIT_USAGE;
    if (fd < 0) {
        wr_fail(0, "%s: %s", path, strerror(errno));
        return false;
    }
    bool ok = true;
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        wr_fail(0, "%s: is a folder, not a file", path);
        ok = false;
    }
    while (ok) {
        ssize_t n = read(fd, wr_buf_reserve(out, 65536), 65536);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) wr_fail(0, "%s: %s", path, strerror(errno));
        ok = n >= 0;
        if (n <= 0) break;
        out->size += (size_t)n;
    }
    if (!standard) close(fd);
    return ok;
}

static bool write_all(int fd, struct wr_slice bytes)
{
    while (bytes.size) {
        ssize_t n = write(fd, bytes.data, bytes.size);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return false;
        bytes.data += n;
        bytes.size -= (size_t)n;
    }
    return true;
}

bool wr_write_file(const char *path, struct wr_slice bytes)
{
    if (strcmp(path, "-") == 0) {
        wr_put_out(bytes);
        return true;
    }
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool ok = fd >= 0 && write_all(fd, bytes);
    int error = errno;
    if (fd >= 0 && close(fd) != 0 && ok) {
        ok = false;
        error = errno;
    }
    if (!ok) wr_fail(0, "%s: %s", path, strerror(error));
    return ok;
}

void wr_put_out(struct wr_slice bytes)
{
    fflush(stdout);
    if (write_all(STDOUT_FILENO, bytes)) return;
    if (errno == EPIPE) exit(WR_EXIT_DONE);
    wr_fail(0, "standard output: %s", strerror(errno));
    exit(WR_EXIT_IO);
}

void wr_print_usage(const struct wr_command_info *command, bool brief, FILE *out)
{
    if (!brief) fprintf(out, "Example:\n  %s\n\n", command->example);
    fprintf(out, "Usage: weir %s %s\n%s%c%s.\n", command->name, command->arguments, brief ? "" : "\n",
            command->line[0] - 32, command->line + 1);
    if (!brief && command->more[0]) fprintf(out, "%s", command->more);
    fputs(brief ? "Options:" : "\nOptions:\n", out);
    for (size_t i = 0; i < WR_OPTION_COUNT; i++) {
        const struct wr_option_info *o = &wr_option_table[i];
        if (!wr_option_of_command(o, command->name)) continue;
        if (brief) {
            fprintf(out, " --%s", o->name);
            continue;
        }
        char left[64];
        snprintf(left, sizeof left, "%c%c%s --%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
                 o->letter ? "," : " ", o->name, o->argument ? " " : "", o->argument ? o->argument : "");
        fprintf(out, "  %-30s %s\n", left, o->text);
    }
    if (brief) fputs("\n", out);
}
