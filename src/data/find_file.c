#include "data/find_file.h"

#include "io/file.h"

#include <stdlib.h>
#include <string.h>

/* A search that goes on until a path exists. */
typedef struct search {
    truce_context *context;
    char *found;
    base_text tried;
} search;

/* Takes the path over. */
static void try_path(search *s, char *path) {
    if (!s->found && io_exists(path)) {
        s->found = path;
        return;
    }
    base_text_add(s->context, &s->tried, "%s%s", s->tried.n ? ", " : "", path);
    base_free(s->context, path);
}

static truce_status try_in(search *s, const char *folder, const char *file) {
    char *path = NULL;
    BASE_TRY(io_join(s->context, folder, file, &path));
    try_path(s, path);
    return TRUCE_OK;
}

static truce_status try_in_subfolder(search *s, const char *root, const char *folder, const char *file) {
    char *inner = NULL;
    BASE_TRY(io_join(s->context, folder, file, &inner));
    truce_status status = try_in(s, root, inner);
    base_free(s->context, inner);
    return status;
}

static truce_status try_beside(search *s, const char *recipe, const char *file) {
    const char *slash = strrchr(recipe, '/');
    char *folder = NULL;
    if (!slash) return TRUCE_OK; /* that is the current folder, where it was not */
    BASE_TRY(base_copy_text_n(s->context, recipe, (size_t)(slash - recipe + 1), &folder));
    truce_status status = try_in(s, folder, file);
    base_free(s->context, folder);
    return status;
}

static truce_status try_everywhere(search *s, const data_places *places, const char *file) {
    const char *root = getenv("TRUCE_DATA");
    if (file[0] == '/') return try_in(s, NULL, file);
    if (root && *root) {
        BASE_TRY(try_in(s, root, file));
        if (!s->found && places->folder) BASE_TRY(try_in_subfolder(s, root, places->folder, file));
    }
    if (!s->found) BASE_TRY(try_in(s, NULL, file));
    if (!s->found && places->recipe) BASE_TRY(try_beside(s, places->recipe, file));
    return s->tried.status;
}

truce_status data_find_file(truce_context *context, const data_places *places, const char *file, char **out) {
    search s = {.context = context};
    const char *root = getenv("TRUCE_DATA");
    truce_status status = try_everywhere(&s, places, file);
    if (!status && !s.found)
        status = base_fail(context, TRUCE_ERROR_IO, "'%s' was not found; it was looked for as %s%s", file,
                           base_text_get(&s.tried),
                           root && *root ? "" : " (set TRUCE_DATA to the folder that holds your data)");
    if (status)
        base_free(context, s.found);
    else
        *out = s.found;
    base_text_free(context, &s.tried);
    return status;
}
