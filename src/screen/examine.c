#include "steps.h"

#include <errno.h>
#include <stdlib.h>

int screening_examine(struct worker_pool *pool, const struct upload *upload, enum effort effort,
                      struct examination **examination, struct diag *diag)
{
    const struct examination_request request = {
        .memory_fd = upload->memory_fd, .size = upload->size, .effort = effort};
    struct examination *result = calloc(1, sizeof *result);

    if (result == NULL)
        return diag_fail(diag, -ENOMEM, "no memory for the examination");
    int outcome = worker_pool_examine(pool, &request, result);
    if (outcome != 0) {
        free(result);
        if (outcome == WORKER_POOL_BUSY)
            return diag_fail(diag, SCREENER_BUSY, "every decoder is busy; try again shortly");
        return diag_fail(diag, outcome, "the service is stopping");
    }
    *examination = result;
    return 0;
}
