/* HEIC and AVIF bytes, with the codecs of the worker that is for them. */
#define FUZZ_CODECS decode_codecs_heif
#include "decode_target.h"

const char *__lsan_default_suppressions(void);

/* libheif 1.15 loses what it gave to dav1d where that refuses it: why such a worker is replaced after a
 * broken file. */
const char *__lsan_default_suppressions(void)
{
    return "leak:libdav1d.so\nleak:libheif.so\nleak:libde265.so\n";
}
