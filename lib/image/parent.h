/*
 * The parent of a differencing disk, by the names that its header and locators give.
 */
#pragma once

#include "format/header.h"
#include "store/store.h"

/*
 * Find the parent's file. What its names end in may be anything: a disk of the store is meant by
 * ".vhd" in any case and by no ending, and where there is no such disk another file of the store is
 * that has just this name: a snapshot of Hyper-V's ("x.avhd"), or a raw file of blktap's.
 *
 * Windows finds names in any case of their letters. Where no file has one of the names exactly, the
 * directory is read for those that differ in case only. Of several the one with the recorded
 * identity is the parent, else the first by name.
 *
 *   fd        the child's image, open for reading
 *   header    the child's
 *   ret_name  receives the first name of which there is a file, among the relative Windows path,
 *             the header's name field, the absolute Windows path and the URL; when there is none,
 *             the first that is given; empty when none is given. Without the ending ".vhd"
 *   ret_file  receives the file's name in the store's directory; empty when there is none
 */
void vhd_parent_find(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1]);

/* The names that a child gives its parent, the most trusted first; empty where one is missing. */
struct vhd_parent_names {
    char names[4][NAME_MAX + 1];
};

/* Read the names that vhd_parent_find() looks for. */
void vhd_parent_read_names(int fd, const struct vhd_header *header, struct vhd_parent_names *ret);

/*
 * Find the parent's file by its names, as vhd_parent_find() does.
 *
 *   uuid  the identity that the child has on record for its parent
 *
 * Returns 0, or a negative errno: then the directory or a file in it could not be read, and what is
 * received is right only if it names a file.
 */
int vhd_parent_resolve(const struct vhd_store *store, const struct vhd_parent_names *names,
                       const uuid_t uuid, char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1]);

/* Tell the parent's name alone, as vhd_parent_find() does. */
void vhd_parent_name(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret[NAME_MAX + 1]);
