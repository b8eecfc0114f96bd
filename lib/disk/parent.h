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
 *   fd        the child's image, open for reading
 *   header    the child's
 *   ret_name  receives the first name of which there is a file, among the relative Windows path,
 *             the header's name field, the absolute Windows path and the URL; when there is none,
 *             the first that is given; empty when none is given. Without the ending ".vhd"
 *   ret_file  receives the file's name in the store's directory; empty when there is none
 */
void vhd_parent_find(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret_name[NAME_MAX + 1], char ret_file[NAME_MAX + 1]);

/* Tell the parent's name alone, as vhd_parent_find() does. */
void vhd_parent_name(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret[NAME_MAX + 1]);
