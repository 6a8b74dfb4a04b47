/*
 * Shapes that come from a file and are not believed yet.
 */
#ifndef IO_SHAPE_H
#define IO_SHAPE_H

#include "base/context.h"

#include <stdbool.h>

#define IO_SHAPE_TEXT_BYTES 192

/*
 * Number of elements into *out. False if a size is negative or the product is too large to be addressed;
 * sizes of 0 count as 1 for that, so that partial products of a shape that passed cannot overflow either.
 */
bool io_shape_count(const truce_shape *shape, int64_t *out);

/* "[8, 28, 28]" */
void io_shape_text(const truce_shape *shape, char text[IO_SHAPE_TEXT_BYTES]);

#endif
