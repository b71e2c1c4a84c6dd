/* Faults for tests. The counters are atomic because the engine's thread and the saver's pass the same points. */
#include "base/fault.h"

#ifdef WR_FAULTS

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

static const char *const names[] = {
#define CRASH_POINT(name, when) name,
#define DEFECT(name, what)
#include "base/fault.def"
#undef DEFECT
#undef CRASH_POINT
};
static const char *const defects[] = {
#define CRASH_POINT(name, when)
#define DEFECT(name, what) name,
#include "base/fault.def"
#undef DEFECT
#undef CRASH_POINT
};
static const char *defect; /* of defects[], or NULL */
static bool checks_state;
static const char *const kinds[WR_FAULT_KINDS] = {"store", "file", "alloc"};

static struct {
    atomic_uint_least64_t count;
    uint64_t first, end; /* calls first <= count < end fail; counted from 1 */
} calls[WR_FAULT_KINDS];

static const char *crash_name; /* of names[] */
static uint64_t crash_turn;
static atomic_uint_least64_t crash_count;

const char *wr_fault_name(size_t i)
{
    return i < WR_COUNT(names) ? names[i] : NULL;
}

void wr_fault_fail_at(enum wr_fault_kind kind, uint64_t n, uint64_t times)
{
    atomic_store(&calls[kind].count, 0);
    calls[kind].first = n;
    calls[kind].end = n ? n + times : 0;
}

void wr_fault_check_state(bool on) { checks_state = on; }

bool wr_fault_checks_state(void) { return checks_state; }

uint64_t wr_fault_count(enum wr_fault_kind kind)
{
    return atomic_load(&calls[kind].count);
}

bool wr_fault_due(enum wr_fault_kind kind)
{
    uint64_t turn = atomic_fetch_add(&calls[kind].count, 1) + 1;
    return turn >= calls[kind].first && turn < calls[kind].end;
}

static const char *known(const char *name, size_t size)
{
    for (size_t i = 0; i < WR_COUNT(names); i++)
        if (strlen(names[i]) == size && memcmp(names[i], name, size) == 0) return names[i];
    return NULL;
}

void wr_fault_pass(const char *name)
{
    WR_ASSERT(known(name, strlen(name)));
    if (!crash_name || strcmp(name, crash_name) != 0) return;
    if (atomic_fetch_add(&crash_count, 1) + 1 != crash_turn) return;
    kill(getpid(), SIGKILL);
    for (;;) pause(); /* another thread may be the one that the signal reaches first */
}

bool wr_fault_set_defect(const char *name)
{
    defect = NULL;
    for (size_t i = 0; name && i < WR_COUNT(defects); i++)
        if (strcmp(defects[i], name) == 0) defect = defects[i];
    return defect || !name || !*name;
}

bool wr_fault_has_defect(const char *name)
{
    return defect && strcmp(defect, name) == 0;
}

const char *wr_fault_defect_name(size_t i)
{
    return i < WR_COUNT(defects) ? defects[i] : NULL;
}

/* The number behind "name:", 1 where there is none; 0: malformed. */
static uint64_t turn_of(const char *text, size_t *name_size)
{
    const char *colon = strchr(text, ':');
    *name_size = colon ? (size_t)(colon - text) : strlen(text);
    if (!colon) return 1;
    char *end;
    uint64_t turn = strtoull(colon + 1, &end, 10);
    return end == colon + 1 || *end ? 0 : turn;
}

const char *wr_fault_configure(const char *crash_at, const char *fail_at)
{
    size_t size;
    crash_name = NULL;
    atomic_store(&crash_count, 0);
    for (size_t k = 0; k < WR_FAULT_KINDS; k++) wr_fault_fail_at((enum wr_fault_kind)k, 0, 0);
    if (crash_at && *crash_at) {
        crash_turn = turn_of(crash_at, &size);
        if (!crash_turn) return "WEIR_CRASH_AT is a name of base/fault.def, or name:n";
        crash_name = known(crash_at, size);
        if (!crash_name) return "WEIR_CRASH_AT names no point of base/fault.def";
    }
    if (!fail_at || !*fail_at) return NULL;
    uint64_t turn = turn_of(fail_at, &size);
    for (size_t k = 0; turn && k < WR_FAULT_KINDS; k++) {
        if (strlen(kinds[k]) != size || memcmp(kinds[k], fail_at, size) != 0) continue;
        wr_fault_fail_at((enum wr_fault_kind)k, turn, 1);
        return NULL;
    }
    return "WEIR_FAIL_AT is store:n, file:n or alloc:n";
}

#else

/* A translation unit must not be empty. */
extern const int wr_faults_are_compiled_out;
const int wr_faults_are_compiled_out = 1;

#endif
