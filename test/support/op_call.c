#include "support/op_call.h"

#include "linalg/blas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { GUARD_BYTES = 64, GUARD = 0x5A };

/* ---- descriptions of inputs -------------------------------------------------------------------------- */

static const char *read_input(const char *text, bool batch, op_input *input) {
    char *end = NULL;
    *input = (op_input){.kind = *text++};
    if (input->kind == 'i' || input->kind == 'c') {
        input->below = strtoll(text, &end, 10);
        text = end + 1; /* the colon */
    }
    while (*text && *text != ' ') {
        int64_t *size = &input->shape.dims[input->shape.n_dims++];
        if (*text == 'b') {
            *size = batch ? TRUCE_BATCH : OP_BATCH;
            text++;
        } else {
            *size = strtoll(text, &end, 10);
            text = end;
        }
        if (*text == 'x') text++;
    }
    return text;
}

int op_inputs(const char *text, bool batch, op_input inputs[OP_MAX_INPUTS]) {
    int n = 0;
    while (*text) {
        text = read_input(text, batch, &inputs[n++]);
        while (*text == ' ') text++;
    }
    return n;
}

bool op_input_is_real(const op_input *input) {
    return input->kind != 'i' && input->kind != 'c';
}

bool op_input_has_gradient(const op_input *input) {
    return input->kind == 'r' || input->kind == 'p' || input->kind == 'd';
}

static double value_of(base_rng *rng, const op_input *input) {
    switch (input->kind) {
    case 'p':
    case 's': return (double)(float)(0.3 + 2 * base_rng_uniform(rng));
    case 'i': return (double)base_rng_below(rng, (uint64_t)input->below);
    case 'c':
        return base_rng_uniform(rng) < 0.2 ? -1 - (double)base_rng_below(rng, 100)
                                           : (double)base_rng_below(rng, (uint64_t)input->below);
    case 't': return base_rng_uniform(rng) < 0.2 ? NAN : (double)(float)base_rng_normal(rng);
    default: {
        double x = base_rng_normal(rng); /* away from 0, where some functions have a kink */
        return (double)(float)(x < 0 ? x - 0.01 : x + 0.01);
    }
    }
}

/* Numbers 1/2048 apart in a random order. */
static void fill_distinct(base_rng *rng, double *values, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        int64_t j = (int64_t)base_rng_below(rng, (uint64_t)i + 1);
        values[i] = values[j];
        values[j] = (double)(i - n / 2) / 2048;
    }
}

void op_fill(base_rng *rng, const op_input *input, double *values) {
    truce_shape shape = engine_resolve(&input->shape, OP_BATCH);
    int64_t n = truce_shape_size(&shape);
    if (input->kind == 'd')
        fill_distinct(rng, values, n);
    else
        for (int64_t i = 0; i < n; i++) values[i] = value_of(rng, input);
}

truce_node op_leaf(truce_graph *graph, const char *name, const op_input *input) {
    if (input->kind == 's') return truce_graph_state(graph, name, input->shape, (truce_init){0});
    return truce_graph_input(graph, name, op_input_is_real(input) ? TRUCE_REAL : TRUCE_INDEX, input->shape);
}

/* ---- life of a call ---------------------------------------------------------------------------------- */

static size_t element_bytes(const op_call *call) {
    return truce_dtype_bytes(call->backend->dtype);
}

static truce_status allocate(op_call *call, size_t bytes, void **out) {
    BASE_TRY(base_alloc_aligned(call->context, bytes + GUARD_BYTES, 1, out));
    memset((char *)*out + bytes, GUARD, GUARD_BYTES);
    return TRUCE_OK;
}

static bool guard_holds(const void *block, size_t bytes) {
    const unsigned char *guard = (const unsigned char *)block + bytes;
    for (int i = 0; i < GUARD_BYTES && block; i++)
        if (guard[i] != GUARD) return false;
    return true;
}

static size_t gradient_bytes(const op_call *call, int i) {
    return (size_t)call->n_rows * (size_t)call->d_stride[i] * element_bytes(call);
}

static size_t input_bytes(const op_call *call, int i) {
    return (size_t)call->size[i] * (call->real[i] ? element_bytes(call) : sizeof(int32_t));
}

static size_t out_bytes(const op_call *call) {
    return (size_t)call->out_size * element_bytes(call);
}

static truce_status build(op_call *call, const op_case *c) {
    op_input inputs[OP_MAX_INPUTS];
    truce_node leaves[OP_MAX_INPUTS];
    int n = op_inputs(c->inputs, true, inputs);
    BASE_TRY(truce_graph_create(call->context, &call->graph));
    for (int i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        leaves[i] = op_leaf(call->graph, name, &inputs[i]);
    }
    truce_node node = c->build(call->graph, leaves, c->p);
    BASE_TRY(truce_graph_status(call->graph));
    const engine_node *made = &call->graph->nodes[node];
    call->op = call->backend->ops[made->op];
    call->n_inputs = made->n_inputs;
    call->call.settings = &made->settings;
    call->out_shape = engine_resolve(&made->shape, OP_BATCH);
    call->out_size = truce_shape_size(&call->out_shape);
    call->out_real = made->type == TRUCE_REAL;
    for (int i = 0; i < made->n_inputs; i++) {
        truce_node leaf = engine_inputs(call->graph, node)[i];
        call->which[i] = leaf; /* leaves come first, in their order */
        call->real[i] = op_input_is_real(&inputs[leaf]);
        call->shape[i] = engine_resolve(&call->graph->nodes[leaf].shape, OP_BATCH);
        call->size[i] = truce_shape_size(&call->shape[i]);
    }
    return TRUCE_OK;
}

static truce_status make_buffers(op_call *call) {
    size_t bytes = element_bytes(call);
    call->saved_bytes = call->op->saved_bytes ? call->op->saved_bytes(&call->call) : 0;
    call->scratch_bytes = call->op->scratch_bytes ? call->op->scratch_bytes(&call->call) : 0;
    for (int i = 0; i < call->n_inputs; i++) {
        call->d_stride[i] = call->size[i] + OP_GAP;
        BASE_TRY(allocate(call, input_bytes(call, i), &call->in[i]));
        BASE_TRY(allocate(call, (size_t)call->size[i] * bytes, &call->t_in[i]));
        BASE_TRY(allocate(call, gradient_bytes(call, i), &call->d_in[i]));
    }
    BASE_TRY(allocate(call, out_bytes(call), &call->call.out));
    BASE_TRY(allocate(call, out_bytes(call), &call->t_out));
    BASE_TRY(allocate(call, out_bytes(call) * (size_t)call->n_rows, &call->cotangent));
    BASE_TRY(allocate(call, call->saved_bytes, &call->call.saved));
    return allocate(call, call->scratch_bytes, &call->call.scratch);
}

truce_status op_open(truce_context *context, const op_case *c, const op_manner *manner, op_call *out) {
    linalg_single_thread();
    *out = (op_call){.context = context, .backend = manner->backend, .n_rows = manner->n_rows};
    truce_status status = build(out, c);
    engine_call *call = &out->call;
    if (!status) {
        call->n_inputs = out->n_inputs;
        call->in = (const void *const *)out->in;
        call->in_shape = out->shape;
        call->out_shape = out->out_shape;
        call->team = manner->team;
        call->training = manner->training;
        call->freeze_state = true;
        call->seed = 7;
        call->step = 3;
        call->node = 5;
        call->status = &out->status;
        status = make_buffers(out);
    }
    if (status) op_close(out);
    return status;
}

void op_close(op_call *call) {
    truce_context *context = call->context;
    for (int i = 0; i < OP_MAX_INPUTS; i++) {
        base_free_aligned(context, call->in[i]);
        base_free_aligned(context, call->t_in[i]);
        base_free_aligned(context, call->d_in[i]);
    }
    base_free_aligned(context, call->call.out);
    base_free_aligned(context, call->t_out);
    base_free_aligned(context, call->cotangent);
    base_free_aligned(context, call->call.saved);
    base_free_aligned(context, call->call.scratch);
    truce_graph_destroy(call->graph);
    *call = (op_call){0};
}

/* ---- values ------------------------------------------------------------------------------------------ */

void op_put(const op_call *call, void *to, const double *values, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        if (call->backend->dtype == TRUCE_FLOAT64)
            ((double *)to)[i] = values[i];
        else
            ((float *)to)[i] = (float)values[i];
    }
}

void op_get(const op_call *call, const void *from, double *values, int64_t n) {
    for (int64_t i = 0; i < n; i++)
        values[i] = call->backend->dtype == TRUCE_FLOAT64 ? ((const double *)from)[i]
                                                          : (double)((const float *)from)[i];
}

void op_get_out(const op_call *call, double *values) {
    if (call->out_real) {
        op_get(call, call->call.out, values, call->out_size);
        return;
    }
    for (int64_t i = 0; i < call->out_size; i++) values[i] = ((const int32_t *)call->call.out)[i];
}

void op_set(const op_call *call, int i, const double *values) {
    if (call->real[i]) {
        op_put(call, call->in[i], values, call->size[i]);
        return;
    }
    for (int64_t j = 0; j < call->size[i]; j++) ((int32_t *)call->in[i])[j] = (int32_t)values[j];
}

/* ---- calls ------------------------------------------------------------------------------------------- */

void op_forward(op_call *call) {
    call->op->forward(&call->call);
}

unsigned op_differentiable(const op_call *call) {
    unsigned bits = 0;
    for (int i = 0; i < call->n_inputs && call->op->flags & ENGINE_DIFFERENTIABLE; i++)
        if (call->real[i] && !(call->op->constant_inputs >> i & 1u)) bits |= 1u << i;
    return bits;
}

void op_vjp(op_call *call, int n_rows, unsigned inputs) {
    for (int i = 0; i < call->n_inputs; i++) call->d_used[i] = inputs >> i & 1u ? call->d_in[i] : NULL;
    call->call.n_rows = n_rows;
    call->call.cotangent = call->cotangent;
    call->call.d_in = call->d_used;
    call->call.d_stride = call->d_stride;
    call->call.adds = call->adds;
    call->op->vjp(&call->call);
}

void op_jvp(op_call *call, unsigned inputs) {
    for (int i = 0; i < call->n_inputs; i++) call->t_used[i] = inputs >> i & 1u ? call->t_in[i] : NULL;
    call->call.t_in = call->t_used;
    call->call.t_out = call->t_out;
    call->op->jvp(&call->call);
}

void *op_gradient(const op_call *call, int i, int k) {
    return (char *)call->d_in[i] + (size_t)(k * call->d_stride[i]) * element_bytes(call);
}

bool op_guards_hold(const op_call *call) {
    bool hold = guard_holds(call->call.out, out_bytes(call)) && guard_holds(call->t_out, out_bytes(call)) &&
                guard_holds(call->call.saved, call->saved_bytes) &&
                guard_holds(call->call.scratch, call->scratch_bytes);
    for (int i = 0; i < call->n_inputs; i++)
        hold = hold && guard_holds(call->in[i], input_bytes(call, i)) &&
               guard_holds(call->d_in[i], gradient_bytes(call, i));
    return hold;
}
