/* Faults for tests: named points at which the process kills itself, calls that fail, and defects. They exist where WR_FAULTS is
 * defined (MODE=debug, asan, hostile); elsewhere they compile to nothing. Nothing here reads the environment: the command
 * line hands over WEIR_CRASH_AT, WEIR_FAIL_AT, WEIR_DEFECT and WEIR_STATE_CHECK. */
#ifndef WR_BASE_FAULT_H
#define WR_BASE_FAULT_H

#include "base/base.h"

enum wr_fault_kind {
    WR_FAULT_STORE, /* a call of LMDB fails with EIO */
    WR_FAULT_FILE,  /* a read, write, cut or sync of a file fails with EIO */
    WR_FAULT_ALLOC, /* an allocation fails, in whatever thread */
    WR_FAULT_KINDS
};

#ifdef WR_FAULTS

/* crash_at: "name" or "name:n", the n-th passing kills; fail_at: "store:n", "file:n" or "alloc:n", the n-th such call
 * from now on fails. NULL or "": none. NULL when both are understood, else a sentence that says what is not. */
const char *wr_fault_configure(const char *crash_at, const char *fail_at);
/* The n-th call of that kind from now on fails, and `times` - 1 behind it; n 0: none. */
void wr_fault_fail_at(enum wr_fault_kind kind, uint64_t n, uint64_t times);
/* Calls of that kind since the last wr_fault_fail_at or wr_fault_configure. */
uint64_t wr_fault_count(enum wr_fault_kind kind);
/* The i-th name of fault.def; NULL behind the last. */
const char *wr_fault_name(size_t i);

/* Units that a checkpoint has frozen are encoded at once too, and compared with what is saved of them later
 * (runtime/state_check.h). For the whole process. */
void wr_fault_check_state(bool on);
bool wr_fault_checks_state(void);

/* From now on the process has this defect of fault.def; NULL or "": none. false: there is none of that name. */
bool wr_fault_set_defect(const char *name);
bool wr_fault_has_defect(const char *name);
const char *wr_fault_defect_name(size_t i);

bool wr_fault_due(enum wr_fault_kind kind);
void wr_fault_pass(const char *name);
#define WR_FAULT_DUE(kind) wr_fault_due(kind)
#define WR_CRASH_POINT(name) wr_fault_pass(name)
#define WR_DEFECT(name) wr_fault_has_defect(name)

#else

#define WR_FAULT_DUE(kind) false
#define WR_CRASH_POINT(name) ((void)0)
#define WR_DEFECT(name) false

#endif
#endif
