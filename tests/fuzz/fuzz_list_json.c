#include "list_target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum list_format formats[] = {LIST_FORMAT_VICS, LIST_FORMAT_STOPNCII};

    return fuzz_list(formats, sizeof formats / sizeof formats[0], data, size);
}
