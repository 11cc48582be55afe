#include "steps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static struct examination_key make_key(const struct screener *screener, const struct upload *upload,
                                       enum effort effort)
{
    const struct config_limits *limits = &screener->parts.config->limits;
    struct examination_key key = {
        .size = upload->size, .pixels_max = limits->pixels, .frames_max = limits->frames, .effort = effort};

    memcpy(key.sha256, upload->hashes.sha256, sizeof key.sha256);
    return key;
}

static int ask_worker(struct decoders *decoders, const struct upload *upload, enum effort effort,
                      struct examination *examination, struct diag *diag)
{
    const struct examination_request request = {
        .memory_fd = upload->memory_fd, .size = upload->size, .effort = effort};
    int outcome = decoders_examine(decoders, &request, examination);

    if (outcome == WORKER_POOL_BUSY)
        return diag_fail(diag, SCREENER_BUSY, "every decoder is busy; try again shortly");
    return outcome == 0 ? 0 : diag_fail(diag, outcome, "the service is stopping");
}

int screening_examine(const struct screener *screener, struct upload *upload, enum effort effort,
                      struct examined *examined, struct diag *diag)
{
    struct examination_cache *cache = screener->parts.cache;
    struct examined made = {.key = make_key(screener, upload, effort)};
    int result = 0;

    made.examination = malloc(sizeof *made.examination);
    if (made.examination == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the examination");
    made.cached =
        cache != NULL && examination_cache_find(cache, &made.key, made.examination, &upload->hashes);
    made.kinds = upload->hashes.kinds;
    if (!made.cached)
        result = ask_worker(screener->parts.decoders, upload, effort, made.examination, diag);
    if (result != 0) {
        free(made.examination);
        return result;
    }
    *examined = made;
    return 0;
}

void screening_keep(const struct screener *screener, const struct upload *upload,
                    const struct examined *examined)
{
    if (screener->parts.cache != NULL && (!examined->cached || upload->hashes.kinds != examined->kinds))
        examination_cache_keep(screener->parts.cache, &examined->key, examined->examination, &upload->hashes);
}

int screening_complete_digests(struct upload *upload, unsigned int kinds, struct diag *diag)
{
    int result = upload_complete(upload, kinds);

    return result == 0 ? 0
                       : diag_fail(diag, result, "the upload could not be digested: %s", strerror(-result));
}
