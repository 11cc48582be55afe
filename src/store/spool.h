/* Bytes kept aside, in a file without a name, until it is known whether they count. */
#ifndef PRESCREEN_STORE_SPOOL_H
#define PRESCREEN_STORE_SPOOL_H

#include "prescreen/lists/signature.h"

#include <stdint.h>

struct spool {
    int file; /* -1 = none yet */
    uint64_t size;
};

void spool_init(struct spool *spool);

/* Forgets the bytes. */
void spool_clear(struct spool *spool);

/* Errors: -errno of the file, which lies in the folder. */
int spool_append(struct spool *spool, const char *folder, const void *data, size_t size);

/* Whether the bytes bear the signature: as list_signature_verify(); also -errno of the file. */
int spool_verify(const struct spool *spool, const uint8_t key[CONFIG_SIGNATURE_KEY_SIZE],
                 const uint8_t signature[LIST_SIGNATURE_SIZE]);

#endif
