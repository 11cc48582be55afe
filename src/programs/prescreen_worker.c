#include "prescreen/worker/run.h"

int main(int argc, char **argv)
{
    worker_run(argc, argv, &decode_codecs_plain, false);
}
