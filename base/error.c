/* Setting an operating error and adding context in front of it. */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>

enum wr_status wr_error_set(struct wr_error *error, enum wr_status status, const char *format, ...)
{
    if (error) {
        va_list args;
        va_start(args, format);
        error->status = status;
        vsnprintf(error->message, sizeof error->message, format, args);
        va_end(args);
    }
    return status;
}

enum wr_status wr_error_context(struct wr_error *error, const char *format, ...)
{
    if (!error) return WR_OK;
    char context[512], message[sizeof error->message];
    va_list args;
    va_start(args, format);
    vsnprintf(context, sizeof context, format, args);
    va_end(args);
    memcpy(message, error->message, sizeof message);
    int written = snprintf(error->message, sizeof error->message, "%s: ", context);
    size_t used = written < 0 ? 0 : WR_MIN((size_t)written, sizeof error->message - 1);
    size_t rest = WR_MIN(strlen(message), sizeof error->message - 1 - used);
    memcpy(error->message + used, message, rest);
    error->message[used + rest] = 0;
    return error->status;
}
