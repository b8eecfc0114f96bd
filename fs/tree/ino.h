/*
 * Numbers of files: what the kernel calls a file, and what users see of it.
 *
 *     node id        | generation (24 bits) | serial (32 bits)  | kind (8 bits) |
 *     st_ino         |                        serial (32 bits)  | kind (8 bits) |   all else
 *     st_ino         |         number of the image (56 bits)    | kind (8 bits) |   a disk's files
 *
 * The kind says which row of the tree (tree.c) it is, a status or an info. Kinds of a disk's files
 * are other kinds than all else, so that no two files can have one st_ino.
 *
 * The serial says which disk or task a file belongs to: one for each NAME in use (entries.h), never
 * given twice while mounted, so that no node comes to mean another object; 0 is the fixed part of
 * the tree. A file gets a new generation where the kernel must take it for another than before,
 * though it is the same to a user. Nodes that are still known when 2^24 others have been made may
 * meet their like; then two files share a node, as all others do anyway.
 *
 * Serials count looks. So backups, which remember st_ino, need another number for a disk's files:
 * that of its image (numbers.h), which outlasts both the kernel's cache and the mount.
 *
 * The root is serial 0, kind 1, and thereby node 1, as FUSE wants it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* Numbers of images are below this. */
#define FS_NUMBER_END (UINT64_C(1) << 56)

static inline uint64_t fs_ino(uint32_t serial, unsigned kind)
{
    return (uint64_t)serial << 8 | kind;
}

static inline uint64_t fs_ino_of_image(uint64_t number, unsigned kind)
{
    return number << 8 | kind;
}

static inline uint64_t fs_ino_with_generation(uint64_t ino, uint64_t generation)
{
    return generation << 40 | ino;
}

static inline uint32_t fs_ino_serial(uint64_t id)
{
    return (uint32_t)(id >> 8);
}

static inline unsigned fs_ino_kind(uint64_t id)
{
    return id & 0xFF;
}
