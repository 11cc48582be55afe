#include "protocol.h"

#include "prescreen/base/bug.h"

const struct feed_protocol *feed_protocol_of(enum feed_kind kind)
{
    static const struct feed_protocol *const protocols[FEED_KIND_COUNT] = {
        [FEED_NCMEC] = &feed_ncmec, [FEED_STOPNCII] = &feed_stopncii};

    BUG_ON(kind >= FEED_KIND_COUNT);
    return protocols[kind];
}
