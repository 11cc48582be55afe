#include "prescreen/base/uuid.h"

#include "prescreen/base/bytes.h"
#include "prescreen/base/clock.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

int uuid_make_v7(char text[UUID_TEXT_SIZE])
{
    uint8_t raw[16];
    char hex[33];
    uint64_t now_ms = clock_wall_us() / 1000;
    ssize_t got = getrandom(raw, sizeof raw, 0);

    if (got != (ssize_t)sizeof raw)
        return got < 0 ? -errno : -EIO;
    for (int i = 0; i < 6; i++)
        raw[i] = (uint8_t)(now_ms >> (40 - 8 * i));
    raw[6] = (uint8_t)(0x70 | (raw[6] & 0x0f));
    raw[8] = (uint8_t)(0x80 | (raw[8] & 0x3f));
    hex_encode(raw, sizeof raw, hex);
    static const int starts[] = {0, 8, 12, 16, 20, 32};
    for (int part = 0; part < 5; part++) {
        memcpy(text, hex + starts[part], (size_t)(starts[part + 1] - starts[part]));
        text += starts[part + 1] - starts[part];
        *text++ = part < 4 ? '-' : '\0';
    }
    return 0;
}
