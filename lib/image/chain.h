/*
 * Chains: the parents of a differencing disk, down to the disk that has none. Each is a file of the
 * same store, found by the names that its child gives; nothing outside can be reached. Most are
 * disks of the store; a snapshot of Hyper-V's or a raw file of blktap's is none.
 *
 * A parent that another chain of the store has open is used with it (share.h), if its file and all
 * below it are what they were. Each child is told of every fault of its chain all the same.
 */
#pragma once

#include "image/layer.h"

/* Layers of a chain at most. XenServer makes 30; what is longer than this has no end, most likely.
 */
#define VHD_CHAIN_MAX 64

/*
 * Open the parents of a layer.
 *
 *   top        its parents are appended, after a failure too, and go with vhd_layer_close(); it
 * stays the caller's use        of the parents: VHD_LAYER_LOOK, then they are not shared, or
 * VHD_LAYER_READ ret_fault  receives what is wrong, or a remark, which hinders nothing
 *
 * Returns 0, ret_fault->defect then being VHD_SOUND or a remark; -EUCLEAN with a fault
 * from VHD_NO_PARENT on; or another negative errno of vhd_layer_open(), where ret_fault names the
 * parent.
 */
int vhd_chain_open(const struct vhd_store *store, struct vhd_layer *top, enum vhd_layer_use use,
                   struct vhd_fault *ret_fault);
