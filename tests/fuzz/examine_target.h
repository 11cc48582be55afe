/* What the fuzz targets of whole examinations do: everything that a worker does with an upload, with the
 * limits that it has in service, so that pictures of any size are taken as they are. */
#ifndef PRESCREEN_TESTS_FUZZ_EXAMINE_TARGET_H
#define PRESCREEN_TESTS_FUZZ_EXAMINE_TARGET_H

#include "prescreen/base/bug.h"
#include "prescreen/base/clock.h"

#include "worker/examine.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#ifndef FUZZ_CODECS
#define FUZZ_CODECS decode_codecs_plain
#endif

enum { FUZZ_EXAMINATION_US = 8000000 };

static struct examination fuzz_examination;

static void fuzz_check_view(const struct examined_view *view)
{
    BUG_ON(view->view >= VIEW_COUNT);
    BUG_ON(view->frame >= fuzz_examination.frames);
    BUG_ON(view->quality > 100);
    BUG_ON(view->unused != 0);
}

static void fuzz_check_examination(void)
{
    const struct examination *found = &fuzz_examination;
    reason_set all = 0;

    for (unsigned int reason = REASON_MEDIA_FIRST; reason < REASON_MEDIA_LOW_QUALITY; reason++)
        all |= REASON_BIT(reason);
    BUG_ON((found->reasons & ~all) != 0);
    BUG_ON(found->view_count > EXAMINATION_VIEWS_MAX);
    BUG_ON(memchr(found->detail, 0, sizeof found->detail) == NULL);
    for (uint32_t i = 0; i < found->view_count; i++)
        fuzz_check_view(&found->views[i]);
    /* Nothing that could not be looked at is passed over in silence. */
    BUG_ON(found->view_count == 0 && found->reasons == 0 && found->width >= 5 && found->height >= 5);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct examine_orders orders = {
        .codecs = &FUZZ_CODECS,
        .limits = examine_limits_for(&FUZZ_CODECS, size, (uint64_t)512 << 20, 100000000, 500),
        .deadline_us = clock_monotonic_us() + FUZZ_EXAMINATION_US,
        .effort = (enum effort)(size % EFFORT_COUNT),
        .enrolment = size % 7 == 0,
        .cpu = cpu_choose()};

    memset(&fuzz_examination, 0xa5, sizeof fuzz_examination);
    examine_upload(data, size, &orders, &fuzz_examination);
    fuzz_check_examination();
    return 0;
}

#endif
