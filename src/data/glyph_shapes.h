/*
 * The ten glyphs as strokes of a pen.
 */
#ifndef DATA_GLYPH_SHAPES_H
#define DATA_GLYPH_SHAPES_H

#define DATA_N_GLYPHS 10
#define DATA_N_VARIANTS 2 /* ways of writing the same glyph */

typedef enum data_stroke_kind {
    DATA_STROKE_END,
    DATA_STROKE_MOVE, /* to points[0], with the pen lifted */
    DATA_STROKE_LINE, /* to points[0] */
    DATA_STROKE_QUAD, /* Bezier curve over points[0] to points[1] */
    DATA_STROKE_CUBIC /* Bezier curve over points[0] and points[1] to points[2] */
} data_stroke_kind;

/* Points are x (to the right) and y (down) in a unit box. */
typedef struct data_stroke {
    data_stroke_kind kind;
    float points[3][2];
} data_stroke;

/* How many points a stroke of this kind has. */
int data_stroke_points(data_stroke_kind kind);

/* The strokes of a glyph, the first one a move, with an END after the last. */
const data_stroke *data_glyph_shape(int glyph, int variant);

#endif
