/* SPDX-License-Identifier: MIT */
/*
 * The layout of a dynamic or differencing image's file: its metadata and blocks. All else is free,
 * except that other programs may keep something between the table and the first block.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "format/batmap.h"
#include "image/layer.h"

/* A stretch of the file, in bytes. */
struct vhd_stretch {
    uint64_t at, end;
};

struct vhd_layout {
    struct vhd_stretch *stretches; /* sorted by their beginning */
    size_t count;
    uint64_t first_block;  /* where the disk's lowest block begins; UINT64_MAX: none */
    uint64_t behind_table; /* where the first metadata behind the table begins; UINT64_MAX: none */
    uint64_t end;          /* of all stretches: a multiple of 512, for a footer */
    bool has_batmap;       /* blktap's map of full blocks */
};

/*
 * List the layout of a layer's file, by its table now. Surplus entries, beyond the end of the disk,
 * count too.
 *
 * Returns 0 and a layout for vhd_layout_free(); -ENOMEM, or a negative errno of pread(2).
 */
int vhd_layout_list(const struct vhd_layer *layer, struct vhd_layout *ret);

/* Find the end of a layer's layout alone, which needs no sorting. Returns as vhd_layout_list(). */
int vhd_layout_end(const struct vhd_layer *layer, uint64_t *ret);

/* The end of an image's table, padding included, in bytes. */
uint64_t vhd_layout_table_end(const struct vhd_image *image);

/*
 * Find blktap's batmap.
 *
 *   fd     of the image, open for reading
 *   image  with footer and header
 *   ret    receives its header; only with 1
 *
 * Returns 1, 0 where there is none, or a negative errno of pread(2).
 */
int vhd_layout_find_batmap(int fd, const struct vhd_image *image, struct vhd_batmap_disk *ret);

/* Free the stretches of a layout. */
void vhd_layout_free(struct vhd_layout *content);
