#include "seen.h"

#include "prescreen/hash/digest.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Half of a SHA-256 each: nobody finds two texts that have it in common. */
struct mark {
    uint64_t words[2];
};

struct seen {
    struct mark *marks;
    size_t count, capacity;
};

int seen_create(struct seen **seen)
{
    struct seen *made = calloc(1, sizeof *made);

    if (made == NULL)
        return -ENOMEM;
    *seen = made;
    return 0;
}

void seen_free(struct seen *seen)
{
    if (seen == NULL)
        return;
    free(seen->marks);
    free(seen);
}

static int make_mark(const void *data, size_t size, struct mark *mark)
{
    struct digest_stream *stream = NULL;
    struct known_hashes hashes = {.kinds = 0};
    int result = digest_stream_create(HASH_BIT(HASH_SHA256), &stream);

    if (result == 0)
        result = digest_stream_update(stream, data, size);
    if (result == 0)
        result = digest_stream_finish(stream, &hashes);
    digest_stream_free(stream);
    memcpy(mark, hashes.sha256, sizeof *mark);
    return result;
}

static int grow(struct seen *seen)
{
    size_t wanted = seen->capacity == 0 ? 64 : 2 * seen->capacity;
    struct mark *grown = reallocarray(seen->marks, wanted, sizeof *grown);

    if (grown == NULL)
        return -ENOMEM;
    seen->marks = grown;
    seen->capacity = wanted;
    return 0;
}

int seen_add(struct seen *seen, const void *data, size_t size)
{
    struct mark mark;
    int result = make_mark(data, size, &mark);

    for (size_t i = 0; result == 0 && i < seen->count; i++) {
        if (seen->marks[i].words[0] == mark.words[0] && seen->marks[i].words[1] == mark.words[1])
            return SEEN_BEFORE;
    }
    if (result == 0 && seen->count == seen->capacity)
        result = grow(seen);
    if (result == 0)
        seen->marks[seen->count++] = mark;
    return result;
}
