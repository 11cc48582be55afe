/* One table of functions for each CPU level that this build has. */
#ifndef PRESCREEN_SRC_INDEX_NEAR_KERNELS_H
#define PRESCREEN_SRC_INDEX_NEAR_KERNELS_H

#include "near_layout.h"

extern const struct near_kernel near_kernel_plain;
#if defined(__x86_64__)
extern const struct near_kernel near_kernel_avx2;
extern const struct near_kernel near_kernel_avx512;
#endif

#endif
