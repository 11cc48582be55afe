#include "pdq_spectrum.h"

#include "prescreen/image/orientation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#ifdef __clang__
#pragma STDC FP_CONTRACT OFF
#endif

enum { EDGE = 16, COEFFICIENTS = EDGE * EDGE };

/* cos(pi * m / 128) for any m, from its first quarter. */
static double cosine_at(const double quarter[PDQ_GRID + 1], unsigned int m)
{
    unsigned int turn = m % 256;
    unsigned int half = turn <= 128 ? turn : 256 - turn;

    return half <= 64 ? quarter[half] : -quarter[128 - half];
}

/* Rows 1 to 16 of the 64-point DCT-II. */
static void basis_fill(float rows[EDGE][PDQ_GRID])
{
    const float scale = (float)sqrt(2.0 / PDQ_GRID);
    double quarter[PDQ_GRID + 1];

    for (unsigned int m = 0; m <= PDQ_GRID; m++)
        quarter[m] = cos(M_PI / 128 * m);
    for (unsigned int i = 0; i < EDGE; i++)
        for (unsigned int k = 0; k < PDQ_GRID; k++)
            rows[i][k] = (float)((double)scale * cosine_at(quarter, (i + 1) * (2 * k + 1)));
}

/* Every sum runs over k alone and in its order, as in the reference: where a picture leaves coefficients that
 * differ by rounding only, that order decides their bits. */
static void transform(const float grid[PDQ_GRID][PDQ_GRID], float coefficients[EDGE][EDGE])
{
    float rows[EDGE][PDQ_GRID];
    float columns[PDQ_GRID][EDGE];
    float half[EDGE][PDQ_GRID] = {{0}};
    float full[EDGE][EDGE] = {{0}};

    basis_fill(rows);
    for (int k = 0; k < PDQ_GRID; k++)
        for (int i = 0; i < EDGE; i++)
            columns[k][i] = rows[i][k];
    for (int i = 0; i < EDGE; i++)
        for (int k = 0; k < PDQ_GRID; k++)
            for (int j = 0; j < PDQ_GRID; j++)
                half[i][j] += rows[i][k] * grid[k][j];
    for (int i = 0; i < EDGE; i++)
        for (int k = 0; k < PDQ_GRID; k++)
            for (int j = 0; j < EDGE; j++)
                full[i][j] += half[i][k] * columns[k][j];
    memcpy(coefficients, full, sizeof full);
}

static int gradient(float a, float b)
{
    return abs((int)((a - b) * 100 / 255));
}

static int quality_of(const float grid[PDQ_GRID][PDQ_GRID])
{
    int sum = 0;

    for (int i = 0; i < PDQ_GRID - 1; i++)
        for (int j = 0; j < PDQ_GRID; j++)
            sum += gradient(grid[i][j], grid[i + 1][j]);
    for (int i = 0; i < PDQ_GRID; i++)
        for (int j = 0; j < PDQ_GRID - 1; j++)
            sum += gradient(grid[i][j], grid[i][j + 1]);
    return sum / 90 < 100 ? sum / 90 : 100;
}

/* A whole number that orders as the float does. */
static uint32_t sort_key(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits & 0x80000000U ? ~bits : bits | 0x80000000U;
}

/* The 128th smallest. Its key is found from the top bit down: the greatest with fewer than 128 below it. */
static float lower_median(const float values[COEFFICIENTS])
{
    uint32_t keys[COEFFICIENTS];
    uint32_t median = 0;
    float value;

    for (int k = 0; k < COEFFICIENTS; k++)
        keys[k] = sort_key(values[k]);
    for (uint32_t bit = 0x80000000U; bit != 0; bit >>= 1) {
        uint32_t below = 0;
        for (int k = 0; k < COEFFICIENTS; k++)
            below += keys[k] < (median | bit);
        if (below < COEFFICIENTS / 2)
            median |= bit;
    }
    median = median & 0x80000000U ? median & 0x7fffffffU : ~median;
    memcpy(&value, &median, sizeof value);
    return value;
}

/* A flip changes the sign of the coefficients of odd frequency: those of even index, as index 0 is
 * frequency 1.
 */
static void flip(const float coefficients[EDGE][EDGE], bool rows, bool columns, float values[COEFFICIENTS])
{
    for (int i = 0; i < EDGE; i++) {
        for (int j = 0; j < EDGE; j++) {
            bool negative = (rows && i % 2 == 0) != (columns && j % 2 == 0);
            values[i * EDGE + j] = negative ? -coefficients[i][j] : coefficients[i][j];
        }
    }
}

static struct pdq_hash hash_of(const float values[COEFFICIENTS], bool transposes, float median)
{
    struct pdq_hash hash = {{0}};

    for (int i = 0; i < EDGE; i++) {
        for (int j = 0; j < EDGE; j++) {
            int at = transposes ? j * EDGE + i : i * EDGE + j;
            hash.words[at / 64] |= (uint64_t)(values[i * EDGE + j] > median) << (at % 64);
        }
    }
    return hash;
}

/* Two orientations have the same flips, and of those the same values and the same median. */
static void hash_flipped(const float coefficients[EDGE][EDGE], bool rows, bool columns,
                         struct pdq_result *result)
{
    float values[COEFFICIENTS];

    flip(coefficients, rows, columns, values);
    float median = lower_median(values);
    for (int o = 0; o < ORIENTATION_COUNT; o++) {
        struct orientation_steps steps = orientation_steps((enum orientation)o);
        if (steps.flips_rows == rows && steps.flips_columns == columns)
            result->hashes[o] = hash_of(values, steps.transposes, median);
    }
}

void pdq_spectrum_hash(const float grid[PDQ_GRID][PDQ_GRID], struct pdq_result *result)
{
    float coefficients[EDGE][EDGE];

    transform(grid, coefficients);
    for (int flips = 0; flips < 4; flips++)
        hash_flipped((const float(*)[EDGE])coefficients, flips % 2 != 0, flips / 2 != 0, result);
    result->quality = quality_of(grid);
}
