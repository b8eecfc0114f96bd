/*
 * The parent of a differencing disk, by the names that its header and locators give.
 */
#pragma once

#include "format/header.h"
#include "store/store.h"

/*
 * Tell the name of the parent disk.
 *
 *   fd      the child's image, open for reading
 *   header  the child's
 *   ret     receives the name: the first that is a disk of the store among the relative Windows
 *           path, the header's name field, the absolute Windows path and the URL; when none is,
 *           the first that is given; empty when none is given
 */
void vhd_parent_name(const struct vhd_store *store, int fd, const struct vhd_header *header,
                     char ret[NAME_MAX + 1]);
