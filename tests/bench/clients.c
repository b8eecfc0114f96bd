/* SPDX-License-Identifier: MIT */
/*
 * clients PREFIX SIZE_MB COUNT THREADS: make disks through a mount, as `echo SIZE_MB > new/NAME`
 * does in a running shell, and print the seconds. PREFIX begins with the mount's new/.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "crew.h"

static bool make(void *arg, const char *path, int64_t size_mb)
{
    char text[32];
    (void)arg;

    int len = snprintf(text, sizeof text, "%" PRId64 "\n", size_mb);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    bool is_made = fd >= 0 && write(fd, text, (size_t)len) == len;
    if (!is_made)
        fprintf(stderr, "%s: %s\n", path, strerrordesc_np(errno));
    if (fd >= 0)
        close(fd);
    return is_made;
}

int main(int argc, char **argv)
{
    struct crew crew;

    if (!crew_parse(argc, argv, &crew))
        return 2;
    return crew_run(&crew, "", make, NULL);
}
