/*
 * What saving and loading an encoding agree on.
 */
#ifndef DATA_ENCODING_JSON_H
#define DATA_ENCODING_JSON_H

#include "data/encoding.h"

#include <jansson.h>

#define DATA_ENCODING_VERSION 1

extern const char *const data_impute_names[2]; /* by data_impute */
extern const char *const data_unseen_names[2]; /* by data_unseen */
extern const char *const data_embed_names[2];  /* by data_encoding.embed */

#endif
