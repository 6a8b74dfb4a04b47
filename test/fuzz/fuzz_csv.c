/* Any file is refused or becomes rows of equal width, whose lines go up. The first byte picks the delimiter.
 */
#include "fuzz.h"

#include "io/csv.h"

#include <string.h>

static void read_rows(io_csv *csv) {
    const char *const *fields;
    int n, width = 0;
    int64_t line = 0;
    size_t length = 0;
    while (io_csv_next(csv, &fields, &n) == TRUCE_OK && n) {
        fuzz_check(width == 0 || n == width, "rows have the same width");
        fuzz_check(io_csv_line(csv) > line, "lines go up");
        for (int i = 0; i < n; i++) length += strlen(fields[i]);
        width = n;
        line = io_csv_line(csv);
    }
    fuzz_check(length < SIZE_MAX / 2, "fields are texts");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    truce_context *context = fuzz_context();
    io_csv *csv = NULL;
    io_csv_config config = {.delimiter = n ? ",\t; "[data[0] & 3] : ','};
    if (io_csv_open(context, fuzz_file(n ? data + 1 : data, n ? n - 1 : 0), &config, &csv)) {
        fuzz_check(truce_context_message(context)[0], "a failure has a message");
        return 0;
    }
    read_rows(csv);
    io_csv_close(csv);
    return 0;
}
