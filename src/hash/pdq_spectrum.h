/* From the 64x64 picture to hashes and quality. */
#ifndef PRESCREEN_HASH_PDQ_SPECTRUM_H
#define PRESCREEN_HASH_PDQ_SPECTRUM_H

#include "prescreen/hash/pdq.h"

#include "pdq_axis.h"

/* Computes quality and the hashes of all orientations. Cost: about 20 microseconds. */
void pdq_spectrum_hash(const float grid[PDQ_GRID][PDQ_GRID], struct pdq_result *result);

#endif
