/* SPDX-License-Identifier: MIT */
/*
 * The words behind -o that mount(8) gives to any file system, or that users copy from fstab.
 */
#pragma once

enum fs_mount_word {
    FS_MOUNT_WORD_PASSED,  /* for libfuse and the kernel */
    FS_MOUNT_WORD_IGNORED, /* it changes nothing here */
    FS_MOUNT_WORD_UNKNOWN,
};

/* Judge a word. */
enum fs_mount_word fs_mount_word(const char *word);
