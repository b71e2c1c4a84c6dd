/* What shortest.cpp gives: digits of doubles without a locale. */
#ifndef WR_VM_SHORTEST_H
#define WR_VM_SHORTEST_H

#include "base/base.h"

/* At most 40 bytes; returns how many. The value is finite. */
size_t wr_double_shortest(char *out, double v);
size_t wr_float_shortest(char *out, double v); /* as a float */
/* JSON's and SQL's numbers without a plus in front; false when the text is not one or past the range. */
bool wr_double_read(const char *text, size_t size, double *out);

#endif
