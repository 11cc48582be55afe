/* faiss_peer ENTRIES...: the near index beside faiss' IndexBinaryMultiHash, the index that HMA runs for lists
 * of PDQ hashes: the same random hashes, the same queries, one thread, in one run. Built only where faiss is
 * installed. */
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <faiss/IndexBinaryHash.h>
#include <faiss/impl/AuxIndexStructures.h>
#include <memory>
#include <omp.h>
#include <set>
#include <utility>
#include <vector>

extern "C" {
#include "prescreen/index/near.h"
}

namespace
{

/* As HMA sets it up: 16 tables of 16 bits, and as many flips as the radius asks for to miss nothing. */
constexpr int radius = 31, tables = 16, table_bits = 16, flips = radius / tables;
constexpr size_t our_queries = 2000, their_queries = 200;

using finds = std::multiset<std::pair<size_t, unsigned int>>;

/* Source: Steele, Lea, Flood, "Fast Splittable Pseudorandom Number Generators", 2014. */
uint64_t next_random(uint64_t &state)
{
    uint64_t z = state += 0x9e3779b97f4a7c15;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
    z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
    return z ^ (z >> 31);
}

double now_us()
{
    timespec now{};

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec) / 1e3;
}

std::vector<pdq_hash> make_hashes(size_t count, uint64_t &state)
{
    std::vector<pdq_hash> hashes(count);

    for (auto &hash : hashes) {
        for (auto &word : hash.words)
            word = next_random(state);
    }
    return hashes;
}

/* Neighbours of entries, as far away as the radius or less. */
std::vector<near_query> make_queries(const std::vector<pdq_hash> &hashes, uint64_t &state)
{
    std::vector<near_query> queries(our_queries);

    for (auto &query : queries) {
        query.hash = hashes[next_random(state) % hashes.size()];
        query.radius = radius;
        for (uint64_t bits = next_random(state) % (radius + 1); bits > 0; bits--) {
            uint64_t bit = next_random(state) % 256;
            query.hash.words[bit / 64] ^= uint64_t{1} << (bit % 64);
        }
    }
    return queries;
}

struct measured {
    double build_s = 0, p50 = 0, p99 = 0;
    std::vector<finds> found; /* of the first their_queries */
};

void rank(measured &taken, std::vector<double> &times)
{
    std::sort(times.begin(), times.end());
    taken.p50 = times[times.size() / 2];
    taken.p99 = times[times.size() * 99 / 100];
}

int note_finds(void *context, size_t, const near_find *found, size_t count)
{
    for (size_t i = 0; i < count; i++)
        static_cast<finds *>(context)->emplace(found[i].id, found[i].distance_bits);
    return 0;
}

bool measure_ours(const std::vector<pdq_hash> &hashes, const std::vector<near_query> &queries,
                  measured &taken)
{
    const index_build build = {cpu_choose(), nullptr};
    near_index *index = nullptr;
    std::vector<double> times;
    double started = now_us();

    if (near_index_create(hashes.data(), hashes.size(), &build, &index) != 0)
        return false;
    taken.build_s = (now_us() - started) / 1e6;
    for (const auto &query : queries) {
        finds found;
        near_sink sink = {&found, note_finds};
        started = now_us();
        if (near_index_search(index, &query, 1, &sink) != 0)
            return false;
        times.push_back(now_us() - started);
        if (taken.found.size() < their_queries)
            taken.found.push_back(found);
    }
    near_index_free(index);
    rank(taken, times);
    return true;
}

void measure_theirs(const std::vector<pdq_hash> &hashes, const std::vector<near_query> &queries,
                    measured &taken)
{
    faiss::IndexBinaryMultiHash index(256, tables, table_bits);
    std::vector<double> times;
    double started = now_us();

    index.nflip = flips;
    index.add(static_cast<faiss::Index::idx_t>(hashes.size()),
              reinterpret_cast<const uint8_t *>(hashes.data()));
    taken.build_s = (now_us() - started) / 1e6;
    for (size_t i = 0; i < their_queries; i++) {
        faiss::RangeSearchResult result(1);
        started = now_us();
        /* faiss takes what is nearer than a radius. */
        index.range_search(1, reinterpret_cast<const uint8_t *>(queries[i].hash.words), radius + 1, &result);
        times.push_back(now_us() - started);
        finds found;
        for (size_t f = result.lims[0]; f < result.lims[1]; f++)
            found.emplace(static_cast<size_t>(result.labels[f]),
                          static_cast<unsigned int>(result.distances[f]));
        taken.found.push_back(found);
    }
    rank(taken, times);
}

bool measure_size(size_t count)
{
    uint64_t state = 1;
    const auto hashes = make_hashes(count, state);
    const auto queries = make_queries(hashes, state);
    measured ours, theirs;

    if (!measure_ours(hashes, queries, ours))
        return false;
    measure_theirs(hashes, queries, theirs);
    bool equal = ours.found == theirs.found;
    std::printf("%8zu  %9.1f %9.1f %9.1f  %9.1f %9.1f %9.1f  %12.0f  %s\n", count, ours.build_s, ours.p50,
                ours.p99, theirs.build_s, theirs.p50, theirs.p99, theirs.p50 / ours.p50,
                equal ? "equal" : "DIFFERENT");
    std::fflush(stdout);
    return equal;
}

} // namespace

int main(int count, char **words)
{
    omp_set_num_threads(1);
    std::printf(
        "Radius %d, one thread, %s; faiss IndexBinaryMultiHash, %dx%d bits, %d flip. us of processor time a "
        "lookup,\nmedians of %zu and of %zu; the finds of these are compared.\n\n"
        " entries    build s    p50 us    p99 us    faiss s faiss p50 faiss p99  faiss / ours  finds\n",
        radius, cpu_level_name(cpu_choose()), tables, table_bits, flips, our_queries, their_queries);
    for (int i = 1; i < count; i++) {
        if (!measure_size(std::strtoul(words[i], nullptr, 10)))
            return EXIT_FAILURE;
    }
    return EXIT_SUCCESS;
}
