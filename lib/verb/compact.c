/* SPDX-License-Identifier: MIT */
#include "verb/compact.h"

#include <errno.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "reshape/compact.h"
#include "operation/exclusive.h"

/* Each half of the progress: reading the blocks, then moving some. */
struct progress {
    struct vhd_task *task;
    uint64_t half; /* bytes of all blocks that have a slot at first; at least 1 */
};

static enum vhd_result compact_admit(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    return vhd_disk_open_exclusive(verb->catalogue, verb->name, &verb->disk, ret);
}

/* Remove the blocks of zeros. */
static int drop_all(struct vhd_disk *disk, const struct progress *progress)
{
    const uint32_t blocks = vhd_disk_blocks(disk), block_size = vhd_disk_block_size(disk);
    AUTO_FREE void *buf = malloc(block_size);
    uint64_t done = 0;
    int err = buf ? 0 : -ENOMEM;

    for (uint32_t block = 0; block < blocks && err == 0; block++) {
        bool was_allocated;
        if (vhd_task_is_cancelled(progress->task))
            return -ECANCELED;
        err = vhd_disk_drop_zeros(disk, block, buf, &was_allocated);
        if (!was_allocated)
            continue;
        done += block_size;
        vhd_task_advance(progress->task, done, 2 * progress->half);
    }
    return err;
}

/* Move blocks into the gaps. */
static int pack(struct vhd_disk *disk, const struct progress *progress)
{
    struct vhd_packer *packer = NULL;
    unsigned moved = 0;

    int err = vhd_packer_new(disk, &packer);
    const uint32_t all = packer ? vhd_packer_left(packer) : 0;
    while (err == 0) {
        if (vhd_task_is_cancelled(progress->task)) {
            err = -ECANCELED;
            break;
        }
        err = vhd_packer_step(packer, &moved);
        if (err < 0 || moved == 0)
            break;
        if (all > 0)
            vhd_task_advance(progress->task,
                             2 * progress->half - progress->half * vhd_packer_left(packer) / all,
                             2 * progress->half);
    }
    vhd_packer_free(packer);
    return err;
}

static enum vhd_result compact_run(struct vhd_verb *verb, struct vhd_verdict *ret)
{
    const uint64_t bytes =
        (uint64_t)vhd_disk_allocated(verb->disk) * vhd_disk_block_size(verb->disk);
    const struct progress progress = {verb->task, bytes > 0 ? bytes : 1};

    int err = drop_all(verb->disk, &progress);
    if (err == 0)
        err = pack(verb->disk, &progress);
    if (err == -ECANCELED || (err == 0 && !vhd_task_commit(verb->task)))
        return vhd_verdict_set(ret, VHD_CANCELLED, NULL);
    /* The close cuts off what the file no longer needs. */
    const int close_err = vhd_disk_close(TAKE(verb->disk), NULL);
    err = err < 0 ? err : close_err;
    return err < 0 ? vhd_verdict_errno(ret, err, "cannot compact the disk \"%s\"", verb->name)
                   : VHD_OK;
}

const struct vhd_verb_ops vhd_compact_ops = {
    .types = VHD_VERB_FITS(VHD_TYPE_DYNAMIC) | VHD_VERB_FITS(VHD_TYPE_DIFFERENCING),
    .admit = compact_admit,
    .run = compact_run,
};
