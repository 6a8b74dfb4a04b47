#include "balance/table.h"

#include <string.h>

static const balance_method *const methods[] = {
#define X(name) &balance_##name,
    BALANCE_METHODS(X)
#undef X
};

const truce_method *truce_method_at(int i) {
    return i >= 0 && (size_t)i < BASE_COUNT(methods) ? &methods[i]->about : NULL;
}

const balance_method *balance_find(const char *name) {
    for (size_t i = 0; i < BASE_COUNT(methods); i++)
        if (strcmp(methods[i]->about.name, name) == 0) return methods[i];
    return NULL;
}

const truce_method *truce_method_find(const char *name) {
    const balance_method *method = balance_find(name);
    return method ? &method->about : NULL;
}

static const char *name_at(const void *list, int i) {
    (void)list;
    return methods[i]->about.name;
}

truce_status balance_unknown(truce_context *context, const char *what, const char *name) {
    return base_fail_name(context, what, name, name_at, NULL, (int)BASE_COUNT(methods));
}
