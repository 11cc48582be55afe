/* The thread that starts, tests, buries and replaces a pool's workers. */
#ifndef PRESCREEN_WORKER_SUPERVISOR_H
#define PRESCREEN_WORKER_SUPERVISOR_H

/* Runs until pool->stopping. The argument is the struct worker_pool. For pthread_create(). */
void *supervisor_run(void *pool);

#endif
