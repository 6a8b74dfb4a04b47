/*
 * Going back through a program: deciding how each parameter's gradient is had (prepare), where every gradient
 * goes (connect), and doing it. See program.h for the ways.
 */
#include "engine/program.h"

#include <string.h>

static const engine_op *op_of(const truce_program *p, int node) {
    return p->backend->ops[p->graph->nodes[node].op];
}

static int item_of(const truce_program *p, int node, int i) {
    return p->parameters->of_node[engine_inputs(p->graph, node)[i]];
}

static bool flows(const truce_program *p, int node, int i) {
    return p->steps[node].active && engine_reach_flows(&p->parameters->reach, p->graph, node, i);
}

static bool is_leaf(const truce_program *p, int node) {
    return p->graph->nodes[node].op == ENGINE_LEAF;
}

/* ---- deciding ---------------------------------------------------------------------------------------- */

/* Rows are kept where they take no more than this times the memory of the cotangents they are made from. */
#define KEPT_ROWS_PER_COTANGENT 2

static bool per_task(const truce_program *p) {
    return p->config.gradients >= TRUCE_GRADIENT_GRAMIAN;
}

static void count_rows(truce_program *p, int *n_rows, bool each_task) {
    for (int node = 0; node < p->graph->n_nodes; node++) {
        bool has = p->steps[node].active && !is_leaf(p, node);
        n_rows[node] = !has ? 0 : each_task ? engine_reach_count(&p->parameters->reach, node) : 1;
    }
}

static void count_uses(truce_program *p) {
    for (int item = 0; item < p->parameters->n_items; item++) p->last_use[item] = p->row_buffers[item] = -1;
    for (int node = p->graph->n_nodes - 1; node >= 0; node--)
        for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
            int item = item_of(p, node, i);
            if (item < 0 || !flows(p, node, i)) continue;
            p->n_uses[item]++;
            p->last_use[item] = node;
        }
}

static bool is_shared(const truce_program *p, int item) {
    return item >= 0 && p->parameters->items[item].n_tasks >= 2;
}

static bool small_rows(const truce_program *p, int node, int item) {
    const truce_parameter *parameter = &p->parameters->items[item];
    return parameter->size <= KEPT_ROWS_PER_COTANGENT * truce_shape_size(&p->shapes[node]);
}

/* Bits of the inputs that are shared parameters which only this node uses, for exactly its own tasks. */
static unsigned only_users(const truce_program *p, int node) {
    unsigned bits = 0;
    for (int i = 0; i < BASE_MIN(p->graph->nodes[node].n_inputs, 32); i++) {
        int item = item_of(p, node, i);
        if (!is_shared(p, item) || !flows(p, node, i) || p->n_uses[item] != 1) continue;
        if (p->parameters->items[item].n_tasks == p->per_task.n_rows[node]) bits |= 1u << i;
    }
    return bits;
}

/* Whether multiplying without forming is the cheapest way for this node's parameters. */
static bool product_pays(truce_program *p, int node, unsigned bits) {
    const engine_op *op = op_of(p, node);
    engine_call *call = &p->steps[node].call;
    if (!bits || !op->gramian) return false;
    int largest = -1;
    for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
        int item = item_of(p, node, i);
        if (!(bits >> i & 1u)) continue;
        if (largest < 0 || p->parameters->items[item].size > p->parameters->items[largest].size)
            largest = item;
    }
    call->n_rows = p->per_task.n_rows[node];
    engine_costs costs = op->gramian_costs(call);
    double keeping = (double)p->parameters->items[largest].size * call->n_rows;
    double otherwise = costs.formed + (small_rows(p, node, largest) ? keeping : costs.again);
    return costs.product + costs.again < otherwise;
}

static void choose_ways_of_node(truce_program *p, int node) {
    engine_step *step = &p->steps[node];
    unsigned alone = only_users(p, node);
    bool product = product_pays(p, node, alone);
    for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
        int item = item_of(p, node, i);
        if (!is_shared(p, item) || !flows(p, node, i)) continue;
        bool multiplied = product && i < 32 && alone >> i & 1u;
        p->ways[item] = multiplied                             ? ENGINE_PRODUCT
                        : i >= 32 || small_rows(p, node, item) ? ENGINE_KEPT
                                                               : ENGINE_FORMED;
        if (multiplied) step->products |= 1u << i;
    }
}

/* Once all ways are known: which nodes run again, and for which inputs. */
static void choose_again(truce_program *p) {
    for (int node = p->graph->n_nodes - 1; node >= 0; node--) {
        engine_step *step = &p->steps[node];
        for (int i = 0; i < BASE_MIN(p->graph->nodes[node].n_inputs, 32); i++) {
            int item = item_of(p, node, i);
            if (!is_shared(p, item) || !flows(p, node, i)) continue;
            if (p->ways[item] != ENGINE_FORMED && p->ways[item] != ENGINE_PRODUCT) continue;
            step->combines = true;
            step->again |= 1u << i;
            /* --n_uses would do to find the first one, but the count is still needed */
            bool first = true;
            for (int later = node + 1; later < p->graph->n_nodes && first; later++)
                for (int j = 0; j < p->graph->nodes[later].n_inputs; j++)
                    if (item_of(p, later, j) == item && flows(p, later, j)) first = false;
            for (int j = 0; j < i; j++)
                if (item_of(p, node, j) == item && flows(p, node, j)) first = false;
            if (!first) step->again_adds |= 1u << i;
        }
    }
}

static void choose_ways(truce_program *p) {
    bool jacobian = p->config.gradients == TRUCE_GRADIENT_JACOBIAN;
    for (int item = 0; item < p->parameters->n_items; item++)
        p->ways[item] = is_shared(p, item) && jacobian ? ENGINE_JACOBIAN : ENGINE_DIRECT;
    if (jacobian) return;
    for (int node = 0; node < p->graph->n_nodes; node++)
        if (p->per_task.n_rows[node]) choose_ways_of_node(p, node);
    choose_again(p);
}

static truce_status allocate_sweep(truce_program *p, engine_sweep *sweep, bool each_task) {
    const truce_graph *graph = p->graph;
    size_t n_rows = 0;
    BASE_TRY(base_alloc(p->context, (size_t)graph->n_nodes, sizeof *sweep->n_rows, &sweep->n_rows));
    BASE_TRY(base_alloc(p->context, (size_t)graph->n_edges, sizeof *sweep->edges, &sweep->edges));
    count_rows(p, sweep->n_rows, each_task);
    for (int node = 0; node < graph->n_nodes; node++)
        n_rows += (size_t)sweep->n_rows[node] * (size_t)graph->nodes[node].n_inputs;
    return base_alloc(p->context, n_rows, sizeof *sweep->row_lists, &sweep->row_lists);
}

truce_status engine_sweeps_prepare(truce_program *p) {
    if (p->config.gradients == TRUCE_GRADIENT_NONE) return TRUCE_OK;
    size_t n_items = (size_t)p->parameters->n_items;
    BASE_TRY(base_alloc(p->context, n_items, sizeof *p->ways, &p->ways));
    BASE_TRY(base_alloc(p->context, n_items, sizeof *p->row_buffers, &p->row_buffers));
    BASE_TRY(base_alloc(p->context, n_items, sizeof *p->n_uses, &p->n_uses));
    BASE_TRY(base_alloc(p->context, n_items, sizeof *p->last_use, &p->last_use));
    count_uses(p);
    BASE_TRY(allocate_sweep(p, &p->weighted, false));
    if (!per_task(p)) return TRUCE_OK;
    BASE_TRY(allocate_sweep(p, &p->per_task, true));
    choose_ways(p);
    return TRUCE_OK;
}

static void free_sweep(truce_context *context, engine_sweep *sweep) {
    base_free(context, sweep->n_rows);
    base_free(context, sweep->edges);
    base_free(context, sweep->row_lists);
}

void engine_sweeps_free(truce_program *p) {
    free_sweep(p->context, &p->per_task);
    free_sweep(p->context, &p->weighted);
    base_free(p->context, p->last_use);
    base_free(p->context, p->n_uses);
    base_free(p->context, p->row_buffers);
    base_free(p->context, p->ways);
}

/* ---- connecting -------------------------------------------------------------------------------------- */

/* While connecting: which rows of every target have been written so far. */
typedef struct tracking {
    unsigned char *written; /* [n_targets][n_tasks]; targets are nodes, then parameters */
    engine_edge **first;    /* [n_targets] the edge that writes first */
    bool *mixed;            /* [n_targets] some call finds only a part of its rows written */
    int n_tasks;
} tracking;

static int target_of(const truce_program *p, int input) {
    int item = p->parameters->of_node[input];
    return item >= 0 ? p->graph->n_nodes + item : input;
}

/* The row of a target that holds task `task`. */
static int row_of(const truce_program *p, int input, int task) {
    int item = p->parameters->of_node[input];
    if (item >= 0 && p->ways[item] == ENGINE_JACOBIAN) return task;
    return engine_reach_rank(&p->parameters->reach, input, task);
}

static int target_rows(const truce_program *p, const engine_sweep *sweep, int input) {
    if (sweep == &p->weighted) return 1;
    int item = p->parameters->of_node[input];
    if (item < 0) return sweep->n_rows[input];
    return p->ways[item] == ENGINE_JACOBIAN ? p->graph->n_tasks
                                            : BASE_MAX(1, p->parameters->items[item].n_tasks);
}

static void locate_parameter(truce_program *p, const engine_sweep *sweep, int item, engine_edge *edge) {
    const truce_parameter *parameter = &p->parameters->items[item];
    engine_way way = sweep == &p->weighted ? ENGINE_DIRECT : p->ways[item];
    size_t offset = p->element * (size_t)parameter->offset;
    edge->stride = parameter->size;
    if (way == ENGINE_DIRECT) edge->base = p->gradient + offset;
    if (way == ENGINE_KEPT || way == ENGINE_FORMED) edge->base = engine_buffer_at(p, p->row_buffers[item]);
    if (way == ENGINE_JACOBIAN) {
        edge->base = p->jacobian_rows + offset;
        edge->stride = p->parameters->n_shared;
    }
}

/* Rows of the target for each cotangent of the node; consecutive ones need no list. */
static int *list_rows(truce_program *p, engine_sweep *sweep, int node, int input, int *list,
                      engine_edge *edge) {
    int n = 0;
    bool consecutive = true;
    if (sweep == &p->weighted) {
        edge->first_row = 0;
        return list;
    }
    const engine_reach *reach = &p->parameters->reach;
    for (int task = engine_reach_next(reach, node, -1); task >= 0;
         task = engine_reach_next(reach, node, task)) {
        list[n] = row_of(p, input, task);
        consecutive = consecutive && list[n] == list[0] + n;
        n++;
    }
    edge->first_row = list[0];
    edge->rows = consecutive ? NULL : list;
    return list + n;
}

static void track(tracking *t, engine_edge *edge, int target, int n_rows) {
    unsigned char *written = t->written + (size_t)target * (size_t)t->n_tasks;
    int n_written = 0;
    for (int k = 0; k < n_rows; k++) n_written += written[edge->rows ? edge->rows[k] : edge->first_row + k];
    for (int k = 0; k < n_rows; k++) written[edge->rows ? edge->rows[k] : edge->first_row + k] = 1;
    edge->adds = n_written == n_rows;
    if (n_written && n_written < n_rows) t->mixed[target] = true;
    if (!t->first[target]) t->first[target] = edge;
}

/* A loss starts with its seed, so whatever else flows into it adds to that. */
static void mark_seeds(truce_program *p, const engine_sweep *sweep, tracking *t) {
    for (int task = 0; task < p->graph->n_tasks; task++) {
        int loss = p->graph->tasks[task].loss;
        memset(t->written + (size_t)loss * (size_t)t->n_tasks, 1, (size_t)sweep->n_rows[loss]);
    }
}

static void connect_edges(truce_program *p, engine_sweep *sweep, tracking *t) {
    int *list = sweep->row_lists;
    mark_seeds(p, sweep, t);
    for (int node = p->graph->n_nodes - 1; node >= 0; node--)
        for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
            engine_edge *edge = &sweep->edges[p->graph->nodes[node].first_input + i];
            int input = engine_inputs(p->graph, node)[i], item = p->parameters->of_node[input];
            if (!sweep->n_rows[node] || !flows(p, node, i)) continue;
            if (item >= 0)
                locate_parameter(p, sweep, item, edge);
            else
                edge->base = engine_buffer_at(p, p->steps[input].cotangent);
            if (!edge->base) continue;
            list = list_rows(p, sweep, node, input, list, edge);
            track(t, edge, target_of(p, input), sweep->n_rows[node]);
        }
}

static void clear_mixed(truce_program *p, engine_sweep *sweep, const tracking *t) {
    for (int edge = 0; edge < p->graph->n_edges; edge++) {
        int input = p->graph->edges[edge], target = target_of(p, input);
        if (!sweep->edges[edge].base || !t->mixed[target]) continue;
        sweep->edges[edge].adds = true;
        if (t->first[target] == &sweep->edges[edge]) sweep->edges[edge].clears = target_rows(p, sweep, input);
    }
}

static truce_status connect(truce_program *p, engine_sweep *sweep) {
    size_t n_targets = (size_t)(p->graph->n_nodes + p->parameters->n_items);
    tracking t = {.n_tasks = p->graph->n_tasks};
    truce_status status = base_alloc(p->context, n_targets * (size_t)t.n_tasks, 1, &t.written);
    if (!status) status = base_alloc(p->context, n_targets, sizeof *t.first, &t.first);
    if (!status) status = base_alloc(p->context, n_targets, sizeof *t.mixed, &t.mixed);
    if (!status) {
        connect_edges(p, sweep, &t);
        clear_mixed(p, sweep, &t);
    }
    base_free(p->context, t.mixed);
    base_free(p->context, t.first);
    base_free(p->context, t.written);
    return status;
}

truce_status engine_sweeps_connect(truce_program *p) {
    if (p->config.gradients == TRUCE_GRADIENT_NONE) return TRUCE_OK;
    BASE_TRY(connect(p, &p->weighted));
    return per_task(p) ? connect(p, &p->per_task) : TRUCE_OK;
}

/* ---- going back -------------------------------------------------------------------------------------- */

static int64_t node_size(const truce_program *p, int node) {
    return truce_shape_size(&p->shapes[node]);
}

/* A view's gradient is its cotangent, unless both are the same memory. */
static void view_vjp(const truce_program *p, const engine_call *call) {
    int64_t n = truce_shape_size(&call->out_shape);
    for (int k = 0; k < call->n_rows && call->d_in[0]; k++) {
        char *to = (char *)call->d_in[0] + (size_t)(k * call->d_stride[0]) * p->element;
        const char *from = (const char *)call->cotangent + (size_t)(k * n) * p->element;
        if (to == from) continue;
        if (call->adds[0])
            p->backend->vectors->add(to, from, n);
        else
            memcpy(to, from, (size_t)n * p->element);
    }
}

static void call_vjp(const truce_program *p, int node, const engine_call *call) {
    const engine_op *op = op_of(p, node);
    if (op->flags & ENGINE_VIEW)
        view_vjp(p, call);
    else
        op->vjp(call);
}

/* Which inputs a call serves: all, or only those that lie within the node's own task, or only the others. */
typedef enum served { SERVE_ALL, SERVE_OWN, SERVE_SHARED } served;

static bool serves(const truce_program *p, int input, served which) {
    if (which == SERVE_ALL) return true;
    return (engine_reach_count(&p->parameters->reach, input) >= 2) == (which == SERVE_SHARED);
}

/* Sets d_in, d_stride and adds for cotangents from `row` on; true if some input is served by rows of
 * its own. */
static bool aim(truce_program *p, const engine_sweep *sweep, int node, int row, served which) {
    const engine_node *n = &p->graph->nodes[node];
    bool scattered = false;
    for (int i = 0; i < n->n_inputs; i++) {
        const engine_edge *edge = &sweep->edges[n->first_input + i];
        int input = p->graph->edges[n->first_input + i];
        int64_t stride = edge->stride ? edge->stride : node_size(p, input);
        bool wanted = edge->base && serves(p, input, which);
        int at = edge->rows ? edge->rows[row] : edge->first_row + row;
        p->d_in[i] = wanted ? edge->base + (size_t)(at * stride) * p->element : NULL;
        p->d_stride[i] = stride;
        p->adds[i] = edge->adds;
        scattered = scattered || (wanted && edge->rows);
        if (wanted && row == 0)
            for (int k = 0; k < edge->clears; k++)
                memset(edge->base + (size_t)(k * stride) * p->element, 0,
                       (size_t)node_size(p, input) * p->element);
    }
    return scattered;
}

static void go_back(truce_program *p, const engine_sweep *sweep, int node, served which) {
    engine_step *step = &p->steps[node];
    engine_call *call = &step->call;
    char *cotangents = engine_buffer_at(p, step->cotangent);
    int n_rows = sweep->n_rows[node];
    bool scattered = aim(p, sweep, node, 0, which);
    call->cotangent = cotangents;
    call->n_rows = scattered ? 1 : n_rows;
    call_vjp(p, node, call);
    for (int row = 1; row < n_rows && scattered; row++) {
        aim(p, sweep, node, row, which);
        call->cotangent = cotangents + (size_t)(row * node_size(p, node)) * p->element;
        call_vjp(p, node, call);
    }
    call->cotangent = cotangents;
    call->n_rows = n_rows;
}

static void seed_losses(truce_program *p, const engine_sweep *sweep, const double *seeds) {
    const truce_graph *graph = p->graph;
    for (int task = 0; task < graph->n_tasks; task++) {
        int loss = graph->tasks[task].loss;
        if (sweep->n_rows[loss])
            memset(engine_buffer_at(p, p->steps[loss].cotangent), 0,
                   (size_t)sweep->n_rows[loss] * p->element);
    }
    for (int task = 0; task < graph->n_tasks; task++) {
        int loss = graph->tasks[task].loss;
        bool each = sweep == &p->per_task;
        if (!sweep->n_rows[loss]) continue;
        char *cotangent = engine_buffer_at(p, p->steps[loss].cotangent);
        int row = each ? engine_reach_rank(&p->parameters->reach, loss, task) : 0;
        double before = p->backend->vectors->get(cotangent, row);
        p->backend->vectors->set(cotangent, row, before + (seeds ? seeds[task] : 1));
    }
}

/* A task's own node: its own part with seed 1, then the weight, then what enters shared nodes. */
static void go_back_own(truce_program *p, int node, double weight) {
    engine_step *step = &p->steps[node];
    go_back(p, &p->weighted, node, SERVE_OWN);
    bool enters_shared = false;
    for (int i = 0; i < p->graph->nodes[node].n_inputs; i++)
        enters_shared =
            enters_shared || (flows(p, node, i) && serves(p, engine_inputs(p->graph, node)[i], SERVE_SHARED));
    if (!enters_shared) return;
    p->backend->vectors->scale(engine_buffer_at(p, step->cotangent), weight, node_size(p, node));
    go_back(p, &p->weighted, node, SERVE_SHARED);
}

void engine_sweep_weighted(truce_program *p, const double *weights, truce_own_gradient own) {
    bool plain = own == TRUCE_OWN_PLAIN;
    const truce_graph *graph = p->graph;
    for (int task = 0; task < graph->n_tasks; task++) {
        bool own_loss = p->steps[graph->tasks[task].loss].own_task == task;
        p->row_weights[task] = plain && own_loss ? 1 : weights[task];
    }
    seed_losses(p, &p->weighted, p->row_weights);
    for (int node = graph->n_nodes - 1; node >= 0; node--) {
        int task = p->steps[node].own_task;
        if (!p->weighted.n_rows[node]) continue;
        if (plain && task >= 0)
            go_back_own(p, node, weights[task]);
        else
            go_back(p, &p->weighted, node, SERVE_ALL);
    }
}

/* Adds products of a node's or parameter's rows where its tasks stand in the whole Gramian. */
static void add_gramian(const truce_program *p, int node, const double *small, double *gramian) {
    const engine_reach *reach = &p->parameters->reach;
    int n = engine_reach_count(reach, node), T = p->graph->n_tasks, i = 0;
    for (int s = engine_reach_next(reach, node, -1); s >= 0; s = engine_reach_next(reach, node, s), i++) {
        int j = 0;
        for (int t = engine_reach_next(reach, node, -1); t >= 0; t = engine_reach_next(reach, node, t), j++)
            gramian[s * T + t] += small[i * n + j];
    }
}

static void multiply_rows(truce_program *p, int item, int leaf, double *gramian) {
    const truce_parameter *parameter = &p->parameters->items[item];
    const char *rows = engine_buffer_at(p, p->row_buffers[item]);
    size_t bytes = (size_t)parameter->size * p->element;
    int n = parameter->n_tasks;
    for (int s = 0; s < n; s++)
        for (int t = 0; t <= s; t++)
            p->small_gramian[s * n + t] = p->small_gramian[t * n + s] =
                p->backend->vectors->dot(rows + (size_t)s * bytes, rows + (size_t)t * bytes, parameter->size);
    add_gramian(p, leaf, p->small_gramian, gramian);
}

static void collect_products(truce_program *p, int node, double *gramian) {
    engine_step *step = &p->steps[node];
    if (step->products) {
        int n = p->per_task.n_rows[node];
        memset(p->small_gramian, 0, (size_t)(n * n) * sizeof(double));
        op_of(p, node)->gramian(&step->call, step->products, p->small_gramian);
        add_gramian(p, node, p->small_gramian, gramian);
    }
    for (int i = 0; i < p->graph->nodes[node].n_inputs; i++) {
        int item = item_of(p, node, i), leaf = engine_inputs(p->graph, node)[i];
        if (item < 0 || p->last_use[item] != node || !flows(p, node, i)) continue;
        if (p->ways[item] != ENGINE_KEPT && p->ways[item] != ENGINE_FORMED) continue;
        bool repeated = false; /* the same parameter twice in one call */
        for (int j = 0; j < i; j++) repeated = repeated || (item_of(p, node, j) == item && flows(p, node, j));
        if (!repeated) multiply_rows(p, item, leaf, gramian);
    }
}

void engine_sweep_per_task(truce_program *p, double *gramian) {
    seed_losses(p, &p->per_task, NULL);
    for (int node = p->graph->n_nodes - 1; node >= 0; node--) {
        if (!p->per_task.n_rows[node]) continue;
        go_back(p, &p->per_task, node, SERVE_ALL);
        if (gramian) collect_products(p, node, gramian);
    }
}

/* The weights of a node's tasks, in the order of its rows. */
static int pick_weights(truce_program *p, int node, const double *weights) {
    const engine_reach *reach = &p->parameters->reach;
    int n = 0;
    for (int task = engine_reach_next(reach, node, -1); task >= 0;
         task = engine_reach_next(reach, node, task))
        p->row_weights[n++] = weights[task];
    return n;
}

static void combine_kept(truce_program *p, int leaf, int item, const double *weights) {
    const truce_parameter *parameter = &p->parameters->items[item];
    engine_rows rows = {.values = engine_buffer_at(p, p->row_buffers[item]),
                        .stride = parameter->size,
                        .n = parameter->size,
                        .n_rows = pick_weights(p, leaf, weights)};
    p->backend->vectors->combine(p->context->team, &rows, p->row_weights,
                                 p->gradient + (size_t)parameter->offset * p->element);
}

/* Runs a node's reverse call for its parameters only, on the weighted sum of its cotangents. */
static void combine_again(truce_program *p, int node, const double *weights) {
    engine_step *step = &p->steps[node];
    engine_call call = step->call;
    const engine_op *op = op_of(p, node);
    int64_t n = node_size(p, node);
    size_t own_scratch = op->scratch_bytes ? op->scratch_bytes(&call) : 0;
    size_t skip = (own_scratch + BASE_ALIGNMENT - 1) / BASE_ALIGNMENT * BASE_ALIGNMENT;
    char *sum = (char *)call.scratch + skip;
    engine_rows rows = {.values = engine_buffer_at(p, step->cotangent),
                        .stride = n,
                        .n = n,
                        .n_rows = pick_weights(p, node, weights)};
    p->backend->vectors->combine(p->context->team, &rows, p->row_weights, sum);
    for (int i = 0; i < call.n_inputs; i++) {
        int item = item_of(p, node, i);
        bool wanted = i < 32 && step->again >> i & 1u;
        p->d_in[i] = wanted ? p->gradient + (size_t)p->parameters->items[item].offset * p->element : NULL;
        p->d_stride[i] = wanted ? p->parameters->items[item].size : 0;
        p->adds[i] = i < 32 && step->again_adds >> i & 1u;
    }
    call.cotangent = sum;
    call.n_rows = 1;
    op->vjp(&call);
}

void engine_sweep_combine(truce_program *p, const double *weights) {
    const truce_graph *graph = p->graph;
    if (p->config.gradients == TRUCE_GRADIENT_JACOBIAN) {
        engine_rows rows = {.values = p->jacobian_rows,
                            .stride = p->parameters->n_shared,
                            .n = p->parameters->n_shared,
                            .n_rows = graph->n_tasks};
        p->backend->vectors->combine(p->context->team, &rows, weights, p->gradient);
        return;
    }
    for (int node = graph->n_nodes - 1; node >= 0; node--) {
        int item = p->parameters->of_node[node];
        if (item >= 0 && p->n_uses[item] && p->ways[item] == ENGINE_KEPT)
            combine_kept(p, node, item, weights);
        if (p->steps[node].combines) combine_again(p, node, weights);
    }
}
