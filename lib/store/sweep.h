/*
 * The sweep: what a crash has left behind in a store is removed when its owner opens it.
 */
#pragma once

#include "result/result.h"

/* What a draft's file name begins with, on file systems that need one. */
#define VHD_DRAFT_PREFIX ".vhdfs-draft-"

/*
 * Remove every draft that nobody is at work on.
 *
 *   fd, path  the directory, and how to name it in a sentence
 *
 * Returns VHD_OK, or what the host answers.
 */
enum vhd_result vhd_store_sweep(int fd, const char *path, struct vhd_verdict *ret);
