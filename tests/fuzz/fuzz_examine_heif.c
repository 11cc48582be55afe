/* Whole examinations by the worker of HEIC and AVIF. */
#define FUZZ_CODECS decode_codecs_heif
#include "examine_target.h"

const char *__lsan_default_suppressions(void);

/* As in fuzz_heif.c. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libdav1d.so\nleak:libheif.so\nleak:libde265.so\n";
}
