/* The search of the near index, compiled once for each CPU level. The including file defines before: KERNEL,
 * the attributes of every function; kernel_ones(), kernel_select() and kernel_is_live(); and, where it has
 * better ones than those below, KERNEL_HAS_SCAN with kernel_scan() and kernel_compare().
 *
 * A search is a walk over slices: at most LINES cache lines of one chunk's table for one query. Each slice
 * passes four stages, and each stage ends by fetching into the cache what the next one reads: lines, entries,
 * hashes. Between two stages of one slice the other slices have theirs, so that hardly any access to memory
 * is waited for. */
#include "near_kernel_scan.h"

enum { LINES = 128, ROWS = 512, CANDIDATES = 512, STAGES = 4 };

/* An entry that is come upon by a row costs about as much as so many that a scan compares: when a query has
 * spent what a scan would cost, the rest of it is scanned, so that no cluster costs much more than twice a
 * scan. */
enum { SCANNED_FOR_ONE_ENTRY = 8 };

/* A row that has entries and is near enough to the query's. */
struct found_row {
    uint32_t position;   /* of its first entry, or, in a spilled word, of its start */
    uint32_t length;     /* in entries; 0: spilled */
    uint32_t next_limit; /* bits in which an entry's next chunk may differ */
};

/* Lines of a slice that differ from the query in the same number of bits above the low ones. */
struct run {
    uint32_t flips;
    uint32_t end; /* in lines */
};

/* 64 rows of a line that has some near enough to the query's. */
struct live_word {
    uint64_t hits;
    const struct near_block *block;
    unsigned int word;
};

struct slice {
    size_t query_number;
    unsigned int chunk_number;
    unsigned int run_count;
    struct near_allowance allowance;
    uint64_t value;                             /* of the query at the chunk */
    uint64_t balls[NEAR_FLIPS_MAX][NEAR_WORDS]; /* low parts within so many bits of the query's */
    struct run runs[NEAR_FLIPS_MAX + 1];
    size_t row_count;
    size_t candidate_count;
    uint32_t lines[LINES];
    struct found_row rows[ROWS];
    uint32_t candidates[CANDIDATES];
};

struct walk {
    const struct near_index *index;
    const struct near_query *queries;
    size_t query_count;
    const struct near_sink *sink;
    /* Where the next slice begins. */
    size_t query_number;
    unsigned int chunk_number;
    unsigned int flips;
    uint32_t mask;
    bool begun; /* the query's allowance is set */
    struct near_allowance allowance;
    uint64_t entries_read; /* for the query */
    int result;
    struct slice slices[STAGES];
};

/* Whether a search with this allowance comes upon a hash in a chunk: near enough there, and with the next
 * chunk's first bits near enough too. If all chunks' differences sum up to less than all allowances, then
 * there is a chunk from which on every partial sum does, too; so it is enough to look for hashes that are
 * below for one chunk and for two in a row. */
KERNEL static inline bool finds_in_chunk(const struct near_index *index,
                                         const struct near_allowance *allowance,
                                         const struct pdq_hash *difference, unsigned int k)
{
    const struct near_chunk *chunk = &index->chunks[k];
    unsigned int next = k + 1 < index->chunk_count ? k + 1 : 0;
    uint64_t value = near_extract(difference, chunk->first_bit);
    unsigned int here = kernel_ones(value & near_row_mask(chunk));
    unsigned int there = kernel_ones(value >> chunk->width & chunk->next_mask);

    return here < allowance->bits[k] &&
           here + there < (unsigned int)allowance->bits[k] + allowance->bits[next];
}

/* Whether one of the first chunks has led to this hash already. */
KERNEL static bool found_before(const struct near_index *index, const struct near_allowance *allowance,
                                const struct pdq_hash *hash, const struct pdq_hash *query,
                                unsigned int chunks)
{
    struct pdq_hash difference;

    for (int i = 0; i < 4; i++)
        difference.words[i] = hash->words[i] ^ query->words[i];
    for (unsigned int k = 0; k < chunks; k++) {
        if (finds_in_chunk(index, allowance, &difference, k))
            return true;
    }
    return false;
}

/* The rest of a query's search, by a scan. */
struct rest {
    const struct walk *walk;
    const struct near_allowance *allowance;
    unsigned int chunks; /* that have been searched */
};

KERNEL static int rest_found(void *context, size_t query_number, const struct near_find *finds, size_t count)
{
    const struct rest *rest = context;
    const struct walk *walk = rest->walk;
    const struct pdq_hash *query = &walk->queries[query_number].hash;
    int result = 0;

    for (size_t i = 0; i < count && result == 0; i++) {
        if (near_is_crowded(walk->index, finds[i].id))
            continue;
        if (found_before(walk->index, rest->allowance, &walk->index->hashes[finds[i].id], query,
                         rest->chunks))
            continue;
        result = walk->sink->found(walk->sink->context, query_number, &finds[i], 1);
    }
    return result;
}

KERNEL static void scan_rest(struct walk *walk)
{
    struct rest rest = {walk, &walk->allowance, walk->chunk_number};
    struct near_sink sink = {&rest, rest_found};

    walk->result = kernel_scan(walk->index->hashes, walk->index->count, &walk->queries[walk->query_number],
                               walk->query_number, &sink);
}

/* Sets of the numbers of six bits within each distance of one of them: each is the last and its neighbours.
 */
KERNEL static void make_balls(uint64_t balls[NEAR_FLIPS_MAX], unsigned int count, unsigned int centre)
{
    static const uint64_t low_halves[6] = {0x5555555555555555, 0x3333333333333333, 0x0f0f0f0f0f0f0f0f,
                                           0x00ff00ff00ff00ff, 0x0000ffff0000ffff, 0x00000000ffffffff};

    balls[0] = (uint64_t)1 << centre;
    for (unsigned int radius = 1; radius < count; radius++) {
        uint64_t ball = balls[radius - 1];
        uint64_t grown = ball;
        for (unsigned int bit = 0; bit < 6; bit++)
            grown |= (ball & low_halves[bit]) << (1U << bit) | (ball >> (1U << bit) & low_halves[bit]);
        balls[radius] = grown;
    }
}

KERNEL static void make_block_balls(struct slice *slice, unsigned int count)
{
    uint64_t word_balls[NEAR_FLIPS_MAX];
    unsigned int low = slice->value & ((1U << NEAR_LOW_BITS) - 1);

    make_balls(word_balls, count, low % 64);
    for (unsigned int radius = 0; radius < count; radius++) {
        for (unsigned int word = 0; word < NEAR_WORDS; word++) {
            unsigned int away = kernel_ones(word ^ low / 64);
            slice->balls[radius][word] = away <= radius ? word_balls[radius - away] : 0;
        }
    }
}

/* Leaves a chunk, or a query after its last chunk or when the rest is cheaper to scan. */
KERNEL static void walk_on(struct walk *walk)
{
    walk->flips = 0;
    walk->mask = 0;
    walk->chunk_number++;
    bool last = walk->chunk_number == walk->index->chunk_count;
    if (!last && walk->entries_read > walk->index->count / SCANNED_FOR_ONE_ENTRY) {
        scan_rest(walk);
        last = true;
    }
    if (last) {
        walk->begun = false;
        walk->query_number++;
    }
}

/* Sets the walk on a query's first chunk; scans for queries of so wide a radius. False at the end. */
KERNEL static bool walk_begin(struct walk *walk)
{
    while (!walk->begun && walk->query_number < walk->query_count && walk->result == 0) {
        const struct near_query *query = &walk->queries[walk->query_number];
        if (query->radius >= walk->index->scan_from) {
            walk->result =
                kernel_scan(walk->index->hashes, walk->index->count, query, walk->query_number, walk->sink);
            walk->query_number++;
        } else {
            near_allow(walk->index, query->radius, &walk->allowance);
            walk->result = search_crowds(walk->index, query, walk->query_number, walk->sink);
            walk->begun = true;
            walk->chunk_number = 0;
            walk->entries_read = 0;
        }
    }
    return walk->begun && walk->result == 0;
}

/* Adds lines with so many flipped bits to a slice, as many as there are and as it has room for. */
KERNEL static uint32_t add_lines(struct walk *walk, struct slice *slice, uint32_t from)
{
    const struct near_chunk *chunk = &walk->index->chunks[walk->chunk_number];
    const uint32_t *masks = walk->index->masks[walk->flips];
    const uint32_t centre = (uint32_t)((slice->value & near_row_mask(chunk)) >> NEAR_LOW_BITS);
    uint32_t count = chunk->flips[walk->flips] - walk->mask;

    if (count > LINES - from)
        count = LINES - from;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t line = centre ^ masks[walk->mask + i];
        slice->lines[from + i] = line;
        __builtin_prefetch(&chunk->blocks[line], 0, 2);
    }
    walk->mask += count;
    return from + count;
}

/* First stage: takes the next lines of the walk and fetches them. */
KERNEL static void take_lines(struct walk *walk, struct slice *slice)
{
    uint32_t lines = 0;

    slice->run_count = 0;
    slice->row_count = 0;
    slice->candidate_count = 0;
    while (walk_begin(walk) && walk->allowance.bits[walk->chunk_number] == 0)
        walk_on(walk);
    if (!walk->begun || walk->result != 0)
        return;
    const struct near_chunk *chunk = &walk->index->chunks[walk->chunk_number];
    unsigned int flips_max = walk->allowance.bits[walk->chunk_number] - 1U;
    slice->query_number = walk->query_number;
    slice->chunk_number = walk->chunk_number;
    slice->allowance = walk->allowance;
    slice->value = near_extract(&walk->queries[walk->query_number].hash, chunk->first_bit);
    make_block_balls(slice, flips_max + 1);
    for (;;) {
        lines = add_lines(walk, slice, lines);
        slice->runs[slice->run_count++] = (struct run){walk->flips, lines};
        if (walk->mask < chunk->flips[walk->flips])
            return;
        walk->mask = 0;
        if (walk->flips++ == flips_max)
            break;
        if (lines == LINES)
            return;
    }
    walk_on(walk);
}

/* Last stage: compares the candidates with the query. */
KERNEL static void compare(struct walk *walk, struct slice *slice)
{
    if (slice->candidate_count == 0)
        return;
    const struct near_index *index = walk->index;
    const struct near_query *query = &walk->queries[slice->query_number];
    size_t count = slice->candidate_count;

    slice->candidate_count = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t id = slice->candidates[i];
        unsigned int distance_bits = kernel_distance(&index->hashes[id], &query->hash);
        if (distance_bits > query->radius || walk->result != 0)
            continue;
        if (!found_before(index, &slice->allowance, &index->hashes[id], &query->hash, slice->chunk_number))
            walk->result = near_report(walk->sink, slice->query_number, id, distance_bits);
    }
}

KERNEL static void find_spilled_rows(const struct near_index *index, const struct near_chunk *chunk,
                                     struct found_row *rows, size_t count)
{
    for (size_t r = 0; r < count; r++) {
        if (rows[r].length > 0)
            continue;
        const uint32_t *start = &index->spill[rows[r].position];
        rows[r].position = start[0];
        rows[r].length = start[1] - start[0];
        __builtin_prefetch(&chunk->entries[rows[r].position], 0, 2);
    }
}

KERNEL static inline void fetch_hashes(const struct near_index *index, const uint32_t *ids, size_t count)
{
    for (size_t i = 0; i < count; i++)
        __builtin_prefetch(&index->hashes[ids[i]], 0, 2);
}

/* Third stage: reads the entries of the rows, drops those whose next chunk is too far, and fetches the
 * others' hashes. */
KERNEL static void read_rows(struct walk *walk, struct slice *slice)
{
    if (slice->row_count == 0)
        return;
    const struct near_index *index = walk->index;
    const struct near_chunk *chunk = &index->chunks[slice->chunk_number];
    const struct near_filter filter = {index->id_bits,
                                       (uint32_t)(slice->value >> chunk->width & chunk->next_mask)};
    const size_t row_count = slice->row_count;
    size_t fetched = slice->candidate_count;
    size_t count = fetched;

    slice->row_count = 0;
    find_spilled_rows(index, chunk, slice->rows, row_count);
    for (size_t r = 0; r < row_count; r++) {
        const struct found_row row = slice->rows[r];
        walk->entries_read += row.length;
        for (uint32_t i = 0; i < row.length; i += NEAR_FILTERED) {
            uint32_t left = row.length - i;
            if (count > CANDIDATES - NEAR_FILTERED) {
                slice->candidate_count = count;
                fetch_hashes(index, &slice->candidates[fetched], count - fetched);
                compare(walk, slice);
                count = 0;
                fetched = 0;
            }
            const uint32_t *entries = &chunk->entries[row.position + i];
            uint32_t *ids = &slice->candidates[count];
            count += left < NEAR_FILTERED ? filter_entries(entries, left, &filter, row.next_limit, ids)
                                          : kernel_filter(entries, &filter, row.next_limit, ids);
        }
    }
    slice->candidate_count = count;
    fetch_hashes(index, &slice->candidates[fetched], count - fetched);
}

KERNEL static inline struct found_row locate_row(const struct near_block *block, unsigned int word,
                                                 unsigned int bit)
{
    unsigned int rank = kernel_ones(block->rows[word] & (((uint64_t)1 << bit) - 1));
    uint32_t starts = block->starts[word];
    uint32_t base = block->bases[word];

    if (starts == 0)
        return (struct found_row){base + rank, 0, 0};
    unsigned int first = kernel_select(starts, rank);
    return (struct found_row){base + first, (uint32_t)__builtin_ctz(starts >> first >> 1) + 1, 0};
}

/* Adds the rows of one word to a slice. budget is the sum of what this chunk and the next may differ in. */
KERNEL static inline void add_rows(struct walk *walk, struct slice *slice, const struct live_word *live,
                                   unsigned int budget)
{
    const unsigned int low = slice->value & ((1U << NEAR_LOW_BITS) - 1);
    uint64_t hits = live->hits;

    do {
        unsigned int bit = (unsigned int)__builtin_ctzll(hits);
        struct found_row row = locate_row(live->block, live->word, bit);
        row.next_limit = budget - kernel_ones((live->word * 64 + bit) ^ low);
        slice->rows[slice->row_count++] = row;
        if (slice->row_count == ROWS)
            read_rows(walk, slice);
        hits &= hits - 1;
    } while (hits != 0);
}

/* The words of a run's lines that have rows within the ball. The lists are filled without branches because no
 * processor could foresee them. */
KERNEL static size_t find_words(const struct near_block *blocks, const uint32_t *lines, size_t count,
                                const uint64_t ball[NEAR_WORDS], struct live_word words[NEAR_WORDS * LINES])
{
    const struct near_block *live[LINES];
    size_t live_count = 0;
    size_t word_count = 0;

    for (size_t i = 0; i < count; i++) {
        const struct near_block *block = &blocks[lines[i]];
        live[live_count] = block;
        live_count += kernel_is_live(block, ball);
    }
    for (size_t i = 0; i < live_count; i++) {
        for (unsigned int word = 0; word < NEAR_WORDS; word++) {
            uint64_t hits = live[i]->rows[word] & ball[word];
            words[word_count] = (struct live_word){hits, live[i], word};
            word_count += hits != 0;
        }
    }
    return word_count;
}

/* Second stage: tests the lines and fetches the entries of the rows that are there. */
KERNEL static void test_lines(struct walk *walk, struct slice *slice)
{
    if (slice->run_count == 0)
        return;
    const struct near_index *index = walk->index;
    const struct near_chunk *chunk = &index->chunks[slice->chunk_number];
    const unsigned int next = slice->chunk_number + 1 < index->chunk_count ? slice->chunk_number + 1 : 0;
    const unsigned int bits_max = slice->allowance.bits[slice->chunk_number] - 1U;
    struct live_word words[NEAR_WORDS * LINES];
    uint32_t line = 0;

    for (unsigned int r = 0; r < slice->run_count; r++) {
        const unsigned int flips = slice->runs[r].flips;
        const unsigned int budget = bits_max + slice->allowance.bits[next] - flips;
        size_t word_count = find_words(chunk->blocks, &slice->lines[line], slice->runs[r].end - line,
                                       slice->balls[bits_max - flips], words);
        for (size_t i = 0; i < word_count; i++)
            add_rows(walk, slice, &words[i], budget);
        line = slice->runs[r].end;
    }
    for (size_t r = 0; r < slice->row_count; r++) {
        const struct found_row *row = &slice->rows[r];
        __builtin_prefetch((row->length > 0 ? chunk->entries : index->spill) + row->position, 0, 2);
    }
}

KERNEL static int kernel_search(const struct near_index *index, const struct near_query *queries,
                                size_t query_count, const struct near_sink *sink)
{
    struct walk walk;
    unsigned int idle = 0;

    walk.index = index;
    walk.queries = queries;
    walk.query_count = query_count;
    walk.sink = sink;
    walk.query_number = 0;
    walk.chunk_number = 0;
    walk.flips = 0;
    walk.mask = 0;
    walk.begun = false;
    walk.result = 0;
    for (unsigned int i = 0; i < STAGES; i++) {
        walk.slices[i].run_count = 0;
        walk.slices[i].row_count = 0;
        walk.slices[i].candidate_count = 0;
    }
    for (unsigned int step = 0; idle < STAGES && walk.result == 0; step++) {
        take_lines(&walk, &walk.slices[step % STAGES]);
        idle = walk.slices[step % STAGES].run_count == 0 ? idle + 1 : 0;
        test_lines(&walk, &walk.slices[(step + 3) % STAGES]);
        read_rows(&walk, &walk.slices[(step + 2) % STAGES]);
        compare(&walk, &walk.slices[(step + 1) % STAGES]);
    }
    return walk.result;
}
