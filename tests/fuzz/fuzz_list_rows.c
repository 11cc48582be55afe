#include "list_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum list_format formats[] = {LIST_FORMAT_CSV, LIST_FORMAT_LINES, LIST_FORMAT_HMA};

    return fuzz_list(formats, sizeof formats / sizeof formats[0], data, size);
}
