#include "refuse.h"

#include "errors.h"

int fs_refuse(struct fs *fs, const char *folder, const char *name,
              const struct vhd_verdict *verdict)
{
    fs_errors_add(fs->errors, folder, name, verdict);
    return -vhd_outcome(verdict->result)->err;
}

void fs_reply_attr(struct fs *fs, const struct fs_node *node, fuse_req_t req)
{
    struct stat attributes;

    int err = fs_node_stat(fs, node, &attributes, NULL);
    if (err < 0)
        fuse_reply_err(req, -err);
    else
        fuse_reply_attr(req, &attributes, fs_row_attr_seconds(node->row));
}

void fs_reply_verdict(fuse_req_t req, const struct vhd_verdict *verdict, size_t len)
{
    if (verdict->result == VHD_OK)
        fuse_reply_write(req, len);
    else
        fuse_reply_err(req, vhd_outcome(verdict->result)->err);
}
