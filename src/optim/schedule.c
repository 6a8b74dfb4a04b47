/*
 * Learning-rate schedules as a factor on the base rate. Warm-up comes first; the other shapes span the steps
 * after it.
 */
#include "truce/optim.h"

#include <math.h>

#define PI 3.14159265358979323846

double truce_schedule_factor(const truce_schedule *s, int64_t step) {
    if (step < s->warmup) return (double)(step + 1) / (double)s->warmup;
    int64_t at = step - s->warmup, span = s->total_steps - s->warmup;
    double done = span > 0 ? fmin(1, (double)at / (double)span) : 1;
    switch (s->kind) {
    case TRUCE_SCHEDULE_CONSTANT: return 1;
    case TRUCE_SCHEDULE_STEP: return s->every > 0 ? pow(s->factor, (double)(at / s->every)) : 1;
    case TRUCE_SCHEDULE_COSINE: return s->floor + (1 - s->floor) * (1 + cos(PI * done)) / 2;
    case TRUCE_SCHEDULE_LINEAR: return s->floor + (1 - s->floor) * (1 - done);
    }
    return 1;
}
