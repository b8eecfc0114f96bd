/* SPDX-License-Identifier: MIT */
/*
 * Words: how a line that a user writes is split. Requests and commands share this.
 */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "result/result.h"

/* The longest line in bytes. One write(2) sends all of it. */
#define VHD_LINE_MAX 4096

/* A stretch of a line; not terminated. */
struct vhd_word {
    const char *text;
    size_t len;
};

/* Is a character a blank? A CR counts, because some programs end a line with CR LF. */
bool vhd_word_is_blank(char c);

/* Is a character a quote, " or '? */
bool vhd_word_is_quote(char c);

/* Is a word this text? */
bool vhd_word_is(struct vhd_word word, const char *text);

/* Length of the part of a word that a sentence shows: 64 bytes at most. */
int vhd_word_shown(struct vhd_word word);

/*
 * Cut the next word off the rest of a line; empty at its end. A word may contain blanks between
 * quotes that begin it or a value: "my disk", parent="my disk". The quotes stay.
 */
struct vhd_word vhd_word_next(struct vhd_word *rest);

/* Cut a size off the rest of a line: a word, and the next one too if that is a unit. */
struct vhd_word vhd_word_next_size(struct vhd_word *rest);

/* Remove the pair of quotes around a word. Returns false if it begins with a quote without end. */
bool vhd_word_unquote(struct vhd_word *word);

/* A stretch without its outer blanks. */
struct vhd_word vhd_word_trim(struct vhd_word text);

/*
 * Read a word as the name of a disk, with or without ".vhd". Whether there is such a disk is not
 * judged.
 *
 *   before  what stands before the word in the line, for the sentence: "parent="
 *
 * Returns VHD_OK, or VHD_INVALID_ARGUMENT with a sentence in *ret: it is empty, too long, or has a
 * slash or a NUL.
 */
enum vhd_result vhd_word_read_disk(struct vhd_word word, const char *before,
                                   char ret_name[NAME_MAX + 1], struct vhd_verdict *ret);

/* Does a text contain blanks alone? Line ends count as blanks. */
bool vhd_line_is_blank(const char *text, size_t len);

/*
 * Cut a text down to its one line, whose newline is optional.
 *
 *   example  of such a line, for the sentence
 *
 * Returns VHD_OK, or VHD_INVALID_ARGUMENT with a sentence in *ret: it is too long, or more text
 * follows.
 */
enum vhd_result vhd_line_judge(struct vhd_word *text, const char *example, struct vhd_verdict *ret);
