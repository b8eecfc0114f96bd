/* SPDX-License-Identifier: MIT */
/*
 * A command: the line that a user writes to the ctl of a disk, a verb with its arguments. The
 * parser judges the line alone, nothing of the host.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "result/result.h"

/* The verbs, in the order in which they are listed: symbol, word, arguments, meaning. */
#define VHD_VERBS(VERB)                                                                            \
    VERB(COMPACT, "compact", "", "give space of zeros, and of gaps, back to the host")             \
    VERB(CONVERT, "convert", " fixed|dynamic",                                                     \
         "change the type; a differencing disk takes the content of its parents")                  \
    VERB(MERGE, "merge", "", "give the parent the content of this disk, which goes")               \
    VERB(REBASE, "rebase", " NAME [force]", "record NAME as the parent, after a move or a change") \
    VERB(RESIZE, "resize", " SIZE", "change the size; smaller only where the end reads as zeros")  \
    VERB(SNAPSHOT, "snapshot", " NAME",                                                            \
         "keep the content so far as the disk NAME, and go on as its child")                       \
    VERB(CHECK, "check", "", "find all faults of the image; tasks/NAME/report has them")           \
    VERB(REPAIR, "repair", "",                                                                     \
         "mend the image where that loses nothing; tasks/NAME/report says how")

enum vhd_verb_kind {
#define VERB(symbol, word, arguments, meaning) VHD_VERB_##symbol,
    VHD_VERBS(VERB)
#undef VERB
        VHD_VERB_COUNT
};

/* What a user reads about a verb; all are constant. */
struct vhd_verb_words {
    const char *word;    /* "convert" */
    const char *usage;   /* "convert fixed|dynamic" */
    const char *meaning; /* one clause */
};

extern const struct vhd_verb_words vhd_verb_words[VHD_VERB_COUNT];

struct vhd_command {
    enum vhd_verb_kind verb;
    bool is_fixed;           /* convert: to a fixed disk, else to a dynamic one */
    bool is_forced;          /* rebase: to any disk */
    char name[NAME_MAX + 1]; /* rebase: of the parent; snapshot: of the disk that is made */
    uint64_t size;           /* resize: bytes, within the limits of size.h */
};

/*
 * Read a command: a verb and its arguments, split by blanks. A CR is tolerated, and the final
 * newline optional.
 *
 *   text, len  the line; not terminated
 *
 * Returns VHD_OK, or with a sentence in *ret: VHD_INVALID_ARGUMENT for no verb, an unknown one, or
 * arguments that do not fit it; or as vhd_size_parse().
 */
enum vhd_result vhd_command_parse(const char *text, size_t len, struct vhd_command *ret_command,
                                  struct vhd_verdict *ret);

/* Bytes of the longest text of vhd_command_describe(). */
#define VHD_COMMAND_DESCRIPTION_SIZE (2 * NAME_MAX + 80)

/* Describe a command in one line: Convert virtual hard disk "disk1" to fixed. */
void vhd_command_describe(const char *name, const struct vhd_command *command,
                          char buf[VHD_COMMAND_DESCRIPTION_SIZE]);
