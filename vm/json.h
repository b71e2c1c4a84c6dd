/* JSON texts inside values: paths into them, through jansson. */
#ifndef WR_VM_JSON_H
#define WR_VM_JSON_H

#include "base/arena.h"

/* One whole JSON value, scalars included. */
bool wr_json_is_text(struct wr_slice text);
/* "$", then .name, ["name"] or [index], any number; false when it is no path. */
bool wr_json_path_check(struct wr_slice path);

enum wr_json_found { WR_JSON_FOUND, WR_JSON_ABSENT, WR_JSON_BAD_TEXT, WR_JSON_BAD_PATH };
/* What is at the path: as_text a string's characters or a number's or boolean's text (an array or object is
 * absent then), else the JSON text of anything. Lies in the arena. A JSON null is absent as text. */
enum wr_json_found wr_json_find(struct wr_arena *arena, struct wr_slice text, struct wr_slice path, bool as_text,
                                struct wr_slice *out);

#endif
