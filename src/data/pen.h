/*
 * A round pen that draws anti-aliased lines of changing width into a grey picture.
 */
#ifndef DATA_PEN_H
#define DATA_PEN_H

typedef struct data_canvas {
    float *pixels; /* [size][size], row by row; ink is drawn by maximum */
    int size;
} data_canvas;

/* Where the pen stands, in pixels from the top left corner, and how broad it is there. */
typedef struct data_pen {
    float x, y, radius;
} data_pen;

/* Moves the pen from a to b, leaving ink of this darkness. */
void data_pen_draw(const data_canvas *canvas, const data_pen *a, const data_pen *b, float ink);

#endif
