/* What the tests of the configuration share: texts that must be taken, or refused for a reason. */
#ifndef PRESCREEN_TESTS_UNIT_CONFIG_TEXTS_H
#define PRESCREEN_TESTS_UNIT_CONFIG_TEXTS_H

#include "prescreen/config/config.h"

#include <check.h>
#include <errno.h>
#include <string.h>

static inline struct config *parse(const char *text)
{
    struct config *config = NULL;
    struct diag diag = {""};
    int error = config_parse(text, strlen(text), "test.yaml", &config, &diag);

    ck_assert_msg(error == 0, "%s", diag.text);
    return config;
}

static inline void refuse(const char *text, const char *message)
{
    struct config *config = NULL;
    struct diag diag = {""};

    ck_assert_msg(config_parse(text, strlen(text), "test.yaml", &config, &diag) == -EINVAL, "%s", text);
    ck_assert_ptr_null(config);
    ck_assert_msg(strstr(diag.text, message) != NULL, "\"%s\" does not say \"%s\"", diag.text, message);
}

static inline uint64_t limit_value(const struct config_limits *limits, const struct config_limit_row *row)
{
    uint64_t value;

    memcpy(&value, (const char *)limits + row->offset, sizeof value);
    return value;
}

#endif
