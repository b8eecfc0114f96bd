/* SPDX-License-Identifier: MIT */
/*
 * What the daemon and its helper write to each other. The helper trusts none of it, because the
 * daemon may have been taken over.
 */
#pragma once

#include <sys/socket.h>

#include "operation/formatter.h"

/* The type of each socket between the two. A confined daemon may make no other one (filter.h). */
#define FS_HELPER_SOCKET (SOCK_SEQPACKET | SOCK_CLOEXEC)

/* The daemon's requests. An end of file without WORD_END means that the daemon has died. */
enum fs_helper_word { WORD_DETACH = 'd', WORD_END = 'e', WORD_FORMAT = 'f' };

/* A request: one packet, with descriptors. */
struct fs_helper_message {
    char word;
    struct vhd_fat fat; /* of WORD_FORMAT */
};

/* Its descriptors: an end of a socket for the answer, and with WORD_FORMAT the file. */
enum { MESSAGE_ANSWER, MESSAGE_FILE, MESSAGE_FDS };

/* The answer, one packet. If a process of the helper is killed at work, the socket ends instead. */
struct fs_helper_answer {
    int err;                                /* 0 or a negative errno */
    char reason[VHD_FORMATTER_REASON_SIZE]; /* of WORD_FORMAT */
};
