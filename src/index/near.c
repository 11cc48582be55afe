#include "prescreen/index/near.h"

#include "near_kernels.h"
#include "near_layout.h"

#include <errno.h>

const struct near_kernel *near_kernel_of(enum cpu_level level)
{
#if defined(__x86_64__)
    if (level == CPU_AVX512)
        return &near_kernel_avx512;
    if (level == CPU_AVX2)
        return &near_kernel_avx2;
#endif
    (void)level;
    return &near_kernel_plain;
}

int near_index_search(const struct near_index *index, const struct near_query *queries, size_t query_count,
                      const struct near_sink *sink)
{
    for (size_t i = 0; i < query_count; i++) {
        if (queries[i].radius > NEAR_RADIUS_MAX)
            return -EINVAL;
    }
    return index->kernel->search(index, queries, query_count, sink);
}

int near_scan(const struct pdq_hash *hashes, size_t count, enum cpu_level level,
              const struct near_query *queries, size_t query_count, const struct near_sink *sink)
{
    int result = 0;

    for (size_t i = 0; i < query_count && result == 0; i++)
        result = near_kernel_of(level)->scan(hashes, count, &queries[i], i, sink);
    return result;
}
