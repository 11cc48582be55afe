#include "prescreen/worker/decoders.h"

#include <errno.h>
#include <stdlib.h>

/* What libheif and the codecs behind it map is no memory of a picture. */
static const uint64_t heif_libraries_bytes = (uint64_t)60 << 20;

struct decoders {
    struct worker_pool *pools[WORKER_KIND_COUNT]; /* NULL where a kind is not there */
};

static int create_pools(struct decoders *decoders, const struct decoders_options *options, struct diag *diag)
{
    struct worker_pool_options heif = options->pool;
    int result = worker_pool_create(&options->pool, &decoders->pools[WORKER_PLAIN], diag);

    if (result != 0 || options->heif_path == NULL)
        return result;
    heif.kind = WORKER_HEIF;
    if (heif.memory_bytes <= UINT64_MAX - heif_libraries_bytes)
        heif.memory_bytes += heif_libraries_bytes;
    heif.recycle_broken = true; /* libheif 1.15 loses memory where a decoder fails (its issues 1684, 1753) */
    heif.worker_path = options->heif_path;
    heif.count = options->heif_count;
    return worker_pool_create(&heif, &decoders->pools[WORKER_HEIF], diag);
}

int decoders_create(const struct decoders_options *options, struct decoders **decoders, struct diag *diag)
{
    struct decoders *created = calloc(1, sizeof *created);

    if (created == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the decoders");
    int result = create_pools(created, options, diag);
    if (result != 0) {
        decoders_free(created);
        return result;
    }
    *decoders = created;
    return 0;
}

/* The kind that decodes what a plain worker recognised and has no codec for. */
static enum worker_kind kind_for(const struct examination *examination)
{
    bool other = examination->format == FORMAT_HEIC || examination->format == FORMAT_AVIF;

    return other && examination->reasons == REASON_BIT(REASON_MEDIA_UNSUPPORTED) ? WORKER_HEIF : WORKER_PLAIN;
}

int decoders_examine(struct decoders *decoders, const struct examination_request *request,
                     struct examination *examination)
{
    int result = worker_pool_examine(decoders->pools[WORKER_PLAIN], request, examination);

    if (result != 0)
        return result;
    enum worker_kind kind = kind_for(examination);
    if (kind == WORKER_PLAIN || decoders->pools[kind] == NULL)
        return 0;
    enum media_format format = examination->format;
    uint64_t recognised_us = examination->decode_us;
    result = worker_pool_examine(decoders->pools[kind], request, examination);
    if (result != 0)
        return result;
    examination->decode_us += recognised_us;
    if (examination->format == FORMAT_UNKNOWN) /* it died of the upload, whose format is known all the same */
        examination->format = format;
    return 0;
}

bool decoders_have(const struct decoders *decoders, enum worker_kind kind)
{
    return decoders->pools[kind] != NULL;
}

void decoders_read_status(struct decoders *decoders, enum worker_kind kind, struct worker_pool_status *status)
{
    *status = (struct worker_pool_status){.count = 0};
    if (decoders->pools[kind] != NULL)
        worker_pool_read_status(decoders->pools[kind], status);
}

void decoders_free(struct decoders *decoders)
{
    if (decoders == NULL)
        return;
    for (int kind = 0; kind < WORKER_KIND_COUNT; kind++)
        worker_pool_free(decoders->pools[kind]);
    free(decoders);
}
