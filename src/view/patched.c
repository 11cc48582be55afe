#include "derivation.h"
#include "patch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    /* So many of the largest shapes are each taken to be a sticker, */
    SINGLES_MAX = 8,
    /* from one part in so many of the picture on. */
    SINGLE_SHARE = 250,
    /* So many colours of which there are several shapes: words, bars. */
    COLOURS_MAX = 4,
    /* Between shapes of one colour. */
    COLOUR_RANGE = 6,
    /* What is covered is at most one part in so many of the picture: else it is the picture. */
    ALL_SHARE = 3,
};

/* Shapes that are left to be tried, and what covers them. */
struct patching {
    struct derivation *derivation;
    struct patch_shapes found;
    uint8_t *kept;
    bool tried[PATCH_SHAPES_MAX];
};

static size_t samples_of(const struct patching *patching)
{
    const struct luma_picture *picture = patching->derivation->source->picture;

    return (size_t)picture->width * picture->height;
}

static bool is_alike(const struct patch_shape *a, const struct patch_shape *b)
{
    return abs(a->colour - b->colour) <= COLOUR_RANGE;
}

/* Adds the view without the shapes that are like this one; without all when it is NULL. */
static int add_without(struct patching *patching, const struct patch_shape *like, bool alone)
{
    const struct luma_picture *picture = patching->derivation->source->picture;
    size_t size = samples_of(patching);
    size_t covered = 0;

    memset(patching->kept, UINT8_MAX, size);
    for (unsigned int i = 0; i < patching->found.count; i++) {
        const struct patch_shape *shape = &patching->found.shapes[i];
        if (like == NULL || shape == like || (!alone && is_alike(shape, like)))
            patch_cover(picture, &patching->found, i, patching->kept);
    }
    for (size_t i = 0; i < size; i++)
        covered += patching->kept[i] == 0;
    if (covered == 0 || covered > size / ALL_SHARE)
        return 0;
    return derivation_add_kept(patching->derivation, VIEW_PATCHED, patching->kept);
}

/* The largest shape that was not tried yet. */
static const struct patch_shape *take_largest(struct patching *patching)
{
    const struct patch_shape *largest = NULL;

    for (unsigned int i = 0; i < patching->found.count; i++) {
        const struct patch_shape *shape = &patching->found.shapes[i];
        if (!patching->tried[i] && (largest == NULL || shape->size > largest->size))
            largest = shape;
    }
    if (largest != NULL)
        patching->tried[largest - patching->found.shapes] = true;
    return largest;
}

static int add_singles(struct patching *patching)
{
    const struct patch_shape *shape = NULL;
    int status = 0;

    memset(patching->tried, 0, sizeof patching->tried);
    for (int i = 0; status == 0 && i < SINGLES_MAX; i++) {
        shape = take_largest(patching);
        if (shape == NULL || shape->size < samples_of(patching) / SINGLE_SHARE)
            break;
        status = add_without(patching, shape, true);
    }
    return status;
}

/* Of each colour, from the one of the largest shape on. */
static int add_colours(struct patching *patching)
{
    const struct patch_shape *shape = NULL;
    int status = 0;

    memset(patching->tried, 0, sizeof patching->tried);
    for (int i = 0; status == 0 && i < COLOURS_MAX && (shape = take_largest(patching)) != NULL; i++) {
        for (unsigned int k = 0; k < patching->found.count; k++)
            patching->tried[k] = patching->tried[k] || is_alike(shape, &patching->found.shapes[k]);
        status = add_without(patching, shape, false);
    }
    return status;
}

static int add_all(struct patching *patching)
{
    int status = patch_find(patching->derivation->source->picture, &patching->found);

    if (status == 0)
        status = add_singles(patching);
    if (status == 0)
        status = add_colours(patching);
    return status != 0 ? status : add_without(patching, NULL, false);
}

int patched_derive(struct derivation *derivation)
{
    struct patching patching = {.derivation = derivation};
    int status = -ENOMEM;

    patching.kept = malloc(samples_of(&patching));
    patching.found.labels = malloc(samples_of(&patching));
    if (patching.kept != NULL && patching.found.labels != NULL)
        status = add_all(&patching);
    free(patching.kept);
    free(patching.found.labels);
    return status;
}
