/* SPDX-License-Identifier: MIT */
/*
 * images make STORE NAME KIND SEED: make a disk with a random number of parents; KIND as in
 * image.h.
 *
 * images check STORE NAME EXPECTED: compare its content, read without the library, with a file.
 *
 * Used by test scripts.
 */
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "chance.h"
#include "flat.h"

static int make(const char *store, const char *name, const char *kind, uint64_t seed)
{
    struct image_plan plan;
    struct image_chain chain;

    seed = chance_seed(seed, 0);
    if (!image_draw_plan(kind, &seed, &plan))
        errx(2, "there is no kind \"%s\"", kind);
    AUTO_FREE uint8_t *content = malloc(plan.size);
    if (!content)
        errx(EXIT_FAILURE, "out of memory");
    image_make(store, name, &plan, &seed, content, &chain);
    printf("%s: %s, %" PRIu64 " bytes, blocks of %" PRIu32 ", %u parents\n", name, kind, plan.size,
           plan.block, plan.parents);
    return EXIT_SUCCESS;
}

/* Find the files of a disk by their names. */
static struct image_chain chain_of(const char *store, const char *name)
{
    struct image_chain chain = {.count = 1};
    char path[PATH_MAX];

    snprintf(chain.files[0], sizeof chain.files[0], "%s.vhd", name);
    while (chain.count < IMAGE_CHAIN_MAX) {
        char *file = chain.files[chain.count];
        snprintf(file, sizeof chain.files[0], "%s-%u.vhd", name, chain.count);
        snprintf(path, sizeof path, "%s/%s", store, file);
        if (access(path, F_OK) < 0)
            break;
        chain.count++;
    }
    return chain;
}

static int check(const char *store, const char *name, const char *expected)
{
    const struct image_chain chain = chain_of(store, name);
    AUTO_CLOSE int fd = open(expected, O_RDONLY | O_CLOEXEC);
    struct stat attributes;

    if (fd < 0 || fstat(fd, &attributes) < 0)
        err(EXIT_FAILURE, "%s", expected);
    const uint64_t size = (uint64_t)attributes.st_size;
    const uint8_t *content = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (content == MAP_FAILED)
        err(EXIT_FAILURE, "%s", expected);
    bool is_sound = flat_check(store, &chain, content, size, name) == FLAT_SOUND;
    return is_sound ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    if (argc == 6 && strcmp(argv[1], "make") == 0)
        return make(argv[2], argv[3], argv[4], strtoull(argv[5], NULL, 10));
    if (argc == 5 && strcmp(argv[1], "check") == 0)
        return check(argv[2], argv[3], argv[4]);
    fprintf(stderr, "usage: images make STORE NAME KIND SEED | check STORE NAME EXPECTED\n");
    return 2;
}
