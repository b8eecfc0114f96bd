/* SPDX-License-Identifier: MIT */
/*
 * One call of the program's command line, and its output. A file that includes this has included
 * cmocka.h before.
 */
#pragma once

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "process/options.h"
#include "scratch.h"

/* One call and its output. */
struct call {
    enum fs_parsed parsed;
    struct fs_options options;
    char out[4096], err[4096];
};

/* Lead a stream to a file in memory. Returns a descriptor of the former one. */
static inline int stream_begin(FILE *stream)
{
    int memory = memfd_create("stream", MFD_CLOEXEC), former;

    fflush(stream);
    former = fcntl(fileno(stream), F_DUPFD_CLOEXEC, 3);
    assert_true(memory >= 0 && former >= 0);
    assert_true(dup2(memory, fileno(stream)) >= 0);
    close(memory);
    return former;
}

static inline void stream_end(FILE *stream, int former, char text[4096])
{
    fflush(stream);
    ssize_t len = pread(fileno(stream), text, 4095, 0);
    assert_true(len >= 0);
    text[len] = 0;
    assert_true(dup2(former, fileno(stream)) >= 0);
    close(former);
}

/* Parse a command line of these words; NULL ends them. To be freed by call_end(). */
static inline struct call *call_of(const char *const *words)
{
    struct call *call = calloc(1, sizeof *call);
    char *argv[32] = {strdup("vhdfs")};
    int argc = 1;

    assert_non_null(call);
    for (; *words; words++)
        argv[argc++] = strdup(*words);
    int out = stream_begin(stdout), err = stream_begin(stderr);
    call->parsed = fs_options_parse(argc, argv, &call->options);
    stream_end(stdout, out, call->out);
    stream_end(stderr, err, call->err);
    while (argc > 0)
        free(argv[--argc]);
    return call;
}

#define CALL(...) call_of((const char *const[]){__VA_ARGS__, NULL})

static inline void call_end(struct call *call)
{
    fs_options_free(&call->options);
    free(call);
}

/* Go on with the options; nothing was printed. */
static inline struct call *expect_run(struct call *call)
{
    if (call->parsed != FS_PARSED_RUN)
        print_error("%s\n", call->err);
    assert_int_equal(call->parsed, FS_PARSED_RUN);
    assert_string_equal(call->err, "");
    assert_string_equal(call->out, "");
    return call;
}

/* Refused with one line, and nothing else. */
static inline void expect_refusal(struct call *call, const char *sentence)
{
    char line[4096];

    snprintf(line, sizeof line, "vhdfs: %s\n", sentence);
    assert_int_equal(call->parsed, FS_PARSED_WRONG);
    assert_string_equal(call->err, line);
    assert_string_equal(call->out, "");
    call_end(call);
}

/* Is libfuse given this word, between commas or at an end of its options? */
static inline bool fuse_has(const struct call *call, const char *word)
{
    const struct fuse_args *args = &call->options.fuse;
    const size_t len = strlen(word);

    for (int i = 1; i < args->argc; i++) {
        if (strcmp(args->argv[i], word) == 0)
            return true;
        for (const char *at = args->argv[i]; (at = strstr(at, word)); at++) {
            const char before = at == args->argv[i] ? ',' : at[-1];
            if (before == ',' && (at[len] == ',' || at[len] == 0))
                return true;
        }
    }
    return false;
}
