/* Trains one network for two tasks on arrays in memory: what a number is, and whether it is positive.
 * cc two_tasks.c $(pkg-config --cflags --libs truce) -o two_tasks */
#include <stdio.h>
#include <stdlib.h>
#include <truce/truce.h>

enum { ROWS = 2000, WIDTH = 8 };

static void must(truce_context *context, truce_status status) {
    if (!status) return;
    fprintf(stderr, "%s\n", truce_context_message(context));
    exit(1);
}

int main(void) {
    static float x[ROWS][WIDTH], value[ROWS], positive[ROWS];
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < WIDTH; k++) x[i][k] = (float)rand() / (float)RAND_MAX - 0.5f;
        value[i] = 3 * x[i][0] * x[i][1] + x[i][2];
        positive[i] = value[i] > 0;
    }
    truce_context *context;
    truce_dataset *data;
    truce_recipe *recipe;
    truce_trainer *trainer;
    truce_task_result results[2];
    must(NULL, truce_context_create(NULL, &context));
    must(context, truce_dataset_create(context, ROWS, &data));
    must(context, truce_dataset_add_input(data, &(truce_input){.name = "x", .row_shape = {1, {WIDTH}}}, x));
    must(context, truce_dataset_add_target(data, &(truce_target){.name = "value"}, value));
    truce_target sign = {.name = "sign", .kind = TRUCE_TARGET_BINARY};
    must(context, truce_dataset_add_target(data, &sign, positive));
    must(context, truce_dataset_divide(data, &(truce_split_config){.validation = 0.1, .test = 0.2}));
    must(context, truce_recipe_parse(context, "train: {balancer: pcgrad, epochs: 30, rate: 3e-3}", &recipe));
    must(context, truce_trainer_create(context, recipe, data, &trainer));
    must(context, truce_trainer_run(trainer, NULL));
    must(context, truce_trainer_evaluate(trainer, TRUCE_TEST, results));
    for (int t = 0; t < 2; t++)
        printf("%s: %s %.3f\n", results[t].task, results[t].metrics[0].name, results[t].metrics[0].value);
    truce_trainer_destroy(trainer), truce_recipe_destroy(recipe), truce_dataset_destroy(data);
    truce_context_destroy(context);
}
