/* SPDX-License-Identifier: MIT */
/*
 * drive RUNS SEED[:NUMBER] FOLDER...: give a target each file of the folders, and then RUNS inputs
 * that are made of these at random. After harm it prints the number of that input and exits with 1.
 * With this number it writes the input to standard output instead.
 *
 * libFuzzer and AFL++ find more, as they watch the code. This one runs wherever the tests do.
 */
#include <dirent.h>
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sample.h"
#include "target.h"

/* The longest input in bytes. */
#define INPUT_MAX 65536u

/* The most time for one input, on a busy machine. */
#define PATIENCE_SECONDS 60

struct input {
    uint8_t *bytes;
    size_t len;
};

static struct input *seeds;
static size_t seed_count;

static void load(int folder, const char *file)
{
    struct stat attributes;
    struct input seed = {malloc(INPUT_MAX), 0};

    int fd = openat(folder, file, O_RDONLY);
    if (fd < 0 || fstat(fd, &attributes) < 0)
        err(2, "%s", file);
    ssize_t len = S_ISREG(attributes.st_mode) && seed.bytes ? read(fd, seed.bytes, INPUT_MAX) : -1;
    close(fd);
    if (len < 0) {
        free(seed.bytes);
        return;
    }
    seed.len = (size_t)len;
    seeds = reallocarray(seeds, seed_count + 1, sizeof *seeds);
    if (!seeds)
        err(2, "reallocarray");
    seeds[seed_count++] = seed;
}

/* Load the files of a folder in the order of their names. */
static void load_folder(const char *path)
{
    struct dirent **entries;
    int folder = open(path, O_RDONLY | O_DIRECTORY);

    int count = folder < 0 ? -1 : scandir(path, &entries, NULL, alphasort);
    if (count < 0)
        err(2, "%s", path);
    for (int i = 0; i < count; i++) {
        load(folder, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    close(folder);
}

/* Replace a stretch of the input by one of another seed. */
static void exchange(struct input *input, uint64_t *seed)
{
    const struct input *other = &seeds[sample_random(seed) % seed_count];
    const size_t at = sample_random(seed) % (input->len + 1),
                 from = sample_random(seed) % (other->len + 1);
    const size_t gone = sample_random(seed) % (input->len - at + 1);
    size_t put = sample_random(seed) % (other->len - from + 1);

    if (put > INPUT_MAX - (input->len - gone))
        put = INPUT_MAX - (input->len - gone);
    memmove(input->bytes + at + put, input->bytes + at + gone, input->len - at - gone);
    memcpy(input->bytes + at, other->bytes + from, put);
    input->len = input->len - gone + put;
}

/* Change a byte: to any, by one bit, or by one. */
static void change(struct input *input, uint64_t *seed)
{
    const uint64_t random = sample_random(seed);

    if (input->len == 0)
        return;
    uint8_t *byte = &input->bytes[random % input->len];
    switch (random >> 32 & 3) {
    case 0:
        *byte = (uint8_t)(random >> 40);
        break;
    case 1:
        *byte ^= (uint8_t)(1u << (random >> 40 & 7));
        break;
    case 2:
        (*byte)++;
        break;
    default:
        (*byte)--;
    }
}

/* Write a stretch of one byte over the input, as zeros and ones stand for limits. */
static void fill(struct input *input, uint64_t *seed)
{
    const size_t at = sample_random(seed) % (input->len + 1);
    const size_t most = input->len - at < 16 ? input->len - at : 16;

    memset(input->bytes + at, sample_random(seed) & 1 ? 0xFF : 0x00,
           sample_random(seed) % (most + 1));
}

static void make_input(struct input *input, uint64_t seed)
{
    static void (*const ways[])(struct input * input, uint64_t * seed) = {exchange, change, change,
                                                                          change, fill};
    const struct input *from = &seeds[sample_random(&seed) % seed_count];

    memcpy(input->bytes, from->bytes, from->len);
    input->len = from->len;
    for (uint64_t left = 1 + sample_random(&seed) % 6; left > 0; left--)
        ways[sample_random(&seed) % (sizeof ways / sizeof *ways)](input, &seed);
}

/* The target gets a copy of exactly its length, so that a sanitizer sees a read past the end. */
static void use(const struct input *input)
{
    uint8_t *copy = malloc(input->len);

    if (!copy && input->len > 0)
        err(2, "malloc");
    if (input->len > 0)
        memcpy(copy, input->bytes, input->len);
    alarm(PATIENCE_SECONDS);
    LLVMFuzzerTestOneInput(copy, input->len);
    alarm(0);
    free(copy);
}

/* Use all inputs, and tell which one is in use. */
static void use_all(unsigned long runs, uint64_t seed, unsigned long *number)
{
    static uint8_t bytes[INPUT_MAX];
    struct input input = {bytes, 0};

    for (*number = 0; *number < seed_count; ++*number)
        use(&seeds[*number]);
    for (; *number < seed_count + runs; ++*number) {
        make_input(&input, seed + 2 * *number);
        use(&input);
    }
}

/* A process of its own does it, because harm ends a process. */
static int judge(unsigned long runs, uint64_t seed)
{
    int status;
    unsigned long *number =
        mmap(NULL, sizeof *number, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (number == MAP_FAILED)
        err(2, "mmap");
    pid_t child = fork();
    if (child < 0)
        err(2, "fork");
    if (child == 0) {
        use_all(runs, seed, number);
        exit(0);
    }
    if (waitpid(child, &status, 0) < 0)
        err(2, "waitpid");
    if (status != 0)
        errx(1, "input %lu did harm: status 0x%x", *number, (unsigned)status);
    printf("%zu seeds, %lu inputs made of them\n", seed_count, runs);
    return 0;
}

static int show(uint64_t seed, unsigned long number)
{
    static uint8_t bytes[INPUT_MAX];
    struct input input = {bytes, 0};

    if (number < seed_count)
        input = seeds[number];
    else
        make_input(&input, seed + 2 * number);
    return fwrite(input.bytes, 1, input.len, stdout) != input.len || fflush(stdout) != 0;
}

int main(int argc, char **argv)
{
    char *rest;

    if (argc < 4)
        errx(2, "usage: drive RUNS SEED[:NUMBER] FOLDER...");
    const uint64_t seed = strtoull(argv[2], &rest, 0) * 2 + 1; /* never 0 */
    for (int i = 3; i < argc; i++)
        load_folder(argv[i]);
    if (seed_count == 0)
        errx(2, "the folders hold no inputs");
    int status = *rest == ':' ? show(seed, strtoul(rest + 1, NULL, 10))
                              : judge(strtoul(argv[1], NULL, 10), seed);
    for (size_t i = 0; i < seed_count; i++)
        free(seeds[i].bytes);
    free(seeds);
    return status;
}
