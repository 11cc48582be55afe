#include "near_crowd.h"

#include "memory.h"

#include <errno.h>
#include <string.h>

enum {
    HASHES_MIN = 8192,
    MEMBERS_MIN = 128,
    CROWD_RADIUS = 40, /* bits from the centre, at most */
    SAME_CROWD = 16,   /* bits between centres */
    WORDS = 16,
    WORD_VALUES = 1 << 16,
    CHAIN_MAX = 4 /* groups that agree in a word and are looked at */
};

/* What is looked at to find groups. */
enum {
    SAMPLE_MAX = 1 << 19,
    STRIDE_MIN = 4,
    BUCKET_MIN = 32,
    LEADERS = 8,
    FOLLOWERS_MIN = 16,
    VOTERS_MAX = 64
};

/* The groups that have a value in a word. */
struct directory {
    uint64_t present[WORDS][WORD_VALUES / 64];
    uint16_t first[WORDS][WORD_VALUES]; /* group + 1 */
    uint16_t next[WORDS][NEAR_CROWDS_MAX];
};

/* Hashes of a sample, by the value of one of their sixteen words: those of a crowd agree in some word with
 * many others.
 */
struct finder {
    const struct pdq_hash *hashes;
    struct directory *directory;
    const struct index_pace *pace;
    size_t stride;
    size_t sample_count;
    struct near_crowd_group *groups;
    unsigned int group_count;
    uint32_t *order; /* numbers in the sample, sorted by the value */
    uint8_t *taken;  /* for each of the sample: it is of a group, or led none */
    uint32_t starts[WORD_VALUES + 1];
};

static unsigned int word_of(const struct pdq_hash *hash, unsigned int word)
{
    return hash->words[word / 4] >> (word % 4 * 16) & (WORD_VALUES - 1);
}

static const struct pdq_hash *sample(const struct finder *finder, size_t number)
{
    return &finder->hashes[number * finder->stride];
}

static void sort_sample(struct finder *finder, unsigned int word)
{
    uint32_t *starts = finder->starts;

    memset(starts, 0, sizeof finder->starts);
    for (size_t i = 0; i < finder->sample_count; i++) {
        index_pace_at(finder->pace, i);
        starts[word_of(sample(finder, i), word)] += finder->taken[i] == 0;
    }
    for (uint32_t value = 0, place = 0; value <= WORD_VALUES; value++) {
        uint32_t here = starts[value];
        starts[value] = place;
        place += here;
    }
    for (size_t i = 0; i < finder->sample_count; i++) {
        index_pace_at(finder->pace, i);
        if (finder->taken[i] == 0)
            finder->order[starts[word_of(sample(finder, i), word)]++] = (uint32_t)i;
    }
    /* Each start has moved to the next one's place. */
    memmove(starts + 1, starts, WORD_VALUES * sizeof *starts);
    starts[0] = 0;
}

static void vote(uint32_t votes[256], const struct pdq_hash *hash)
{
    for (unsigned int bit = 0; bit < 256; bit++)
        votes[bit] += (uint32_t)(hash->words[bit / 64] >> (bit % 64) & 1);
}

static struct pdq_hash count_votes(const uint32_t votes[256], uint32_t voters)
{
    struct pdq_hash centre = {{0}};

    for (unsigned int bit = 0; bit < 256; bit++)
        centre.words[bit / 64] |= (uint64_t)(2 * votes[bit] > voters) << (bit % 64);
    return centre;
}

/* Finds the middle of those in a bucket that are near the leader. Returns how many those are. */
static size_t find_centre(const struct finder *finder, const uint32_t *bucket, size_t count,
                          const struct pdq_hash *leader, struct pdq_hash *centre)
{
    uint32_t votes[256] = {0};
    uint32_t followers = 0;
    uint32_t voters = 0;

    for (size_t i = 0; i < count; i++) {
        const struct pdq_hash *hash = sample(finder, bucket[i]);
        if (finder->taken[bucket[i]] != 0 || pdq_distance(hash, leader) > CROWD_RADIUS)
            continue;
        followers++;
        if (voters < VOTERS_MAX) {
            vote(votes, hash);
            voters++;
        }
    }
    *centre = count_votes(votes, voters);
    return followers;
}

static void add_group(struct directory *directory, const struct pdq_hash *centre, unsigned int group)
{
    for (unsigned int word = 0; word < WORDS; word++) {
        unsigned int value = word_of(centre, word);
        directory->present[word][value / 64] |= (uint64_t)1 << (value % 64);
        directory->next[word][group] = directory->first[word][value];
        directory->first[word][value] = (uint16_t)(group + 1);
    }
}

/* A group that a hash agrees with in a word and is so near to. */
static uint16_t group_near(const struct directory *directory, const struct near_crowd_group *groups,
                           const struct pdq_hash *hash, unsigned int reach, unsigned int *distance_bits)
{
    for (unsigned int word = 0; word < WORDS; word++) {
        unsigned int value = word_of(hash, word);
        if ((directory->present[word][value / 64] >> (value % 64) & 1) == 0)
            continue;
        uint16_t next = directory->first[word][value];
        for (unsigned int i = 0; i < CHAIN_MAX && next > 0; i++) {
            uint16_t group = next - 1;
            *distance_bits = pdq_distance(&groups[group].centre, hash);
            if (*distance_bits <= reach)
                return group;
            next = directory->next[word][group];
        }
    }
    return NEAR_NO_CROWD;
}

static void search_bucket(struct finder *finder, const uint32_t *bucket, size_t count)
{
    for (size_t l = 0; l < LEADERS && finder->group_count < NEAR_CROWDS_MAX; l++) {
        uint32_t leader = bucket[l * count / LEADERS];
        struct pdq_hash centre;
        unsigned int away = 0;
        if (finder->taken[leader] != 0)
            continue;
        size_t followers = find_centre(finder, bucket, count, sample(finder, leader), &centre);
        finder->taken[leader] = 1;
        if (followers < FOLLOWERS_MIN)
            continue;
        if (group_near(finder->directory, finder->groups, &centre, SAME_CROWD, &away) == NEAR_NO_CROWD) {
            add_group(finder->directory, &centre, finder->group_count);
            finder->groups[finder->group_count++].centre = centre;
        }
        for (size_t i = 0; i < count; i++)
            finder->taken[bucket[i]] |= pdq_distance(sample(finder, bucket[i]), &centre) <= CROWD_RADIUS;
    }
}

static void search_sample(struct finder *finder)
{
    for (unsigned int word = 0; word < WORDS; word++) {
        sort_sample(finder, word);
        for (uint32_t value = 0; value < WORD_VALUES; value++) {
            uint32_t start = finder->starts[value];
            index_pace_at(finder->pace, value);
            uint32_t length = finder->starts[value + 1] - start;
            if (length >= BUCKET_MIN)
                search_bucket(finder, finder->order + start, length);
        }
    }
}

static int find_groups(const struct pdq_hash *hashes, const struct index_pace *pace,
                       struct near_crowding *crowding, struct directory *directory)
{
    const size_t count = crowding->hash_count;
    const size_t stride = count / SAMPLE_MAX < STRIDE_MIN ? STRIDE_MIN : count / SAMPLE_MAX;
    const size_t sample_count = count / stride;
    struct finder *finder = index_memory_acquire(sizeof *finder);
    int result = -ENOMEM;

    if (finder == NULL)
        return -ENOMEM;
    *finder = (struct finder){.hashes = hashes,
                              .directory = directory,
                              .pace = pace,
                              .stride = stride,
                              .sample_count = sample_count,
                              .groups = crowding->groups};
    finder->order = index_memory_acquire(sample_count * sizeof *finder->order);
    finder->taken = index_memory_acquire(sample_count);
    if (finder->order != NULL && finder->taken != NULL) {
        search_sample(finder);
        crowding->group_count = finder->group_count;
        result = 0;
    }
    index_memory_release(finder->order, sample_count * sizeof *finder->order);
    index_memory_release(finder->taken, sample_count);
    index_memory_release(finder, sizeof *finder);
    return result;
}

static int share_hashes(const struct pdq_hash *hashes, const struct index_pace *pace,
                        struct near_crowding *crowding, const struct directory *directory)
{
    crowding->group_of = index_memory_acquire(crowding->hash_count * sizeof *crowding->group_of);
    if (crowding->group_of == NULL)
        return -ENOMEM;
    for (size_t i = 0; i < crowding->hash_count; i++) {
        unsigned int away = 0;
        index_pace_at(pace, i);
        uint16_t number = group_near(directory, crowding->groups, &hashes[i], CROWD_RADIUS, &away);
        crowding->group_of[i] = number;
        if (number == NEAR_NO_CROWD)
            continue;
        struct near_crowd_group *group = &crowding->groups[number];
        group->count++;
        if (away > group->radius)
            group->radius = away;
    }
    return 0;
}

/* Lets go of groups that are too small to stand apart. */
static void choose_groups(struct near_crowding *crowding)
{
    uint16_t numbers[NEAR_CROWDS_MAX];
    unsigned int chosen = 0;

    for (unsigned int g = 0; g < crowding->group_count; g++) {
        const struct near_crowd_group group = crowding->groups[g];
        numbers[g] = NEAR_NO_CROWD;
        if (group.count < MEMBERS_MIN)
            continue;
        numbers[g] = (uint16_t)chosen;
        crowding->groups[chosen++] = group;
        crowding->member_count += group.count;
        crowding->octet_count += (group.count + NEAR_LANES - 1) / NEAR_LANES;
    }
    crowding->group_count = chosen;
    for (size_t i = 0; i < crowding->hash_count; i++) {
        if (crowding->group_of[i] != NEAR_NO_CROWD)
            crowding->group_of[i] = numbers[crowding->group_of[i]];
    }
}

static int look_for_crowds(const struct pdq_hash *hashes, const struct index_pace *pace,
                           struct near_crowding *crowding)
{
    struct directory *directory = index_memory_acquire(sizeof *directory);
    int result = directory == NULL ? -ENOMEM : find_groups(hashes, pace, crowding, directory);

    if (result == 0 && crowding->group_count > 0) {
        result = share_hashes(hashes, pace, crowding, directory);
        if (result == 0)
            choose_groups(crowding);
    }
    index_memory_release(directory, sizeof *directory);
    return result;
}

int near_crowding_create(const struct pdq_hash *hashes, size_t count, const struct index_pace *pace,
                         struct near_crowding **created)
{
    struct near_crowding *crowding = index_memory_acquire(sizeof *crowding);
    int result = 0;

    if (crowding == NULL)
        return -ENOMEM;
    crowding->hash_count = count;
    if (count >= HASHES_MIN)
        result = look_for_crowds(hashes, pace, crowding);
    if (result == 0)
        *created = crowding;
    else
        near_crowding_free(crowding);
    return result;
}

void near_crowding_free(struct near_crowding *crowding)
{
    if (crowding == NULL)
        return;
    index_memory_release(crowding->group_of, crowding->hash_count * sizeof *crowding->group_of);
    index_memory_release(crowding, sizeof *crowding);
}

/* Where the parts stand in an index's memory, behind the centres. */
struct layout {
    size_t members, groups, ids, crowded, end;
};

static struct layout plan_layout(unsigned int crowd_count, uint32_t octet_count, size_t hash_count)
{
    struct layout at = {0};

    if (crowd_count == 0)
        return at;
    at.members = (crowd_count + NEAR_LANES - 1) / NEAR_LANES * sizeof(struct near_octet);
    at.crowded = at.members + octet_count * sizeof(struct near_octet);
    at.ids = at.crowded + (hash_count + 63) / 64 * sizeof(uint64_t);
    at.groups = at.ids + (size_t)octet_count * NEAR_LANES * sizeof(uint32_t);
    at.end = (at.groups + crowd_count * sizeof(struct near_crowd) + 63) / 64 * 64;
    return at;
}

size_t near_crowd_bytes(unsigned int crowd_count, uint32_t octet_count, size_t hash_count)
{
    return plan_layout(crowd_count, octet_count, hash_count).end;
}

void near_crowd_place(struct near_index *index, void *memory)
{
    const struct layout at = plan_layout(index->crowd_count, index->octet_count, index->count);

    if (index->crowd_count == 0)
        return;
    index->centres = memory;
    index->members = (struct near_octet *)(void *)((uint8_t *)memory + at.members);
    index->crowded = (uint64_t *)(void *)((uint8_t *)memory + at.crowded);
    index->member_ids = (uint32_t *)(void *)((uint8_t *)memory + at.ids);
    index->crowds = (struct near_crowd *)(void *)((uint8_t *)memory + at.groups);
}

static void put(struct near_octet *octets, size_t place, const struct pdq_hash *hash)
{
    for (unsigned int word = 0; word < 4; word++)
        octets[place / NEAR_LANES].words[word][place % NEAR_LANES] = hash->words[word];
}

static void fill_members(const struct near_crowding *crowding, struct near_index *index)
{
    for (size_t i = 0; i < crowding->hash_count; i++) {
        uint16_t group = crowding->group_of[i];
        if (group == NEAR_NO_CROWD)
            continue;
        struct near_crowd *crowd = &index->crowds[group];
        size_t place = (size_t)crowd->first_octet * NEAR_LANES + crowd->count++;
        put(index->members, place, &index->hashes[i]);
        index->member_ids[place] = (uint32_t)i;
        index->crowded[i / 64] |= (uint64_t)1 << (i % 64);
    }
}

void near_crowding_lay_out(const struct near_crowding *crowding, struct near_index *index, void *memory)
{
    uint32_t octet = 0;

    index->crowd_count = crowding->group_count;
    index->octet_count = crowding->octet_count;
    near_crowd_place(index, memory);
    for (unsigned int g = 0; g < crowding->group_count; g++) {
        const struct near_crowd_group *group = &crowding->groups[g];
        put(index->centres, g, &group->centre);
        index->crowds[g] = (struct near_crowd){octet, 0, group->radius};
        octet += (group->count + NEAR_LANES - 1) / NEAR_LANES;
    }
    if (crowding->group_count > 0)
        fill_members(crowding, index);
}
