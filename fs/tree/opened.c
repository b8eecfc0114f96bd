/* SPDX-License-Identifier: MIT */
#include "tree/opened.h"

#include "base/cleanup.h"

void fs_opened_add(struct fs_opened_list *list, struct fs_opened *opened,
                   void (*close)(struct fs_opened *opened))
{
    opened->close = close;
    HOLD_LOCK(&list->lock);
    LIST_INSERT_HEAD(&list->all, opened, link);
}

void fs_opened_remove(struct fs_opened_list *list, struct fs_opened *opened)
{
    HOLD_LOCK(&list->lock);
    LIST_REMOVE(opened, link);
}

void fs_opened_close_all(struct fs_opened_list *list)
{
    while (!LIST_EMPTY(&list->all)) {
        struct fs_opened *opened = LIST_FIRST(&list->all);
        opened->close(opened);
    }
}
