/*
 * From the bytes of an array file to an io_array, for the readers of its formats.
 */
#ifndef IO_ARRAY_LOAD_H
#define IO_ARRAY_LOAD_H

#include "io/array.h"

typedef enum io_element {
    IO_ELEMENT_F2,
    IO_ELEMENT_F4,
    IO_ELEMENT_F8,
    IO_ELEMENT_I1,
    IO_ELEMENT_I2,
    IO_ELEMENT_I4,
    IO_ELEMENT_I8,
    IO_ELEMENT_U1,
    IO_ELEMENT_U2,
    IO_ELEMENT_U4,
    IO_ELEMENT_U8,
    IO_ELEMENT_BOOL,
    IO_N_ELEMENTS
} io_element;

/* What a header says; nothing of it is checked yet but that n_dims fits. */
typedef struct io_array_header {
    const char *path;
    io_element element;
    bool big_endian;
    bool fortran_order; /* the first axis runs fastest */
    truce_shape shape;
} io_array_header;

/* Fills an array from the bytes behind the header, which must be exactly as many as it announces. */
truce_status io_array_load(truce_context *context, const io_array_header *header, const unsigned char *bytes,
                           size_t n_bytes, io_array *out);

#endif
