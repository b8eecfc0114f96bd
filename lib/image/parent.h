/* SPDX-License-Identifier: MIT */
/*
 * The parent of a differencing disk, by the names that its header and locators give.
 */
#pragma once

#include "format/header.h"
#include "store/store.h"

/*
 * Find the parent's file. A name with the ending ".vhd" in any case, or without it, means a disk of
 * the store. If there is no such disk, it means a file of the store with exactly this name:
 * Hyper-V's snapshot ("x.avhd"), or blktap's raw file.
 *
 * Windows ignores the case of letters. If no file has one of the names exactly, the directory is
 * searched for names that differ in case only. Of several the one with the recorded identity is the
 * parent, else the first by name.
 *
 *   fd        the child's image, open for reading
 *   header    the child's
 *   ret_name  receives the first name that has a file, among the relative Windows path, the
 *             header's name field, the absolute Windows path and the URL; if no name has one, the
 *             first that is given; empty when none is given. Without the ending ".vhd"
 *   ret_file  receives the file's name in the store's directory; empty when there is none
 */
void vhd_parent_find(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1]);

/* A child's names for its parent, the most trusted first; an absent one is empty. */
struct vhd_parent_names {
    char names[4][NAME_MAX + 1];
};

/* Read the names for vhd_parent_resolve(). */
void vhd_parent_read_names(int fd, const struct vhd_header *header, struct vhd_parent_names *ret);

/*
 * Find the parent's file by its names, as vhd_parent_find() does.
 *
 *   uuid  the parent's identity in the child's record
 *
 * Returns 0, or a negative errno: the directory or a file in it could not be read. Then the results
 * are right only if *ret_file is not empty.
 */
int vhd_parent_resolve(const struct vhd_store *store, const struct vhd_parent_names *names,
                       const uuid_t uuid, char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1]);

/* Find the parent's name alone, as vhd_parent_find() does. */
void vhd_parent_name(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret[NAME_MAX + 1]);
