/* The main of every unit test: one suite, results as TAP when CK_TAP_LOG_FILE_NAME is set. */
#ifndef PRESCREEN_TESTS_UNIT_TAP_H
#define PRESCREEN_TESTS_UNIT_TAP_H

#include <check.h>
#include <stdlib.h>

/* Runs the suite (taken and freed). Returns the exit status for main. */
static inline int run_suite(Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

#endif
