/* What the files of the store share. store.c alone knows LMDB; the others know files: the directory, its lock and its file
 * system (store_directory.c), and the pages of LMDB's file as bytes (store_pages.c). */
#ifndef WR_RUNTIME_STORE_INTERNAL_H
#define WR_RUNTIME_STORE_INTERNAL_H

#include "runtime/store.h"

struct wr_store_directory {
    char *path;
    int fd, lock_fd;    /* -1: not open */
    bool unlocked;      /* LMDB's own lock file cannot be written: a reader does without, while lock_fd keeps writers away */
    bool fresh;         /* there is no data.mdb, and never was one */
};

/* Makes the directory where wanted, checks its file system, that nothing foreign lies in it and that nobody else writes.
 * `directory` may be released whatever the outcome. */
enum wr_status wr_store_directory_open(const struct wr_store_options *options, struct wr_store_directory *directory,
                                       struct wr_error *error);
void wr_store_directory_release(struct wr_store_directory *directory);
/* The place where a new environment is made before it gets its own: an empty directory inside. */
enum wr_status wr_store_directory_begin(struct wr_store_directory *directory, struct wr_error *error);
/* Moves the new environment to its place and makes that durable. */
enum wr_status wr_store_directory_finish(struct wr_store_directory *directory, bool volatile_, struct wr_error *error);
/* LMDB writes into its lock file through a map, where a full disk is a SIGBUS: its blocks are taken beforehand. `inside`:
 * "" or "begin/". */
enum wr_status wr_store_directory_reserve(struct wr_store_directory *directory, const char *inside, struct wr_error *error);
/* Why a write failed, in words: the disk is full, a quota, a limit. needed: bytes that were to be written. */
enum wr_status wr_store_directory_failed(const struct wr_store_directory *directory, int code, uint64_t needed,
                                         struct wr_error *error);
/* Free bytes of the file system. */
uint64_t wr_store_directory_free(const struct wr_store_directory *directory);

#endif
