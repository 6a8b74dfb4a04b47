/*
 * Compiling a graph into a program, and running it forward.
 */
#include "engine/program.h"

#include <string.h>

truce_shape engine_resolve(const truce_shape *shape, int64_t n_rows) {
    truce_shape out = *shape;
    for (int i = 0; i < out.n_dims; i++)
        if (out.dims[i] < 0) out.dims[i] *= -n_rows;
    return out;
}

/* ---- what is needed ---------------------------------------------------------------------------------- */

static void mark_needed(truce_program *p) {
    const truce_graph *graph = p->graph;
    for (int i = 0; i < p->config.n_outputs; i++)
        p->steps[p->config.outputs[i]].needed = p->is_output[p->config.outputs[i]] = true;
    for (int task = 0; task < graph->n_tasks && !p->config.without_losses; task++)
        p->steps[graph->tasks[task].loss].needed = p->is_output[graph->tasks[task].loss] = true;
    for (int node = graph->n_nodes - 1; node >= 0; node--)
        for (int i = 0; i < graph->nodes[node].n_inputs && p->steps[node].needed; i++)
            p->steps[engine_inputs(graph, node)[i]].needed = true;
    bool gradients = p->config.gradients != TRUCE_GRADIENT_NONE;
    for (int node = 0; node < graph->n_nodes; node++)
        p->steps[node].active =
            gradients && p->steps[node].needed && engine_reach_active(&p->parameters->reach, node);
}

/* ---- shapes and calls -------------------------------------------------------------------------------- */

static void set_batch(truce_program *p, int64_t n_rows) {
    const truce_graph *graph = p->graph;
    for (int node = 0; node < graph->n_nodes; node++) {
        p->shapes[node] = engine_resolve(&graph->nodes[node].shape, n_rows);
        p->steps[node].call.out_shape = p->shapes[node];
    }
    for (int edge = 0; edge < graph->n_edges; edge++) p->in_shapes[edge] = p->shapes[graph->edges[edge]];
    p->run.n_rows = n_rows;
}

static void describe_calls(truce_program *p) {
    const truce_graph *graph = p->graph;
    for (int node = 0; node < graph->n_nodes; node++) {
        const engine_node *n = &graph->nodes[node];
        engine_call *call = &p->steps[node].call;
        call->settings = &n->settings;
        call->n_inputs = n->n_inputs;
        call->in = p->in + n->first_input;
        call->in_shape = p->in_shapes + n->first_input;
        call->team = p->context->team;
        call->node = node;
        call->training = p->config.training;
        call->status = &p->run_status;
        call->d_in = (void *const *)p->d_in;
        call->d_stride = p->d_stride;
        call->adds = p->adds;
        p->steps[node].own_task = engine_reach_count(&p->parameters->reach, node) == 1
                                      ? engine_reach_next(&p->parameters->reach, node, -1)
                                      : -1;
    }
}

static const engine_op *op_of(const truce_program *p, int node) {
    return p->backend->ops[p->graph->nodes[node].op];
}

/* Sizes beyond this are a mistake, and would overflow sums of sizes. */
#define MOST_ELEMENTS ((int64_t)1 << 40)

static truce_status check_sizes(truce_program *p) {
    char text[96], shape[ENGINE_SHAPE_TEXT_BYTES];
    for (int node = 0; node < p->graph->n_nodes; node++) {
        double size = 1;
        for (int i = 0; i < p->shapes[node].n_dims; i++) size *= (double)p->shapes[node].dims[i];
        if (size > (double)MOST_ELEMENTS)
            return base_fail(p->context, TRUCE_ERROR_RANGE, "%s of %s is too large",
                             engine_node_text(p->graph, node, text, sizeof text),
                             engine_shape_text(&p->shapes[node], shape));
    }
    return TRUCE_OK;
}

/* ---- buffers ----------------------------------------------------------------------------------------- */

static size_t value_bytes(const truce_program *p, int node) {
    size_t bytes = p->graph->nodes[node].type == TRUCE_INDEX ? sizeof(int32_t) : p->element;
    return bytes * (size_t)truce_shape_size(&p->shapes[node]);
}

static int needed_consumers(const truce_program *p, int input) {
    int n = 0;
    for (int node = input + 1; node < p->graph->n_nodes; node++)
        for (int i = 0; i < p->graph->nodes[node].n_inputs && p->steps[node].needed; i++)
            n += engine_inputs(p->graph, node)[i] == input;
    return n;
}

static bool keeps(const truce_program *p, int node, unsigned flag) {
    const engine_op *op = op_of(p, node);
    return op && p->steps[node].active && (op->flags & flag);
}

/* An elementwise result may overwrite its input if nobody else will look at that again. */
static bool can_overwrite(const truce_program *p, int node) {
    const engine_op *op = op_of(p, node);
    if (!(op->flags & ENGINE_IN_PLACE)) return false;
    int input = engine_inputs(p->graph, node)[0];
    const engine_op *input_op = op_of(p, input);
    if (!input_op || input_op->flags & ENGINE_VIEW || p->is_output[input]) return false;
    if (!truce_shape_equal(&p->shapes[input], &p->shapes[node])) return false;
    if (keeps(p, input, ENGINE_KEEPS_OUTPUT) || keeps(p, node, ENGINE_KEEPS_INPUTS)) return false;
    return needed_consumers(p, input) == 1;
}

/* The value's buffer: its own, its input's (views and results in place), or none (parameters have their
 * block). */
static truce_status add_value_buffer(truce_program *p, int node) {
    engine_step *step = &p->steps[node];
    engine_leaf leaf = p->graph->nodes[node].leaf;
    if (leaf == ENGINE_PARAMETER || leaf == ENGINE_STATE) return TRUCE_OK;
    if (leaf == ENGINE_INPUT)
        return engine_plan_add(p->context, &p->plan, value_bytes(p, node), -1, engine_time_end(p),
                               &step->value);
    int input = engine_inputs(p->graph, node)[0];
    if (op_of(p, node)->flags & ENGINE_VIEW || can_overwrite(p, node)) {
        step->value = p->steps[input].value;
        return TRUCE_OK;
    }
    return engine_plan_add(p->context, &p->plan, value_bytes(p, node), node, node, &step->value);
}

static void use_value(truce_program *p, int node, int time) {
    if (p->steps[node].value >= 0) engine_plan_use(&p->plan, p->steps[node].value, time);
}

/* When values are read: by consumers forward, and by reverse calls that keep them. */
static void extend_lifetimes(truce_program *p, int node) {
    const engine_step *step = &p->steps[node];
    int back = engine_time_back(p, node), combine = engine_time_combine(p, node);
    use_value(p, node, node);
    if (p->is_output[node]) use_value(p, node, engine_time_end(p));
    if (keeps(p, node, ENGINE_KEEPS_OUTPUT)) use_value(p, node, step->combines ? combine : back);
    for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
        int input = engine_inputs(p->graph, node)[i];
        use_value(p, input, node);
        if (keeps(p, node, ENGINE_KEEPS_INPUTS)) use_value(p, input, step->combines ? combine : back);
    }
}

static truce_status add_saved_buffer(truce_program *p, int node) {
    engine_step *step = &p->steps[node];
    const engine_op *op = op_of(p, node);
    size_t bytes = op && op->saved_bytes ? op->saved_bytes(&step->call) : 0;
    if (bytes == 0) return TRUCE_OK;
    int last = p->is_output[node] ? engine_time_end(p)
               : !step->active    ? node
               : step->combines   ? engine_time_combine(p, node)
                                  : engine_time_back(p, node);
    /* losses are asked for their labels after the run */
    if (op->labelled) last = engine_time_end(p);
    return engine_plan_add(p->context, &p->plan, bytes, node, last, &step->saved);
}

/* The only consumer of a node through which gradients come back, or -1. */
static int only_active_consumer(const truce_program *p, int input) {
    int found = -1;
    for (int node = input + 1; node < p->graph->n_nodes; node++)
        for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
            if (engine_inputs(p->graph, node)[i] != input || !p->steps[node].active) continue;
            if (!engine_reach_flows(&p->parameters->reach, p->graph, node, i)) continue;
            if (found >= 0) return -1;
            found = node;
        }
    return found;
}

/*
 * The cotangent lives from the first reverse call that writes it to the node's own, or to combining. Where
 * the only writer is elementwise or a view, the cotangent of its result is overwritten.
 */
static truce_status add_cotangent_buffer(truce_program *p, int node) {
    engine_step *step = &p->steps[node];
    if (!step->active || p->graph->nodes[node].leaf == ENGINE_PARAMETER) return TRUCE_OK;
    int n_rows = p->per_task.n_rows ? p->per_task.n_rows[node] : 1;
    int consumer = only_active_consumer(p, node),
        last = step->combines ? engine_time_combine(p, node) : engine_time_back(p, node);
    bool is_loss = p->is_output[node] && p->shapes[node].n_dims == 0;
    if (consumer >= 0 && !is_loss && op_of(p, consumer)->flags & (ENGINE_IN_PLACE | ENGINE_VIEW) &&
        engine_inputs(p->graph, consumer)[0] == node && !p->steps[consumer].combines &&
        value_bytes(p, node) == value_bytes(p, consumer)) {
        step->cotangent = p->steps[consumer].cotangent;
        engine_plan_use(&p->plan, step->cotangent, last);
        return TRUCE_OK;
    }
    int first = engine_time_back(p, node);
    for (int other = node + 1; other < p->graph->n_nodes; other++)
        for (int i = 0; i < p->graph->nodes[other].n_inputs && p->steps[other].active; i++)
            if (engine_inputs(p->graph, other)[i] == node)
                first = BASE_MIN(first, engine_time_back(p, other));
    if (is_loss) first = p->graph->n_nodes;
    return engine_plan_add(p->context, &p->plan, value_bytes(p, node) * (size_t)n_rows, first, last,
                           &step->cotangent);
}

/* Formed rows live from their first reverse call (the last user in the graph) to the last, kept ones to the
 * end. */
static truce_status add_row_buffers(truce_program *p) {
    for (int item = 0; item < p->parameters->n_items && p->per_task.n_rows; item++) {
        if (p->ways[item] != ENGINE_KEPT && p->ways[item] != ENGINE_FORMED) continue;
        const truce_parameter *parameter = &p->parameters->items[item];
        size_t bytes = p->element * (size_t)parameter->size * (size_t)parameter->n_tasks;
        int last = p->ways[item] == ENGINE_KEPT ? engine_time_end(p) : engine_time_back(p, p->last_use[item]);
        BASE_TRY(
            engine_plan_add(p->context, &p->plan, bytes, p->graph->n_nodes, last, &p->row_buffers[item]));
    }
    return TRUCE_OK;
}

/* One scratch for all calls: the largest wish, and room for a weighted cotangent while combining. */
static truce_status add_scratch(truce_program *p) {
    for (int node = 0; node < p->graph->n_nodes; node++) {
        engine_step *step = &p->steps[node];
        const engine_op *op = op_of(p, node);
        if (!step->needed || !op) continue;
        size_t bytes = op->scratch_bytes ? op->scratch_bytes(&step->call) : 0;
        if (step->combines)
            bytes += (value_bytes(p, node) + BASE_ALIGNMENT) / BASE_ALIGNMENT * BASE_ALIGNMENT;
        if (step->products) bytes = BASE_MAX(bytes, op->gramian_bytes(&step->call));
        p->scratch_bytes = BASE_MAX(p->scratch_bytes, bytes);
    }
    return engine_plan_add(p->context, &p->plan, p->scratch_bytes, -1, engine_time_end(p), &p->scratch);
}

static truce_status plan_buffers(truce_program *p) {
    int n = p->graph->n_nodes;
    for (int node = 0; node < n; node++)
        if (p->steps[node].needed) BASE_TRY(add_value_buffer(p, node));
    for (int node = 0; node < n; node++)
        if (p->steps[node].needed) {
            extend_lifetimes(p, node);
            BASE_TRY(add_saved_buffer(p, node));
        }
    for (int node = n - 1; node >= 0; node--) BASE_TRY(add_cotangent_buffer(p, node));
    BASE_TRY(add_row_buffers(p));
    BASE_TRY(add_scratch(p));
    return engine_plan_solve(p->context, &p->plan);
}

/* Addresses of values, once the arena stands. */
static void connect_values(truce_program *p) {
    const truce_graph *graph = p->graph;
    for (int node = 0; node < graph->n_nodes; node++) {
        engine_step *step = &p->steps[node];
        int item = p->parameters->of_node[node];
        step->call.out = item >= 0 ? p->parameters->items[item].values : engine_buffer_at(p, step->value);
        if (graph->nodes[node].op != ENGINE_LEAF && op_of(p, node)->flags & ENGINE_VIEW)
            step->call.out = p->steps[engine_inputs(graph, node)[0]].call.out;
        step->call.saved = engine_buffer_at(p, step->saved);
        step->call.scratch = engine_buffer_at(p, p->scratch);
        for (int i = 0; i < graph->nodes[node].n_inputs; i++)
            p->in[graph->nodes[node].first_input + i] = p->steps[engine_inputs(graph, node)[i]].call.out;
    }
}

/* ---- life -------------------------------------------------------------------------------------------- */

static truce_status allocate_tables(truce_program *p) {
    truce_context *context = p->context;
    size_t n_nodes = (size_t)p->graph->n_nodes, n_edges = (size_t)p->graph->n_edges;
    size_t n_tasks = (size_t)p->graph->n_tasks, most_inputs = 1;
    for (size_t node = 0; node < n_nodes; node++)
        most_inputs = BASE_MAX(most_inputs, (size_t)p->graph->nodes[node].n_inputs);
    BASE_TRY(base_alloc(context, n_nodes, sizeof *p->steps, &p->steps));
    BASE_TRY(base_alloc(context, n_nodes, sizeof *p->shapes, &p->shapes));
    BASE_TRY(base_alloc(context, n_nodes, sizeof *p->is_output, &p->is_output));
    BASE_TRY(base_alloc(context, n_edges, sizeof *p->in, &p->in));
    BASE_TRY(base_alloc(context, n_edges, sizeof *p->in_shapes, &p->in_shapes));
    BASE_TRY(base_alloc(context, most_inputs, sizeof *p->d_in, &p->d_in));
    BASE_TRY(base_alloc(context, most_inputs, sizeof *p->d_stride, &p->d_stride));
    BASE_TRY(base_alloc(context, most_inputs, sizeof *p->adds, &p->adds));
    BASE_TRY(base_alloc(context, n_tasks * n_tasks, sizeof *p->small_gramian, &p->small_gramian));
    BASE_TRY(base_alloc(context, n_tasks, sizeof *p->row_weights, &p->row_weights));
    for (size_t node = 0; node < n_nodes; node++)
        p->steps[node].value = p->steps[node].cotangent = p->steps[node].saved = -1;
    return TRUCE_OK;
}

static truce_status allocate_blocks(truce_program *p) {
    const truce_parameters *parameters = p->parameters;
    size_t n_tasks = (size_t)p->graph->n_tasks;
    BASE_TRY(base_alloc_aligned(p->context, p->plan.bytes, 1, &p->arena));
    if (p->config.gradients == TRUCE_GRADIENT_NONE) return TRUCE_OK;
    BASE_TRY(base_alloc_aligned(p->context, (size_t)parameters->n, p->element, &p->gradient));
    if (p->config.gradients == TRUCE_GRADIENT_JACOBIAN)
        BASE_TRY(base_alloc_aligned(p->context, n_tasks * (size_t)parameters->n_shared, p->element,
                                    &p->jacobian_rows));
    return TRUCE_OK;
}

static double count_flops(const truce_program *p) {
    double flops = 0;
    for (int node = 0; node < p->graph->n_nodes; node++) {
        const engine_op *op = op_of(p, node);
        if (!p->steps[node].needed || !op || !op->forward) continue;
        flops += op->flops ? op->flops(&p->steps[node].call)
                           : (double)truce_shape_size(&p->steps[node].call.out_shape);
    }
    return flops;
}

static truce_status compile(truce_program *p) {
    BASE_TRY(allocate_tables(p));
    set_batch(p, p->config.max_batch);
    BASE_TRY(check_sizes(p));
    describe_calls(p);
    mark_needed(p);
    BASE_TRY(engine_sweeps_prepare(p));
    BASE_TRY(plan_buffers(p));
    BASE_TRY(allocate_blocks(p));
    connect_values(p);
    p->flops = count_flops(p);
    BASE_TRY(engine_sweeps_connect(p));
    return engine_jacobian_create(p);
}

static truce_status check_config(truce_parameters *parameters, const truce_program_config *config) {
    truce_context *context = parameters->context;
    if (config->max_batch < 1)
        return base_fail(context, TRUCE_ERROR_RANGE, "a program needs a max_batch of at least 1");
    for (int i = 0; i < config->n_outputs; i++)
        if (config->outputs[i] < 0 || config->outputs[i] >= parameters->graph->n_nodes)
            return base_fail(context, TRUCE_ERROR_ARGUMENT, "output %d is not a node of the graph", i);
    if (config->gradients != TRUCE_GRADIENT_NONE &&
        (parameters->graph->n_tasks == 0 || config->without_losses))
        return base_fail(context, TRUCE_ERROR_ARGUMENT, "gradients need at least one task with a loss");
    return TRUCE_OK;
}

truce_status truce_program_create(truce_parameters *parameters, const truce_program_config *config,
                                  truce_program **out) {
    truce_program *p = NULL;
    BASE_TRY(check_config(parameters, config));
    BASE_TRY(base_alloc(parameters->context, 1, sizeof *p, &p));
    p->context = parameters->context;
    p->graph = parameters->graph;
    p->parameters = parameters;
    p->backend = engine_backend_best(parameters->dtype);
    p->element = truce_dtype_bytes(parameters->dtype);
    p->config = *config;
    truce_status status = compile(p);
    p->config.outputs = NULL; /* the caller's */
    if (status) {
        truce_program_destroy(p);
        return status;
    }
    *out = p;
    return TRUCE_OK;
}

void truce_program_destroy(truce_program *p) {
    if (!p) return;
    truce_context *context = p->context;
    engine_jacobian_destroy(p);
    engine_sweeps_free(p);
    base_free_aligned(context, p->jacobian_rows);
    base_free_aligned(context, p->gradient);
    base_free_aligned(context, p->arena);
    engine_plan_free(context, &p->plan);
    base_free(context, p->row_weights);
    base_free(context, p->small_gramian);
    base_free(context, p->adds);
    base_free(context, p->d_stride);
    base_free(context, p->d_in);
    base_free(context, p->in_shapes);
    base_free(context, p->in);
    base_free(context, p->is_output);
    base_free(context, p->shapes);
    base_free(context, p->steps);
    base_free(context, p);
}

void *truce_program_values(truce_program *p, truce_node node) {
    if (node < 0 || node >= p->graph->n_nodes || !p->steps[node].needed) return NULL;
    bool readable = p->graph->nodes[node].leaf != ENGINE_NOT_A_LEAF || p->is_output[node];
    return readable ? p->steps[node].call.out : NULL;
}

size_t truce_program_bytes(const truce_program *p) {
    return p->plan.bytes;
}

double truce_program_flops(const truce_program *p) {
    return p->flops;
}

/* ---- forward ----------------------------------------------------------------------------------------- */

static truce_status run_nodes(truce_program *p) {
    char text[96];
    for (int node = 0; node < p->graph->n_nodes; node++) {
        engine_step *step = &p->steps[node];
        const engine_op *op = op_of(p, node);
        if (!step->needed || !op || !op->forward) continue;
        step->call.seed = p->run.seed;
        step->call.step = p->run.step;
        step->call.freeze_state = p->run.freeze_state;
        op->forward(&step->call);
        if (p->run_status)
            return base_fail(p->context, p->run_status, "%s: an index is out of range",
                             engine_node_text(p->graph, node, text, sizeof text));
    }
    return TRUCE_OK;
}

truce_status truce_program_forward(truce_program *p, const truce_run *run) {
    if (run->n_rows < 0 || run->n_rows > p->config.max_batch)
        return base_fail(p->context, TRUCE_ERROR_RANGE,
                         "a run of %lld rows, but the program has room for %lld", (long long)run->n_rows,
                         (long long)p->config.max_batch);
    if (run->n_rows != p->run.n_rows) set_batch(p, run->n_rows);
    p->run = *run;
    p->run_status = TRUCE_OK;
    engine_jacobian_reset(p);
    return run_nodes(p);
}
