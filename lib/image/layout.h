/* SPDX-License-Identifier: MIT */
/*
 * The layout of a dynamic or differencing image's file: its metadata and blocks. All else is free,
 * except that other programs may keep something between the table and the first block.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/layer.h"

/* A stretch of the file, in bytes. */
struct vhd_stretch {
    uint64_t at, end;
};

struct vhd_layout {
    struct vhd_stretch *stretches; /* sorted by their beginning */
    size_t count;
    uint64_t first_block; /* where the disk's lowest block begins; UINT64_MAX: none */
    uint64_t end;         /* of all stretches: a multiple of 512, for a footer */
    bool has_batmap;      /* blktap's map of full blocks */
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

/* Free the stretches of a layout. */
void vhd_layout_free(struct vhd_layout *content);
