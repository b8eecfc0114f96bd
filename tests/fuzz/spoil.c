/* SPDX-License-Identifier: MIT */
/*
 * spoil FOLDER SEED SECONDS: during that time, take random images of a folder, spoil them at
 * random, and use them. Prints their number. Exits with 1 after a harmful one.
 *
 * If this failed: a bad image in a store could crash the daemon, make it hang, or show bytes of
 * other memory. Or an odd disk would lose data.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "harness.h"
#include "sample.h"

/* Larger images are left out. */
#define LARGEST (1u << 20)

/* The most memory for one image with a sanitizer. A header can claim far more. */
#define MEMORY_KIB (1024L * 1024)

/* The most time for one image, on a busy machine. */
#define PATIENCE_SECONDS 60

struct image {
    uint8_t *bytes;
    size_t len;
};

static struct image *images;
static size_t image_count;

static void load_image(int folder, const char *file)
{
    struct stat attributes;

    int fd = openat(folder, file, O_RDONLY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &attributes) < 0)
        err(2, "%s", file);
    if (S_ISREG(attributes.st_mode) && attributes.st_size > 0 && attributes.st_size <= LARGEST) {
        struct image image = {malloc(LARGEST + 4096), (size_t)attributes.st_size};
        images = reallocarray(images, image_count + 1, sizeof *images);
        if (!images || !image.bytes || read(fd, image.bytes, image.len) != (ssize_t)image.len)
            err(2, "%s", file);
        images[image_count++] = image;
    }
    close(fd);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Load the images, in an order that depends on the seed alone. */
static void load_images(const char *path)
{
    struct dirent **entries;
    int folder = open(path, O_RDONLY | O_DIRECTORY);

    int count = folder < 0 ? -1 : scandir(path, &entries, NULL, compare_names);
    if (count < 0)
        err(2, "%s", path);
    for (int i = 0; i < count; i++) {
        if (strstr(entries[i]->d_name, ".vhd"))
            load_image(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    close(folder);
    if (image_count == 0)
        errx(2, "%s holds no images", path);
}

/* A number that programs often handle wrongly. */
static uint64_t odd_number(uint64_t random)
{
    static const uint64_t odd[] = {0,
                                   1,
                                   2,
                                   3,
                                   511,
                                   512,
                                   513,
                                   1024,
                                   4096,
                                   0x7FFFFFFF,
                                   0x80000000,
                                   0xFFFFFFFE,
                                   0xFFFFFFFF,
                                   0x100000000,
                                   0x1FFFFFFFFFF,
                                   INT64_MAX,
                                   UINT64_C(1) << 63,
                                   UINT64_MAX - 511,
                                   UINT64_MAX};
    uint64_t number = odd[random % (sizeof odd / sizeof *odd)];

    return random >> 8 & 1 ? number + (random >> 9 & 7) - 3 : number;
}

/* Offset and width of fields in footer, header and table, at the usual places. */
static const struct field {
    uint16_t at;
    uint8_t width;
} fields[] = {{8, 4},    {12, 4},   {16, 8},   {28, 4},   {32, 4},   {40, 8},   {48, 8},
              {60, 4},   {64, 4},   {84, 1},   {85, 1},   {520, 8},  {528, 8},  {536, 4},
              {540, 4},  {544, 4},  {548, 4},  {568, 4},  {1088, 4}, {1092, 4}, {1096, 4},
              {1104, 8}, {1112, 4}, {1128, 8}, {1536, 4}, {1540, 4}, {1544, 4}, {1548, 4}};

static void spoil_field(struct image *image, uint64_t random)
{
    const struct field *field = &fields[random % (sizeof fields / sizeof *fields)];
    uint64_t number = odd_number(random >> 8);

    for (size_t i = field->width; i-- > 0; number >>= 8) {
        if (field->at + i < image->len)
            image->bytes[field->at + i] = (uint8_t)number;
    }
}

/* Change some bytes anywhere, or near the metadata. */
static void spoil_bytes(struct image *image, uint64_t random)
{
    size_t at = random >> 60 & 1 ? random % image->len : random % 4096;

    for (size_t run = 1 + (random >> 40) % 12; run > 0 && at < image->len; run--, at++)
        image->bytes[at] = (uint8_t)(random >> 50 & 1 ? UINT8_MAX : random >> run);
}

/* Shorten or lengthen the file. */
static void spoil_length(struct image *image, uint64_t random)
{
    size_t change = 1 + (random >> 8) % (random & 2 ? 3 : 2000);

    if (random & 1) {
        memset(image->bytes + image->len, random & 4 ? 0xFF : 0x00, change);
        image->len += change;
    } else {
        image->len -= change < image->len ? change : 0;
    }
}

static void spoil(struct image *image, uint64_t *seed)
{
    static void (*const ways[])(struct image * image, uint64_t random) = {
        spoil_field, spoil_field, spoil_field, spoil_bytes, spoil_bytes, spoil_length};
    const size_t count = sizeof ways / sizeof *ways;
    uint64_t how = sample_random(seed);

    for (uint64_t i = 0; i < 1 + how % 4; i++) {
        uint64_t way = sample_random(seed) % count;
        if (ways[way] != spoil_length || how >> 8 & 1)
            ways[way](image, sample_random(seed));
    }
    /* Usually the footer at the end equals the copy, and the checksums are right. */
    if (how >> 9 & 3 && image->len >= 1024)
        memcpy(image->bytes + image->len - 512, image->bytes, 512);
    if (how >> 11 & 7)
        harness_seal(image->bytes, image->len);
}

/* Choose an image and spoil it. */
static void make_next(struct image *spoilt, uint64_t *seed)
{
    fprintf(stderr, "seed 0x%" PRIX64 "\n", *seed);
    const struct image *image = &images[sample_random(seed) % image_count];
    memcpy(spoilt->bytes, image->bytes, image->len);
    spoilt->len = image->len;
    spoil(spoilt, seed);
}

/* Write the image with this seed to standard output, to examine the harm. */
static int show(struct image *spoilt, uint64_t *seed)
{
    make_next(spoilt, seed);
    return fwrite(spoilt->bytes, 1, spoilt->len, stdout) != spoilt->len || fflush(stdout) != 0;
}

static void judge_memory(void)
{
    struct rusage usage;

    getrusage(RUSAGE_SELF, &usage);
    if (usage.ru_maxrss > MEMORY_KIB)
        errx(1, "%ld KiB of memory", usage.ru_maxrss);
}

int main(int argc, char **argv)
{
    unsigned long used = 0, taken = 0;

    if (argc != 4)
        errx(2, "usage: spoil FOLDER SEED SECONDS");
    uint64_t seed = strtoull(argv[2], NULL, 0);
    const time_t end = clock_monotonic().tv_sec + strtol(argv[3], NULL, 10);
    seed += seed == 0;
    load_images(argv[1]);
    struct image spoilt = {malloc(LARGEST + 65536), 0};
    if (!spoilt.bytes)
        err(2, "malloc");
    if (strcmp(argv[3], "0") == 0)
        return show(&spoilt, &seed);
    struct harness *harness = harness_new(argv[1]);
    for (; clock_monotonic().tv_sec < end; used++) {
        make_next(&spoilt, &seed);
        alarm(PATIENCE_SECONDS);
        taken += (unsigned long)harness_use(harness, spoilt.bytes, spoilt.len);
        judge_memory();
    }
    alarm(0);
    harness_free(harness);
    free(spoilt.bytes);
    for (size_t i = 0; i < image_count; i++)
        free(images[i].bytes);
    free(images);
    printf("%lu images of %zu spoilt, %lu of them still disks\n", used, image_count, taken);
    return taken == 0;
}
