/* Operating errors: a status and a sentence. Each layer adds its context once, in front
 * ("events.jsonl.gz: the compressed data breaks off"); only the command line prints.
 * User errors in programs are diagnostics (dsl/diag.h), programmer errors assertions. */
#ifndef WR_BASE_ERROR_H
#define WR_BASE_ERROR_H

#include "base/base.h"

enum wr_status {
    WR_OK = 0,
    WR_END,          /* no more data; not an error */
    WR_ERR_USAGE,    /* a bad option, or a file that is not there            exit 2 */
    WR_ERR_PROGRAM,  /* the program is wrong; see the diagnostics            exit 3 */
    WR_ERR_INPUT,    /* bad input past its budget, or a broken container     exit 4 */
    WR_ERR_STATE,    /* state or program file unusable                       exit 5 */
    WR_ERR_IO,       /* an output or external system that refuses            exit 6 */
    WR_ERR_LIMIT,    /* a resource limit with policy fail                    exit 7 */
    WR_ERR_MEMORY,   /* out of memory                                        exit 7 */
    WR_ERR_STOPPED,  /* the caller asked to stop (SIGINT)                    exit 130 */
    WR_ERR_CLOSED,   /* the reader of our output went away (SIGPIPE)         exit 0, quietly */
    WR_ERR_DEFECT    /* a defect of weir                                     exit 70 */
};

struct wr_error {
    enum wr_status status;
    char message[1024]; /* one sentence, no full stop, NUL-terminated; "" when status is WR_OK */
};

/* Sets status and message; returns the status, so that `return wr_error_set(…)` reads well. */
enum wr_status wr_error_set(struct wr_error *error, enum wr_status status, const char *format, ...)
    WR_PRINTF(3, 4);
/* Puts "context: " in front of the message. */
enum wr_status wr_error_context(struct wr_error *error, const char *format, ...) WR_PRINTF(2, 3);

#endif
