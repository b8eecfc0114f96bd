/* SPDX-License-Identifier: MIT */
/*
 * Numbers of files: the kernel's node id and the user's st_ino.
 *
 *     node id        | generation (24 bits) | serial (32 bits)  | kind (8 bits) |
 *     st_ino         |                        serial (32 bits)  | kind (8 bits) |   all else
 *     st_ino         |         number of the image (56 bits)    | kind (8 bits) |   a disk's files
 *
 * The kind is the row of the tree (files/rows.c): a status, say, or an info. Files of a disk have
 * kinds of their own, so no two files have the same st_ino.
 *
 * The serial is the disk or task of a file: one for each NAME in use (entries.h), and 0 for the
 * fixed part of the tree. No serial is used twice while mounted, so no node ever means another
 * object. Where a lookup must give the kernel a new node for the same file, the generation differs.
 * After 2^24 lookups two files may share a node, as files of other rows do anyway.
 *
 * A serial is lost with the kernel's cache, and backups remember st_ino. So the files of a disk
 * have the number of its image (numbers.h), which outlasts the cache and the mount.
 *
 * The root is serial 0, kind 1, and so node 1, as FUSE requires.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Numbers of images are below this. */
#define FS_NUMBER_END (UINT64_C(1) << 56)

/* A node id of generation 0; and the st_ino of a file that is no disk's. */
static inline uint64_t fs_ino(uint32_t serial, unsigned kind)
{
    return (uint64_t)serial << 8 | kind;
}

/* The st_ino of a disk's file. */
static inline uint64_t fs_ino_of_image(uint64_t number, unsigned kind)
{
    return number << 8 | kind;
}

/* A node id of any generation, of which the lower 24 bits count. */
static inline uint64_t fs_ino_with_generation(uint64_t ino, uint64_t generation)
{
    return generation << 40 | ino;
}

/* The serial of a node id. */
static inline uint32_t fs_ino_serial(uint64_t id)
{
    return (uint32_t)(id >> 8);
}

/* The kind of a node id. */
static inline unsigned fs_ino_kind(uint64_t id)
{
    return id & 0xFF;
}
