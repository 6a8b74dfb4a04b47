#include "model/trunk.h"

#include <stdio.h>
#include <string.h>

static const model_trunk *const trunks[] = {&model_trunk_mlp, &model_trunk_lenet,
                                            &model_trunk_resnet18_small};

const model_trunk *model_trunk_at(int i) {
    return i >= 0 && (size_t)i < BASE_COUNT(trunks) ? trunks[i] : NULL;
}

static const char *trunk_name(const void *list, int i) {
    (void)list;
    return trunks[i]->name;
}

truce_status model_trunk_find(truce_context *context, const char *name, const model_trunk **out) {
    for (size_t i = 0; i < BASE_COUNT(trunks); i++)
        if (strcmp(trunks[i]->name, name) == 0) {
            *out = trunks[i];
            return TRUCE_OK;
        }
    return base_fail_name(context, "trunk", name, trunk_name, NULL, (int)BASE_COUNT(trunks));
}

base_options model_trunk_options(const model_trunk *trunk, char owner[64]) {
    snprintf(owner, 64, "trunk '%s'", trunk->name);
    return (base_options){.owner = owner, .rows = trunk->options, .n = trunk->n_options};
}
