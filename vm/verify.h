/* The verifier's parts: what each proves about its piece of a program. Nobody outside vm/ includes it.
 * Every function returns true, or false with the error set. */
#ifndef WR_VM_VERIFY_H
#define WR_VM_VERIFY_H

#include "vm/program.h"

struct wr_verifier {
    const struct wr_program *program;
    struct wr_error *error;
    char place[64]; /* "block 3", "node 2": stands in front of the message */
};

bool wr_verify_fail(struct wr_verifier *v, const char *format, ...) WR_PRINTF(2, 3);
bool wr_verify_type(struct wr_verifier *v, struct wr_type type);
bool wr_verify_text(struct wr_verifier *v, const char *text, const char *what);
/* A value of the type or NULL: class, range, UTF-8. */
bool wr_verify_value(struct wr_verifier *v, struct wr_type type, const struct wr_value *value);
/* One block by itself: registers, operands, constants, results. What its inputs mean is the user's affair. */
bool wr_verify_code(struct wr_verifier *v, const struct wr_code *code);
/* A node, whose inputs have been verified. */
bool wr_verify_node(struct wr_verifier *v, uint32_t index);
bool wr_verify_pattern(struct wr_verifier *v, const struct wr_node *node, const struct wr_schema *input);
/* Aggregates over rows of the schema; set_count: variable sets (0 in windows). */
bool wr_verify_aggregates(struct wr_verifier *v, const struct wr_aggregate *aggregate, uint32_t count,
                          const struct wr_schema *input, uint32_t set_count);
/* The number of a block that runs over whole batches with the first `columns` columns of the schema. */
bool wr_verify_batch_code(struct wr_verifier *v, uint32_t code, const struct wr_schema *schema, uint32_t columns);
bool wr_verify_columns(struct wr_verifier *v, const uint32_t *column, uint32_t count, const struct wr_schema *schema,
                       const char *what);

#endif
