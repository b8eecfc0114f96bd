/*
 * What lies where in the file of a dynamic or differencing image: metadata and blocks. Whatever is
 * neither is free, but for what other programs may have put between the table and the first block.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "image/layer.h"

/* Bytes of the file. */
struct vhd_stretch {
    uint64_t at, end;
};

struct vhd_layout {
    struct vhd_stretch *stretches; /* by where they begin */
    size_t count;
    uint64_t first_block; /* of the disk: where that begins; UINT64_MAX without any */
    uint64_t end;         /* of all: a multiple of 512, where a footer can stand */
    bool has_batmap;      /* blktap's map of full blocks */
};

/*
 * List the content of a layer's file, as its table has it just now. Entries of the table beyond the
 * end of the disk count: what they point at is kept.
 *
 * Returns 0 and what is to be freed with vhd_layout_free(); -ENOMEM, or a negative errno of
 * pread(2).
 */
int vhd_layout_list(const struct vhd_layer *layer, struct vhd_layout *ret);

void vhd_layout_free(struct vhd_layout *content);
