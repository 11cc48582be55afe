#include "near_plan.h"

#include <string.h>

enum { HASH_BITS = 256, CHUNKS_MIN = 8, DESIGN_RADIUS = 31, FLIP_WAYS_MAX = 1 << 17 };

/* Memory for speed: few hashes may take more of it each. */
enum { FEW_HASHES = 10000, FEW_ENTRY_BYTES_MAX = 160, ENTRY_BYTES_MAX = 92 };

/* Nanoseconds, roughly; only their ratios matter. */
static const double line_cost = 4;
static const double candidate_cost = 6;
static const double spilled_cost = 20;
static const double scanned_cost = 1.5;

/* Entries in a word of 64 rows beyond which many words would be spilled. */
static const double crowded_word = 18;

/* Bytes an entry, at most, for the starts of rows in such words. */
static const double spilled_bytes = 8;

static const double impossible = 1e30;

static double choose(unsigned int n, unsigned int k)
{
    double ways = k <= n ? 1 : 0;

    for (unsigned int i = 0; i < k && i < n; i++)
        ways = ways * (n - i) / (i + 1);
    return ways;
}

static double density(const struct near_index *index, unsigned int width)
{
    return (double)index->count / (double)((uint64_t)1 << width);
}

static bool is_crowded(const struct near_index *index, unsigned int width)
{
    return density(index, width) * 64 > crowded_word;
}

/* What looking up one more bit of difference costs: all rows that differ in exactly so many bits. */
static double raise_cost(const struct near_index *index, unsigned int width, unsigned int bits)
{
    unsigned int high = width - NEAR_LOW_BITS;
    double candidate = is_crowded(index, width) ? spilled_cost : candidate_cost;

    if (bits >= NEAR_FLIPS_MAX || bits > width || choose(high, bits) > FLIP_WAYS_MAX)
        return impossible;
    return line_cost * choose(high, bits) + candidate * density(index, width) * choose(width, bits);
}

static void cut_into_chunks(struct near_index *index, unsigned int chunk_count)
{
    index->chunk_count = chunk_count;
    for (unsigned int k = 0; k < chunk_count; k++) {
        struct near_chunk *chunk = &index->chunks[k];
        chunk->first_bit = k * HASH_BITS / chunk_count;
        chunk->width = (k + 1) * HASH_BITS / chunk_count - chunk->first_bit;
        for (unsigned int n = 0; n <= NEAR_FLIPS_MAX; n++) {
            double ways = choose(chunk->width - NEAR_LOW_BITS, n);
            chunk->flips[n] = ways > FLIP_WAYS_MAX ? 0 : (uint32_t)ways;
        }
    }
}

/* Spends the radius bit by bit, each where it costs least; that is the cheapest way because a chunk's next
 * bit always costs more than its last. Returns the cost at the design radius. */
static double share_radius(struct near_index *index)
{
    unsigned int spent[NEAR_CHUNKS_MAX] = {0};
    double next_cost[NEAR_CHUNKS_MAX] = {0};
    double cost = 0;
    double design_cost = impossible;

    for (unsigned int k = 0; k < index->chunk_count; k++)
        next_cost[k] = raise_cost(index, index->chunks[k].width, 0);
    for (index->scan_from = 0; index->scan_from <= NEAR_RADIUS_MAX; index->scan_from++) {
        unsigned int best = 0;
        for (unsigned int k = 1; k < index->chunk_count; k++) {
            if (next_cost[k] < next_cost[best])
                best = k;
        }
        cost += next_cost[best];
        if (cost > scanned_cost * (double)index->count)
            break;
        index->raises[index->scan_from] = (uint8_t)best;
        next_cost[best] = raise_cost(index, index->chunks[best].width, ++spent[best]);
        if (index->scan_from == DESIGN_RADIUS)
            design_cost = cost;
    }
    return design_cost;
}

static double entry_bytes(const struct near_index *index)
{
    double bytes = 0;

    for (unsigned int k = 0; k < index->chunk_count; k++) {
        unsigned int width = index->chunks[k].width;
        double blocks = (double)((uint64_t)1 << (width - NEAR_LOW_BITS));
        bytes += blocks * sizeof(struct near_block) / (double)index->count + sizeof(uint32_t);
        bytes += is_crowded(index, width) ? spilled_bytes : 0;
    }
    return bytes;
}

void near_plan(struct near_index *index)
{
    const double bytes_max = index->count < FEW_HASHES ? FEW_ENTRY_BYTES_MAX : ENTRY_BYTES_MAX;
    unsigned int best = 0;
    double best_cost = impossible;

    for (unsigned int chunk_count = CHUNKS_MIN; chunk_count <= NEAR_CHUNKS_MAX; chunk_count++) {
        cut_into_chunks(index, chunk_count);
        if (entry_bytes(index) > bytes_max)
            continue;
        double cost = share_radius(index);
        if (cost < best_cost) {
            best = chunk_count;
            best_cost = cost;
        }
    }
    cut_into_chunks(index, best);
    if (best > 0)
        (void)share_radius(index);
    else
        index->scan_from = 0;
}

unsigned int near_plan_flips(const struct near_index *index)
{
    struct near_allowance allowance;
    unsigned int flips = 0;

    if (index->scan_from == 0)
        return 0;
    near_allow(index, index->scan_from - 1, &allowance);
    for (unsigned int k = 0; k < index->chunk_count; k++) {
        if (allowance.bits[k] > flips + 1)
            flips = allowance.bits[k] - 1U;
    }
    return flips;
}

void near_allow(const struct near_index *index, unsigned int radius, struct near_allowance *allowance)
{
    memset(allowance, 0, sizeof *allowance);
    for (unsigned int i = 0; i <= radius; i++)
        allowance->bits[index->raises[i]]++;
}
