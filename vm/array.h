/* Values of type ARRAY: the elements one behind the other, each a byte (0: NULL, 1: a value) and then
 * the value: a byte (BOOLEAN), 8 bytes (I64, F64), 16 (DECIMAL), or 4 bytes of length and the text; all
 * little endian. An array's type has the kind of its elements in .element, and theirs of a DECIMAL in
 * .precision and .scale. Equal arrays have equal bytes. */
#ifndef WR_VM_ARRAY_H
#define WR_VM_ARRAY_H

#include "vm/scalar.h"

/* ARRAY of a scalar type, and back. */
struct wr_type wr_type_array(struct wr_type element);
struct wr_type wr_type_element(struct wr_type array);

/* Appends an element, NULL or a value of the element type's class; no error value. */
void wr_array_add(struct wr_buf *array, const struct wr_value *element);
/* Takes the first element off *rest. The text of one points into the array. false at the end, and where the
 * bytes go on but are no element (*damaged). */
bool wr_array_read(struct wr_slice *rest, enum wr_class cls, struct wr_value *element, bool *damaged);
bool wr_array_next(struct wr_slice *rest, struct wr_type element_type, struct wr_value *element);
/* Is it whole elements of the type? */
bool wr_array_is_valid(struct wr_slice array, struct wr_type element_type);

#endif
