/*
 * Where a file that a recipe names may lie.
 */
#ifndef DATA_FIND_FILE_H
#define DATA_FIND_FILE_H

#include "base/context.h"

typedef struct data_places {
    const char *folder; /* of the data set, under $TRUCE_DATA; NULL for none */
    const char *recipe; /* path of the recipe's file; NULL where it is none */
} data_places;

/*
 * The first that exists of $TRUCE_DATA/FILE, $TRUCE_DATA/FOLDER/FILE, FILE from the current folder, and FILE
 * beside the recipe, as a new text. The error lists where the file was looked for.
 */
truce_status data_find_file(truce_context *context, const data_places *places, const char *file, char **out);

#endif
