/* Pages of large allocations made ready by a thread of its own, ahead of the thread that fills them. A page that is touched for
 * the first time costs the kernel its clearing (and a virtual machine's host more than that): where gigabytes are filled at a
 * stretch, as in a restart, that is a good part of the time. */
#ifndef WR_BASE_POPULATE_H
#define WR_BASE_POPULATE_H

#include "base/base.h"

/* From here on the large allocations of this thread (wr_alloc_aligned) are populated. NULL where that is not to be had, which
 * costs nothing but time. Ended by the thread that began it. */
struct wr_populator *wr_populator_start(void);
void wr_populator_stop(struct wr_populator *populator); /* NULL is fine */

#endif
