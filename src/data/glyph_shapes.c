/*
 * Our own hand: the digits 0 to 9 in two ways of writing each, drawn for this project.
 */
#include "data/glyph_shapes.h"

#include <assert.h>

#define MOVE(x, y)                                                                                           \
    {                                                                                                        \
        DATA_STROKE_MOVE, {                                                                                  \
            { x, y }                                                                                         \
        }                                                                                                    \
    }
#define LINE(x, y)                                                                                           \
    {                                                                                                        \
        DATA_STROKE_LINE, {                                                                                  \
            { x, y }                                                                                         \
        }                                                                                                    \
    }
#define QUAD(x1, y1, x, y)                                                                                   \
    {                                                                                                        \
        DATA_STROKE_QUAD, {                                                                                  \
            {x1, y1}, {                                                                                      \
                x, y                                                                                         \
            }                                                                                                \
        }                                                                                                    \
    }
#define CUBIC(x1, y1, x2, y2, x, y)                                                                          \
    {                                                                                                        \
        DATA_STROKE_CUBIC, {                                                                                 \
            {x1, y1}, {x2, y2}, {                                                                            \
                x, y                                                                                         \
            }                                                                                                \
        }                                                                                                    \
    }

#define MAX_STROKES 8 /* and an END, which the rest of a row is */

/* clang-format off */
static const data_stroke shapes[DATA_N_GLYPHS][DATA_N_VARIANTS][MAX_STROKES] = {
    {{MOVE(.52f, .00f), CUBIC(.10f, -.02f, -.02f, .28f, .00f, .55f), CUBIC(.02f, .88f, .25f, 1.0f, .50f, 1.0f),
      CUBIC(.85f, 1.0f, 1.0f, .74f, 1.0f, .48f), CUBIC(1.0f, .20f, .85f, .02f, .50f, .01f)},
     {MOVE(.70f, .06f), CUBIC(.30f, -.10f, .02f, .30f, .04f, .62f), CUBIC(.06f, .95f, .40f, 1.08f, .68f, .92f),
      CUBIC(1.0f, .72f, 1.05f, .25f, .82f, .08f), CUBIC(.72f, .00f, .52f, -.04f, .38f, .10f)}},
    {{MOVE(.25f, .24f), QUAD(.48f, .16f, .58f, .00f), LINE(.54f, 1.0f)},
     {MOVE(.20f, .26f), LINE(.55f, .00f), LINE(.53f, .99f), MOVE(.18f, 1.0f), LINE(.88f, .99f)}},
    {{MOVE(.05f, .24f), CUBIC(.12f, -.10f, .92f, -.10f, .90f, .28f), CUBIC(.88f, .55f, .35f, .74f, .02f, .99f),
      LINE(1.0f, 1.0f)},
     {MOVE(.08f, .20f), CUBIC(.25f, -.10f, .95f, -.06f, .86f, .32f), CUBIC(.78f, .62f, .40f, .82f, .18f, .96f),
      CUBIC(-.08f, 1.08f, .00f, .74f, .22f, .80f), CUBIC(.45f, .86f, .60f, 1.08f, 1.0f, .94f)}},
    {{MOVE(.08f, .10f), CUBIC(.35f, -.10f, .92f, -.02f, .86f, .25f), CUBIC(.82f, .44f, .58f, .48f, .36f, .48f),
      CUBIC(.72f, .47f, 1.02f, .56f, .96f, .78f), CUBIC(.88f, 1.06f, .30f, 1.06f, .02f, .88f)},
     {MOVE(.10f, .02f), LINE(.88f, .02f), LINE(.42f, .40f), CUBIC(.80f, .38f, 1.02f, .52f, .97f, .74f),
      CUBIC(.90f, 1.06f, .30f, 1.06f, .03f, .90f)}},
    {{MOVE(.64f, .00f), LINE(.02f, .66f), LINE(1.0f, .66f), MOVE(.74f, .36f), LINE(.70f, 1.0f)},
     {MOVE(.18f, .02f), QUAD(.08f, .30f, .06f, .54f), QUAD(.50f, .58f, .92f, .50f), MOVE(.86f, .00f),
      QUAD(.82f, .50f, .78f, 1.0f)}},
    {{MOVE(.92f, .02f), LINE(.20f, .02f), LINE(.12f, .44f), CUBIC(.42f, .30f, 1.02f, .38f, .96f, .70f),
      CUBIC(.90f, 1.06f, .28f, 1.06f, .02f, .88f)},
     {MOVE(.26f, .04f), QUAD(.18f, .24f, .16f, .46f), CUBIC(.45f, .34f, .98f, .40f, .92f, .70f),
      CUBIC(.86f, 1.02f, .34f, 1.06f, .04f, .94f), MOVE(.26f, .04f), QUAD(.60f, .08f, .98f, .00f)}},
    {{MOVE(.76f, .02f), CUBIC(.32f, .14f, .02f, .45f, .04f, .72f), CUBIC(.08f, 1.06f, .92f, 1.08f, .94f, .74f),
      CUBIC(.94f, .44f, .30f, .42f, .08f, .70f)},
     {MOVE(.40f, .00f), CUBIC(.14f, .20f, .02f, .52f, .06f, .76f), CUBIC(.12f, 1.05f, .82f, 1.08f, .88f, .80f),
      CUBIC(.92f, .56f, .50f, .50f, .12f, .82f)}},
    {{MOVE(.02f, .03f), LINE(.96f, .02f), CUBIC(.72f, .34f, .48f, .64f, .38f, 1.0f)},
     {MOVE(.06f, .08f), QUAD(.55f, .04f, .96f, .03f), QUAD(.66f, .40f, .36f, 1.0f), MOVE(.26f, .54f),
      LINE(.84f, .50f)}},
    {{MOVE(.82f, .16f), CUBIC(.62f, -.10f, .10f, -.04f, .14f, .24f), CUBIC(.20f, .50f, .90f, .50f, .92f, .78f),
      CUBIC(.90f, 1.08f, .08f, 1.08f, .08f, .78f), CUBIC(.10f, .50f, .76f, .46f, .84f, .18f)},
     {MOVE(.50f, .48f), CUBIC(-.02f, .40f, .12f, .00f, .52f, .00f), CUBIC(.92f, .00f, 1.0f, .42f, .50f, .48f),
      CUBIC(-.12f, .58f, -.04f, 1.0f, .48f, 1.0f), CUBIC(1.04f, 1.0f, 1.10f, .56f, .52f, .48f)}},
    {{MOVE(.88f, .26f), CUBIC(.86f, -.08f, .10f, -.10f, .06f, .28f), CUBIC(.06f, .58f, .70f, .60f, .88f, .26f),
      CUBIC(.92f, .50f, .84f, .80f, .60f, 1.0f)},
     {MOVE(.84f, .10f), CUBIC(.50f, -.10f, .06f, .06f, .10f, .32f), CUBIC(.16f, .58f, .78f, .52f, .86f, .10f),
      LINE(.80f, 1.0f)}},
};
/* clang-format on */

int data_stroke_points(data_stroke_kind kind) {
    static const int counts[] = {0, 1, 1, 2, 3};
    return counts[kind];
}

const data_stroke *data_glyph_shape(int glyph, int variant) {
    assert(glyph >= 0 && glyph < DATA_N_GLYPHS && variant >= 0 && variant < DATA_N_VARIANTS);
    return shapes[glyph][variant];
}
