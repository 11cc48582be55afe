/* One page of several, whole in memory: whether its form is right, and what it says of the others. */
#ifndef PRESCREEN_LISTS_PAGE_H
#define PRESCREEN_LISTS_PAGE_H

#include "prescreen/lists/reader.h"

struct list_page {
    bool more; /* others follow it */
    struct list_paging paging;
    uint64_t records;            /* that can be matched, or withdraw what could */
    uint8_t digest[SHA256_SIZE]; /* of these records: equal when two pages bring the same */
};

/* Reads a page as list_reader does, but for what belongs on a list: every class is taken, bad records are
 * passed over. Returns 0; LIST_READER_BAD with diag when its form is wrong, as that of a page that was cut;
 * -ENOMEM, -EIO with diag. */
int list_page_read(enum list_format format, const void *data, size_t size, struct list_page *page,
                   struct diag *diag);

#endif
