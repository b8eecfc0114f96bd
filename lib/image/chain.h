/* SPDX-License-Identifier: MIT */
/*
 * Chains: the parents of a differencing disk, down to the disk that has none. Each is a file of the
 * same store, found by the names that its child gives, so a chain reaches no file outside. Most are
 * disks of the store. Hyper-V's snapshots and blktap's raw files are not.
 *
 * Chains share a parent that several of them need (share.h), if its file and all below it are
 * unchanged. Each child still gets every fault of its chain.
 */
#pragma once

#include "image/layer.h"

/* The most layers of a chain. XenServer makes 30; a longer chain than this probably has no end. */
#define VHD_CHAIN_MAX 64

/*
 * Open the parents of a layer.
 *
 *   top        stays the caller's; its parents are appended, also on failure, and vhd_layer_close()
 *              frees them
 *   use        of the parents: VHD_LAYER_READ, or VHD_LAYER_HEADERS, and then they are not shared
 *   ret_fault  receives the fault, or a remark, which hinders no reader
 *
 * Returns 0, and ret_fault->defect is VHD_SOUND or a remark; -EUCLEAN with a fault from
 * VHD_NO_PARENT on; or another negative errno of vhd_layer_open(), and ret_fault names the parent.
 */
int vhd_chain_open(const struct vhd_store *store, struct vhd_layer *top, enum vhd_layer_use use,
                   struct vhd_fault *ret_fault);
