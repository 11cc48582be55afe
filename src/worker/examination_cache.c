#include "prescreen/worker/examination_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

enum { BUCKETS_MIN = 16, BUCKETS_MAX = 1 << 20, BYTES_PER_BUCKET = 2048, ALLOCATION_OVERHEAD = 16 };

/* Reasons that lie in the moment and not in the bytes. */
static const reason_set passing_reasons = REASON_BIT(REASON_MEDIA_DECODER_DIED) |
                                          REASON_BIT(REASON_MEDIA_LIMIT_TIME) |
                                          REASON_BIT(REASON_MEDIA_LIMIT_MEMORY);

/* The digests that are kept: of the others SHA-256 is the key. */
static const unsigned int kept_digests = HASH_BIT(HASH_MD5) | HASH_BIT(HASH_SHA1);

struct kept {
    struct kept *next;          /* in its bucket */
    struct kept *newer, *older; /* by use */
    struct examination_key key;
    struct known_hashes digests;
    size_t size;                                        /* of found */
    _Alignas(struct examination) unsigned char found[]; /* an examination up to its last view */
};

struct examination_cache {
    uint64_t entries_max;    /* bytes for entries: what the cache itself leaves of its bound */
    uint64_t multipliers[2]; /* secret: nobody can choose uploads that share a bucket */
    unsigned int shift;      /* of a 64-bit hash to a bucket */
    struct kept **buckets;
    pthread_mutex_t
        lock; /* of the buckets and all that follows; held for a microsecond or a few: one suffices */
    struct kept *newest, *oldest;
    struct examination_cache_status status;
};

static size_t found_size(const struct examination *examination)
{
    return offsetof(struct examination, views) + examination->view_count * sizeof examination->views[0];
}

static uint64_t bytes_of(const struct kept *kept)
{
    return sizeof *kept + kept->size + ALLOCATION_OVERHEAD;
}

static struct kept **bucket_of(struct examination_cache *cache, const struct examination_key *key)
{
    uint64_t words[2];

    memcpy(words, key->sha256, sizeof words);
    return &cache->buckets[(words[0] * cache->multipliers[0] + words[1] * cache->multipliers[1]) >>
                           cache->shift];
}

static bool same_key(const struct examination_key *a, const struct examination_key *b)
{
    return memcmp(a->sha256, b->sha256, SHA256_SIZE) == 0 && a->size == b->size &&
           a->pixels_max == b->pixels_max && a->frames_max == b->frames_max && a->effort == b->effort &&
           a->enrolment == b->enrolment;
}

int examination_cache_create(uint64_t bytes_max, struct examination_cache **cache)
{
    struct examination_cache *made = calloc(1, sizeof *made);
    size_t buckets = BUCKETS_MIN;

    if (made == NULL)
        return -ENOMEM;
    made->shift = 64 - 4;
    for (; buckets < BUCKETS_MAX && buckets < bytes_max / BYTES_PER_BUCKET; buckets *= 2)
        made->shift--;
    uint64_t own = sizeof *made + buckets * sizeof(struct kept *);
    made->entries_max = bytes_max > own ? bytes_max - own : 0;
    pthread_mutex_init(&made->lock, NULL);
    made->buckets = calloc(buckets, sizeof(struct kept *));
    int result = made->buckets == NULL ? -ENOMEM : 0;
    if (result == 0 && getrandom(made->multipliers, sizeof made->multipliers, 0) < 0)
        result = -errno;
    if (result != 0) {
        examination_cache_free(made);
        return result;
    }
    made->multipliers[0] |= 1;
    made->multipliers[1] |= 1;
    *cache = made;
    return 0;
}

void examination_cache_free(struct examination_cache *cache)
{
    if (cache == NULL)
        return;
    while (cache->newest != NULL) {
        struct kept *kept = cache->newest;
        cache->newest = kept->older;
        free(kept);
    }
    free(cache->buckets);
    pthread_mutex_destroy(&cache->lock);
    free(cache);
}

static void unlink_use(struct examination_cache *cache, struct kept *kept)
{
    *(kept->newer != NULL ? &kept->newer->older : &cache->newest) = kept->older;
    *(kept->older != NULL ? &kept->older->newer : &cache->oldest) = kept->newer;
}

static void link_use(struct examination_cache *cache, struct kept *kept)
{
    kept->newer = NULL;
    kept->older = cache->newest;
    *(cache->newest != NULL ? &cache->newest->newer : &cache->oldest) = kept;
    cache->newest = kept;
}

/* Finds what is kept under a key, and makes it the last to go. */
static struct kept *use(struct examination_cache *cache, const struct examination_key *key)
{
    struct kept *kept = *bucket_of(cache, key);

    while (kept != NULL && !same_key(&kept->key, key))
        kept = kept->next;
    if (kept != NULL) {
        unlink_use(cache, kept);
        link_use(cache, kept);
    }
    return kept;
}

static void add_digests(struct known_hashes *hashes, const struct known_hashes *more)
{
    unsigned int added = more->kinds & kept_digests & ~hashes->kinds;

    if ((added & HASH_BIT(HASH_MD5)) != 0)
        memcpy(hashes->md5, more->md5, sizeof hashes->md5);
    if ((added & HASH_BIT(HASH_SHA1)) != 0)
        memcpy(hashes->sha1, more->sha1, sizeof hashes->sha1);
    hashes->kinds |= added;
}

bool examination_cache_find(struct examination_cache *cache, const struct examination_key *key,
                            struct examination *examination, struct known_hashes *hashes)
{
    pthread_mutex_lock(&cache->lock);
    const struct kept *kept = use(cache, key);
    if (kept != NULL) {
        memcpy(examination, kept->found, kept->size);
        examination->decode_us = 0;
        add_digests(hashes, &kept->digests);
        cache->status.hits++;
    } else {
        cache->status.misses++;
    }
    pthread_mutex_unlock(&cache->lock);
    return kept != NULL;
}

static void evict_oldest(struct examination_cache *cache)
{
    struct kept *kept = cache->oldest;
    struct kept **place = bucket_of(cache, &kept->key);

    while (*place != kept)
        place = &(*place)->next;
    *place = kept->next;
    unlink_use(cache, kept);
    cache->status.bytes -= bytes_of(kept);
    cache->status.entries--;
    cache->status.evictions++;
    free(kept);
}

static struct kept *make_kept(const struct examination_key *key, const struct examination *examination,
                              const struct known_hashes *hashes)
{
    size_t size = found_size(examination);
    struct kept *kept = malloc(sizeof *kept + size);

    if (kept == NULL)
        return NULL;
    *kept = (struct kept){.key = *key, .size = size};
    add_digests(&kept->digests, hashes);
    memcpy(kept->found, examination, size);
    return kept;
}

/* Takes kept, unless there is no room for it or somebody else was faster. */
static struct kept *insert(struct examination_cache *cache, struct kept *kept)
{
    struct kept *standing = use(cache, &kept->key);
    uint64_t bytes = bytes_of(kept);

    if (standing != NULL) {
        add_digests(&standing->digests, &kept->digests);
        return kept;
    }
    while (cache->oldest != NULL && cache->status.bytes + bytes > cache->entries_max)
        evict_oldest(cache);
    struct kept **place = bucket_of(cache, &kept->key);
    kept->next = *place;
    *place = kept;
    link_use(cache, kept);
    cache->status.bytes += bytes;
    cache->status.entries++;
    return NULL;
}

void examination_cache_keep(struct examination_cache *cache, const struct examination_key *key,
                            const struct examination *examination, const struct known_hashes *hashes)
{
    uint64_t bytes = sizeof(struct kept) + found_size(examination) + ALLOCATION_OVERHEAD;
    struct kept *kept = NULL;

    if ((examination->reasons & passing_reasons) != 0 || bytes > cache->entries_max)
        return;
    kept = make_kept(key, examination, hashes);
    if (kept == NULL)
        return;
    pthread_mutex_lock(&cache->lock);
    kept = insert(cache, kept);
    pthread_mutex_unlock(&cache->lock);
    free(kept);
}

void examination_cache_read_status(struct examination_cache *cache, struct examination_cache_status *status)
{
    pthread_mutex_lock(&cache->lock);
    *status = cache->status;
    pthread_mutex_unlock(&cache->lock);
}
