/* Whole examinations by the plain worker. */
#include "examine_target.h"
