/*
 * GO4Align, as its code has it: risks p_i <- p_i e^(-eta L_i) / sum, scores u_i = p_i sum_j L_j / L_i,
 * k-means on the scores, and each task gets its cluster's center as weight. The official code runs k-means
 * from random starts; on a line the optimum can be found exactly, by dynamic programming over the sorted
 * scores, and is here.
 */
#include "balance/numbers.h"
#include "balance/table.h"

typedef struct go4align {
    double eta;
    int64_t groups;
    double *log_risks;           /* [T] state */
    double *sorted, *cost, *cut; /* [T], [T][T + 1] twice */
    int *order;                  /* [T] */
} go4align;

static const truce_option options[] = {
    BALANCE_REAL(go4align, eta, "0.0001", 0, 1e6, "robust step size"),
    BALANCE_INTEGER(go4align, groups, "1", 1, 1e9, "clusters of tasks"),
};

static truce_status prepare(truce_balancer *balancer, void *self) {
    go4align *m = self;
    size_t tasks = (size_t)balance_tasks(balancer);
    double *order = NULL;
    BASE_TRY(balance_keep(balancer, "log_risks", BALANCE_TASK, 0, &m->log_risks));
    BASE_TRY(balance_scratch(balancer, tasks, &m->sorted));
    BASE_TRY(balance_scratch(balancer, tasks * (tasks + 1), &m->cost));
    BASE_TRY(balance_scratch(balancer, tasks * (tasks + 1), &m->cut));
    BASE_TRY(balance_scratch(balancer, tasks, &order));
    m->order = (int *)(void *)order;
    return TRUCE_OK;
}

static void sort_scores(go4align *m, int n, const double *scores) {
    for (int i = 0; i < n; i++) {
        int k = i;
        for (; k > 0 && scores[m->order[k - 1]] > scores[i]; k--) m->order[k] = m->order[k - 1];
        m->order[k] = i;
    }
    for (int i = 0; i < n; i++) m->sorted[i] = scores[m->order[i]];
}

/* cost[k][e]: the least sum of squares of the first e scores in k + 1 clusters; cut[k][e]: where its last
 * begins. */
static void cluster(go4align *m, int n, int groups) {
    for (int e = 0; e <= n; e++) m->cut[e] = m->cost[e] = 0;
    for (int k = 0; k < groups; k++)
        for (int e = k + 1; e <= n; e++) {
            double mean = 0, squares = 0, *best = &m->cost[k * (n + 1) + e];
            bool any = false;
            for (int b = e - 1; b >= k; b--) { /* the last cluster is [b, e); Welford's update on its left */
                double off = m->sorted[b] - mean;
                mean += off / (e - b);
                squares += off * (m->sorted[b] - mean);
                double before = k > 0 ? m->cost[(k - 1) * (n + 1) + b] : 0;
                if ((k == 0 && b > 0) || (any && before + squares >= *best)) continue;
                any = true;
                *best = before + squares;
                m->cut[k * (n + 1) + e] = b;
            }
        }
}

static void take_centers(const go4align *m, int n, int groups, double *weights) {
    for (int k = groups - 1, end = n; k >= 0; k--) {
        int first = k > 0 ? (int)m->cut[k * (n + 1) + end] : 0;
        double center = balance_total(end - first, m->sorted + first) / (end - first);
        for (int i = first; i < end; i++) weights[m->order[i]] = center;
        end = first;
    }
}

static truce_status weigh(truce_balancer *balancer, void *self, const balance_step *step, double *weights) {
    go4align *m = self;
    int n = step->n, groups = (int)BASE_MIN(m->groups, n);
    (void)balancer;
    for (int i = 0; i < n; i++) m->log_risks[i] -= m->eta * step->losses[i];
    balance_softmax(n, m->log_risks, weights);
    double total = balance_total(n, step->losses);
    for (int i = 0; i < n; i++) weights[i] *= total / step->losses[i];
    sort_scores(m, n, weights);
    cluster(m, n, groups);
    take_centers(m, n, groups, weights);
    return TRUCE_OK;
}

const balance_method balance_go4align = {
    .about = {.name = "go4align",
              .title = "Group optimisation for multi-task alignment",
              .reference = "Shen et al., NeurIPS 2024, arXiv 2404.06486",
              .summary = "Weighs groups of tasks with like risks by their common risk.",
              .needs = TRUCE_NEEDS_LOSSES,
              .properties = TRUCE_WEIGHTED | TRUCE_STATEFUL,
              .heads = TRUCE_HEADS_WEIGHTED,
              .options = options,
              .n_options = BASE_COUNT(options)},
    .bytes = sizeof(go4align),
    .internal = BALANCE_POSITIVE_LOSSES,
    .prepare = prepare,
    .weigh = weigh,
};
