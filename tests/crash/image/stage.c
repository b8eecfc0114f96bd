/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "file.h"

void stage_open(struct stage *stage)
{
    const char *memory = "/dev/shm", *tmp = getenv("TMPDIR");
    struct vhd_verdict why;
    struct vhd_store *store;

    if (access(memory, W_OK) != 0)
        memory = tmp ? tmp : "/tmp";
    snprintf(stage->folder, sizeof stage->folder, "%s/vhdfs-crash.XXXXXX", memory);
    if (!mkdtemp(stage->folder))
        err(EXIT_FAILURE, "%s", stage->folder);
    if (vhd_store_open(stage->folder, 0, &store, &why) != VHD_OK)
        errx(EXIT_FAILURE, "%s", why.sentence);
    stage->catalogue = vhd_catalogue_new(store);
    if (!stage->catalogue)
        err(EXIT_FAILURE, "catalogue");
    vhd_store_unref(store); /* the catalogue holds it */
}

void stage_close(struct stage *stage)
{
    static const char *const files[] = {STAGE_DISK ".vhd", STAGE_STATE ".vhd", PLAN_PARENT ".vhd",
                                        PLAN_OTHER ".vhd"};
    char path[300];

    vhd_catalogue_unref(stage->catalogue);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        snprintf(path, sizeof path, "%s/%s", stage->folder, files[i]);
        unlink(path);
    }
    rmdir(stage->folder);
}

const char *stage_path(const struct stage *stage, const char *name, char path[300])
{
    snprintf(path, 300, "%s/%s.vhd", stage->folder, name);
    return path;
}

void stage_put(const struct stage *stage, const char *name, const struct content *file)
{
    char path[300];
    file_write(stage_path(stage, name, path), file);
}

struct play stage_play(const struct stage *stage, const char *name, const struct plan *plan,
                       struct log *log)
{
    return (struct play){
        .catalogue = stage->catalogue,
        .name = name,
        .plan = plan,
        .log = log,
    };
}
