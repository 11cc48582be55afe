/* BMP bytes, and whatever the recogniser takes them for. */
#include "decode_target.h"
