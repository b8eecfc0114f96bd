#include "options.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "version.h"

static const char usage[] =
    "usage: vhdfs STORE MOUNTPOINT [-f] [-d] [-o option,...]\n"
    "\n"
    "Mount the directory STORE of virtual hard disks on MOUNTPOINT; both are made if missing.\n"
    "\n"
    "    -f              stay in the foreground\n"
    "    -d              the same, and print what the kernel asks\n"
    "    -h, --help      print this\n"
    "    -V, --version   print the version\n"
    "\n"
    "    -o ro           change nothing\n"
    "    -o uid=N,gid=N  owner of the files in the tree (default: who mounts)\n"
    "    -o umask=M      permissions to take away, octal (default: none)\n"
    "    -o allow_other  let other users in, root too\n"
    "    -o history=N    ended tasks to remember (default: 4096)\n"
    "    -o pidfile=FILE write the daemon's process id to FILE, and remove it at the end\n"
    "    and what mount(8) gives to any file system: rw, dev, suid, noexec, noatime, ...\n";

enum key { KEY_HELP = 1, KEY_VERSION, KEY_FOREGROUND, KEY_DEBUG, KEY_READ_ONLY, KEY_REMOUNT };

/* What is read into on the way. */
struct parse {
    struct fs_options options;
    enum fs_parsed outcome;
};

/* As FUSE_OPT_KEY, of whose conversion clang warns. */
#define WORD(template, key)                                                                        \
    {                                                                                              \
        template, (unsigned long)-1U, key                                                          \
    }
#define VALUE(template, member)                                                                    \
    {                                                                                              \
        template, offsetof(struct parse, options.member), 0                                        \
    }

static const struct fuse_opt specs[] = {
    WORD("-h", KEY_HELP),         WORD("--help", KEY_HELP),
    WORD("-V", KEY_VERSION),      WORD("--version", KEY_VERSION),
    WORD("-f", KEY_FOREGROUND),   WORD("-d", KEY_DEBUG),
    WORD("ro", KEY_READ_ONLY),    WORD("remount", KEY_REMOUNT),
    VALUE("uid=%u", uid),         VALUE("gid=%u", gid),
    VALUE("umask=%o", umask),     VALUE("history=%u", history),
    VALUE("pidfile=%s", pidfile), {NULL, 0, 0},
};

static int refuse(struct parse *parse, const char *why, const char *what)
{
    fprintf(stderr, "vhdfs: %s%s\n", why, what);
    parse->outcome = FS_PARSED_WRONG;
    return -1;
}

/*
 * The path without symlinks, also when its last component does not exist yet.
 */
static char *resolve(const char *path)
{
    char *resolved = realpath(path, NULL);
    if (resolved || errno != ENOENT)
        return resolved;
    AUTO_FREE char *first = strdup(path);
    AUTO_FREE char *second = strdup(path);
    AUTO_FREE char *above = first ? realpath(dirname(first), NULL) : NULL;
    if (!above || !second ||
        asprintf(&resolved, "%s/%s", strcmp(above, "/") == 0 ? "" : above, basename(second)) < 0)
        return NULL;
    return resolved;
}

/* Take a path. Returns 0 when it was taken, -1 when it is refused. */
static int take_path(struct parse *parse, const char *arg)
{
    struct fs_options *options = &parse->options;
    char **path = !options->store ? &options->store : &options->mountpoint;

    if (options->mountpoint)
        return refuse(parse, "expected STORE and MOUNTPOINT, but there is also ", arg);
    *path = resolve(arg);
    if (!*path) {
        fprintf(stderr, "vhdfs: cannot reach \"%s\": %s\n", arg, strerrordesc_np(errno));
        parse->outcome = FS_PARSED_WRONG;
        return -1;
    }
    return 0;
}

/* libfuse asks for each argument: 1 leaves it to libfuse, 0 drops it, -1 refuses it. */
static int take(void *data, const char *arg, int key, struct fuse_args *out)
{
    struct parse *parse = data;
    (void)out;

    switch (key) {
    case FUSE_OPT_KEY_NONOPT:
        return take_path(parse, arg);
    case KEY_HELP:
        fputs(usage, stdout);
        parse->outcome = FS_PARSED_DONE;
        return -1;
    case KEY_VERSION:
        puts("vhdfs " VHDFS_VERSION);
        parse->outcome = FS_PARSED_DONE;
        return -1;
    case KEY_FOREGROUND:
        parse->options.is_foreground = true;
        return 0;
    case KEY_DEBUG:
        parse->options.is_foreground = true;
        return 1;
    case KEY_READ_ONLY:
        parse->options.is_read_only = true;
        return 1;
    case KEY_REMOUNT:
        return refuse(parse, "remount is not possible: unmount and mount again", "");
    default:
        return 1;
    }
}

static bool lies_inside(const char *inner, const char *outer)
{
    size_t len = strlen(outer);
    return strncmp(inner, outer, len) == 0 &&
           (inner[len] == '/' || inner[len] == 0 || outer[len - 1] == '/');
}

/* What can be judged only when all has been read. */
static int judge(struct parse *parse)
{
    const struct fs_options *options = &parse->options;

    if (!options->mountpoint) {
        fputs(usage, stderr);
        parse->outcome = FS_PARSED_WRONG;
        return -1;
    }
    if (lies_inside(options->store, options->mountpoint) ||
        lies_inside(options->mountpoint, options->store))
        return refuse(parse, "STORE and MOUNTPOINT must not lie inside each other", "");
    if (options->history == 0)
        return refuse(parse, "history=0: expected at least 1", "");
    return 0;
}

/* What libfuse is to know besides what was given. */
static int add_fuse_options(struct fs_options *options)
{
    AUTO_FREE char *list = NULL;
    AUTO_FREE char *fsname = NULL;

    if (asprintf(&fsname, "fsname=%s", options->store) < 0)
        return -1;
    if (fuse_opt_add_opt(&list, "default_permissions,subtype=vhdfs") < 0 ||
        fuse_opt_add_opt_escaped(&list, fsname) < 0)
        return -1;
    return fuse_opt_add_arg(&options->fuse, "-o") < 0 || fuse_opt_add_arg(&options->fuse, list) < 0
               ? -1
               : 0;
}

enum fs_parsed fs_options_parse(int argc, char **argv, struct fs_options *ret)
{
    struct fuse_args given = FUSE_ARGS_INIT(argc, argv);
    struct parse parse = {
        .options = {.uid = geteuid(), .gid = getegid(), .history = 4096, .fuse = given},
        .outcome = FS_PARSED_RUN,
    };

    int err = fuse_opt_parse(&parse.options.fuse, &parse, specs, take);
    if (err == 0)
        err = judge(&parse);
    if (err == 0)
        err = add_fuse_options(&parse.options);
    if (err < 0 && parse.outcome == FS_PARSED_RUN)
        parse.outcome = FS_PARSED_WRONG;
    *ret = parse.options;
    return parse.outcome;
}

void fs_options_free(struct fs_options *options)
{
    free(options->store);
    free(options->mountpoint);
    free(options->pidfile);
    fuse_opt_free_args(&options->fuse);
}
