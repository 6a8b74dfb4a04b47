/*
 * What the files of convolutions share.
 */
#ifndef ENGINE_OPS_CONV_H
#define ENGINE_OPS_CONV_H

#include "engine/ops/source.h"
#include "engine/ops/tile.h"

typedef struct conv {
    window_axis axis[2];
    int64_t n_images, groups, in, out; /* channels of a group */
    int64_t taps[2];                   /* rows and columns of the window */
    int64_t in_size, out_size;         /* pixels of a plane */
    bool pointwise;                    /* 1 x 1, one step at a time, no padding */
} conv;

/* A cursor over scratch memory; with a NULL base it only counts. */
typedef struct conv_room {
    char *base;
    size_t used;
} conv_room;

static inline void *conv_take(conv_room *room, int64_t n, size_t bytes) {
    char *taken = room->base ? room->base + room->used : NULL;
    room->used += ((size_t)n * bytes + BASE_ALIGNMENT - 1) / BASE_ALIGNMENT * BASE_ALIGNMENT;
    return taken;
}

/* A map from images to images through the weights, out (+)= conv: forward, or from dy to dx. */
typedef struct conv_pass {
    const real *from, *weight, *bias; /* bias may be NULL */
    real *to;
    bool adds;
} conv_pass;

/* Dense convolutions. Each takes its scratch from `room`. */
void KERNEL(conv_dense_y)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_dense_dx)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_dense_dw)(base_team *team, const conv *c, const conv_pass *pass, const real *dy,
                           conv_room room);
size_t KERNEL(conv_dense_bytes)(base_team *team, const conv *c);

/* Convolutions with one input channel per group. */
void KERNEL(conv_depthwise_y)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_depthwise_dx)(base_team *team, const conv *c, const conv_pass *pass, conv_room room);
void KERNEL(conv_depthwise_dw)(base_team *team, const conv *c, const conv_pass *pass, const real *dy,
                               conv_room room);
size_t KERNEL(conv_depthwise_bytes)(base_team *team, const conv *c);

#endif
