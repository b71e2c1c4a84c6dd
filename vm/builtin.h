/* The scalar functions as an enum and a table, made from builtins.def, and their resolution by type. */
#ifndef WR_VM_BUILTIN_H
#define WR_VM_BUILTIN_H

#include "vm/batch.h"

enum wr_builtin {
#define BUILTIN(ID, NAME, ARGUMENTS, RESULT, HIDDEN, SIGNATURE, SENTENCE, FUNCTION) WR_BUILTIN_##ID,
#include "vm/builtins.def"
#undef BUILTIN
    WR_BUILTIN_COUNT
};

struct wr_arena;
struct wr_frame_cache; /* what a CALL keeps between rows (a compiled pattern, a zone); vm/builtin_impl.h */

/* What a function gets besides its arguments. */
struct wr_call {
    struct wr_arena *strings;     /* for text that it makes */
    struct wr_frame_cache *cache; /* of this CALL instruction */
};
/* All arguments are values (no NULL, no error). Sets out->u and, for a NULL result, out->flag; returns why
 * it failed, or WR_REASON_NONE. */
typedef enum wr_reason wr_builtin_fn(struct wr_call *call, const struct wr_value *argument, unsigned count,
                                     struct wr_value *out);

struct wr_builtin_info {
    const char *name, *arguments, *result, *signature, *sentence;
    wr_builtin_fn *function;
};
const struct wr_builtin_info *wr_builtin_info(enum wr_builtin builtin);
/* How many arguments it takes (255: any number), without the hidden constants; how many of these follow. */
void wr_builtin_arity(enum wr_builtin builtin, unsigned *least, unsigned *most, unsigned *hidden);
/* The class of the result. */
enum wr_class wr_builtin_class(enum wr_builtin builtin);
/* The class of argument number `index` (hidden ones included) of a call with `count` arguments in all. */
enum wr_class wr_builtin_argument_class(enum wr_builtin builtin, unsigned index, unsigned count);

enum { WR_CALL_ARGUMENTS_MAX = 255, WR_CALL_HIDDEN_MAX = 2 };

enum wr_resolution {
    WR_RESOLVED,
    WR_RESOLVE_NO_NAME,     /* no function of that name */
    WR_RESOLVE_COUNT,       /* none of its overloads takes so many arguments */
    WR_RESOLVE_TYPE,        /* argument number .bad has a type that no overload takes */
    WR_RESOLVE_CONSTANT     /* argument number .bad must be a constant */
};
struct wr_builtin_call {
    enum wr_builtin builtin;
    struct wr_type result;
    unsigned hidden_count; /* BIGINT constants to append behind the arguments */
    int64_t hidden[WR_CALL_HIDDEN_MAX];
    unsigned bad;          /* see enum wr_resolution; then .builtin is an overload to show */
};
/* Finds the overload of `name` (without case) for n arguments of the types `argument`. constant[i] is the value
 * of argument i where it is a constant, else NULL; `constant` may be NULL when none is. want[i] gets the type
 * to which argument i is cast (equal where nothing is to be done). WR_KIND_NULL fits everywhere; a constant
 * STRING fits where a time is wanted, if it can be read as one. */
enum wr_resolution wr_builtin_resolve(struct wr_slice name, const struct wr_type *argument,
                                      const struct wr_value *const *constant, unsigned n,
                                      struct wr_type *want, struct wr_builtin_call *out);
/* Further checks of constant arguments, once resolved: a bad unit, format, zone, regular expression or JSON path.
 * Writes one sentence into message (at most size bytes with its NUL) and returns the argument's number; -1: fine. */
int wr_builtin_check_constants(enum wr_builtin builtin, const struct wr_value *const *constant, unsigned n,
                               char *message, size_t size);

/* What a HIDDEN of ELEMENT says about the elements of an array of this type: class | scale << 8. */
int64_t wr_array_word(struct wr_type array);

/* Whether the zone is one of the IANA database of this machine ("Europe/Berlin", "UTC"). */
bool wr_zone_exists(struct wr_slice name);

#endif
