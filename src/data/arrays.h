/*
 * Rows of arrays in files (.npy, IDX): the first axis counts rows.
 */
#ifndef DATA_ARRAYS_H
#define DATA_ARRAYS_H

#include "data/encoding.h"
#include "io/array.h"

/* Reads a file by its name: NumPy's where it ends in .npy (or .npy.gz), else IDX. A scalar is refused. */
truce_status data_array_read(truce_context *context, const char *path, io_array *out);

/*
 * Shape of a row: what follows the first axis, [1] where nothing does; pictures of two axes get a channel in
 * front.
 */
truce_shape data_array_row_shape(const io_array *array);

/* All values as float. Bytes in rows of two axes and more are taken for pictures and divided by 255. */
void data_array_floats(const io_array *array, float *out);

/* Describes input i of a data set in the encoding, which has room for it. */
truce_status data_describe_array(data_encoding *encoding, const truce_dataset *dataset, int i);

/* Standardises input i, if it has one axis, and keeps mean and scale in the encoding. */
truce_status data_standardise_array(data_encoding *encoding, truce_dataset *dataset, int i);

/* "[3, 28, 28]" */
#define DATA_SHAPE_BYTES 200
void data_format_shape(const truce_shape *shape, char text[DATA_SHAPE_BYTES]);

#endif
