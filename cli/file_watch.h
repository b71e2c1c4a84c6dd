/* Waiting for changes of the files that tests concern: their own, their programs' and what these include, recordings. */
#ifndef WR_CLI_FILE_WATCH_H
#define WR_CLI_FILE_WATCH_H

#include "cli/cli.h"

#include <signal.h>

/* Set by SIGINT and SIGTERM once wr_file_watch_signals has been called; a second one ends the process at once. */
extern volatile sig_atomic_t wr_stop_asked;
void wr_file_watch_signals(bool catches);

struct wr_file_watch;
/* NULL after a message. */
struct wr_file_watch *wr_file_watch_new(void);
void wr_file_watch_free(struct wr_file_watch *watch);
/* New files in this folder, and in all below it, are changes. */
void wr_file_watch_folder(struct wr_file_watch *watch, const char *path);
/* What follows is said of this file of tests; what was said of it before is forgotten. */
void wr_file_watch_begin(struct wr_file_watch *watch, const char *path);
/* A file it needs, there or not. */
void wr_file_watch_needs(struct wr_file_watch *watch, const char *path);
void wr_file_watch_bad(struct wr_file_watch *watch, bool bad);
/* Has the file never been run, or has something it needs changed since the last wait? */
bool wr_file_watch_affected(const struct wr_file_watch *watch, const char *path);
bool wr_file_watch_any_bad(const struct wr_file_watch *watch);
/* Forgets files that are not in the list. */
void wr_file_watch_keep(struct wr_file_watch *watch, const struct wr_paths *paths);
/* Waits until something has changed and a moment has passed without more of it. false: asked to stop. */
bool wr_file_watch_wait(struct wr_file_watch *watch);
/* Names of what has changed, for people. */
void wr_file_watch_print_changed(const struct wr_file_watch *watch, struct wr_buf *out);

#endif
