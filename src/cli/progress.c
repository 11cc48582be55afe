#include "prescreen/base/clock.h"

#include "output.h"

#include <stdio.h>
#include <unistd.h>

enum { BAR_WIDTH = 30, REDRAW_US = 100000 };

void progress_start(struct progress *progress, const char *what, uint64_t total)
{
    *progress = (struct progress){.what = what, .total = total, .terminal = isatty(STDERR_FILENO) == 1};
    progress->shown_us = clock_monotonic_us();
}

static void draw_bar(const struct progress *progress, uint64_t done)
{
    char bar[BAR_WIDTH + 1];
    double share = (double)done / (double)progress->total;
    int filled = share >= 1 ? BAR_WIDTH : (int)(share * BAR_WIDTH);

    for (int i = 0; i < BAR_WIDTH; i++)
        bar[i] = i < filled ? '#' : '.';
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3d %%", progress->what, bar, share >= 1 ? 100 : (int)(share * 100));
}

void progress_show(struct progress *progress, uint64_t done)
{
    uint64_t now_us = clock_monotonic_us();

    if (!progress->terminal || now_us - progress->shown_us < REDRAW_US)
        return;
    progress->shown_us = now_us;
    progress->visible = true;
    if (progress->total > 0)
        draw_bar(progress, done);
    else
        fprintf(stderr, "\r%s %llu", progress->what, (unsigned long long)done);
    fflush(stderr);
}

void progress_hide(struct progress *progress)
{
    if (!progress->visible)
        return;
    progress->visible = false;
    fputs("\r\033[K", stderr);
    fflush(stderr);
}
