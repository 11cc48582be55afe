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

/* Into how many chunks how many bits of a hash are cut. */
struct near_cut {
    unsigned int chunk_count;
    unsigned int bits;
};

static double choose(unsigned int n, unsigned int k)
{
    double ways = k <= n ? 1 : 0;

    for (unsigned int i = 0; i < k && i < n; i++)
        ways = ways * (n - i) / (i + 1);
    return ways;
}

/* Where crowds hold all, one counts as if it were left. */
static double tabled(const struct near_index *index)
{
    return index->tabled > 0 ? (double)index->tabled : 1;
}

static double density(const struct near_index *index, unsigned int width)
{
    return tabled(index) / (double)((uint64_t)1 << width);
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

/* Cuts the first bits of a hash, or all, into chunks. */
static void cut_into_chunks(struct near_index *index, struct near_cut cut)
{
    index->chunk_count = cut.chunk_count;
    for (unsigned int k = 0; k < cut.chunk_count; k++) {
        struct near_chunk *chunk = &index->chunks[k];
        chunk->first_bit = k * cut.bits / cut.chunk_count;
        chunk->width = (k + 1) * cut.bits / cut.chunk_count - chunk->first_bit;
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
        bytes += blocks * sizeof(struct near_block) / tabled(index) + sizeof(uint32_t);
        bytes += is_crowded(index, width) ? spilled_bytes : 0;
    }
    return bytes;
}

/* The cheapest cut that takes no more memory than it may; where all take more, the one that takes least. */
static struct near_cut choose_cut(struct near_index *index)
{
    const double bytes_max = index->tabled < FEW_HASHES ? FEW_ENTRY_BYTES_MAX : ENTRY_BYTES_MAX;
    struct near_cut best = {0, 0};
    double best_cost = impossible;
    double best_bytes = impossible;

    for (unsigned int chunk_count = CHUNKS_MIN; chunk_count <= NEAR_CHUNKS_MAX; chunk_count++) {
        const unsigned int narrowest = HASH_BITS / (chunk_count + 1);
        for (unsigned int bits = HASH_BITS; bits > narrowest * chunk_count; bits--) {
            struct near_cut cut = {chunk_count, bits};
            cut_into_chunks(index, cut);
            double bytes = entry_bytes(index);
            if (bytes > bytes_max && bytes >= best_bytes)
                continue;
            double cost = share_radius(index);
            if (best_bytes <= bytes_max && cost >= best_cost)
                continue;
            best = cut;
            best_cost = cost;
            best_bytes = bytes;
        }
    }
    return best;
}

void near_plan(struct near_index *index)
{
    cut_into_chunks(index, choose_cut(index));
    (void)share_radius(index);
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
