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
    "    -o user=NAME    run as that user; needs root, unless it is who mounts\n"
    "    -o unsafe_store write to a store on sshfs or rclone, whose locks hold on one host only\n"
    "    -o pidfile=FILE write the daemon's process id to FILE, and remove it at the end\n"
    "    and what mount(8) gives to any file system: rw, dev, suid, noexec, noatime, ...\n";

enum key {
    KEY_HELP = 1,
    KEY_VERSION,
    KEY_FOREGROUND,
    KEY_DEBUG,
    KEY_READ_ONLY,
    KEY_REMOUNT,
    KEY_UNSAFE
};

/* An owner that no option has given. */
#define UNSET ((unsigned)-1)

/* What is read into on the way. */
struct parse {
    struct fs_options options;
    enum fs_parsed outcome;
};

/* Where a word has no value to be read into; FUSE_OPT_KEY, but clang warns of its conversion. */
#define NO_VALUE ((unsigned long)-1U)

#define AT(member) offsetof(struct parse, options.member)

static const struct fuse_opt specs[] = {
    {"-h", NO_VALUE, KEY_HELP},
    {"--help", NO_VALUE, KEY_HELP},
    {"-V", NO_VALUE, KEY_VERSION},
    {"--version", NO_VALUE, KEY_VERSION},
    {"-f", NO_VALUE, KEY_FOREGROUND},
    {"-d", NO_VALUE, KEY_DEBUG},
    {"ro", NO_VALUE, KEY_READ_ONLY},
    {"remount", NO_VALUE, KEY_REMOUNT},
    {"unsafe_store", NO_VALUE, KEY_UNSAFE},
    {"uid=%u", AT(uid), 0},
    {"gid=%u", AT(gid), 0},
    {"umask=%o", AT(umask), 0},
    {"history=%u", AT(history), 0},
    {"pidfile=%s", AT(pidfile), 0},
    {"user=%s", AT(user_name), 0},
    {NULL, 0, 0},
};

static int refuse(struct parse *parse, const char *why, const char *what)
{
    fprintf(stderr, "vhdfs: %s%s\n", why, what);
    parse->outcome = FS_PARSED_WRONG;
    return -1;
}

/*
 * The path without symlinks, also when its last component does not exist yet. One that leads
 * nowhere is kept as it is, but absolute: whoever is to open it says what is wrong.
 */
static char *resolve(const char *path)
{
    char *resolved = realpath(path, NULL);
    const bool is_missing = errno == ENOENT;
    if (resolved)
        return resolved;
    AUTO_FREE char *first = strdup(path);
    AUTO_FREE char *second = strdup(path);
    AUTO_FREE char *above = first ? realpath(dirname(first), NULL) : NULL;
    AUTO_FREE char *here = getcwd(NULL, 0);
    int len = -1;
    if (above && second && is_missing)
        len = asprintf(&resolved, "%s/%s", strcmp(above, "/") == 0 ? "" : above, basename(second));
    else if (*path == '/')
        len = asprintf(&resolved, "%s", path);
    else if (here)
        len = asprintf(&resolved, "%s/%s", here, path);
    return len < 0 ? NULL : resolved;
}

/* Take a path. Returns 0 when it was taken, -1 when it is refused. */
static int take_path(struct parse *parse, const char *arg)
{
    struct fs_options *options = &parse->options;
    char **path = !options->store ? &options->store : &options->mountpoint;

    if (options->mountpoint)
        return refuse(parse, "expected STORE and MOUNTPOINT, but there is also ", arg);
    *path = resolve(arg);
    return *path ? 0 : refuse(parse, "cannot tell where this is: ", arg);
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
    case KEY_UNSAFE:
        parse->options.is_unsafe_store = true;
        return 0;
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

/* Find whom to run as; the files in the tree are his unless told otherwise. */
static int judge_user(struct parse *parse)
{
    struct fs_options *options = &parse->options;
    struct fs_user *user = &options->user;

    *user = (struct fs_user){geteuid(), getegid()};
    int err = options->user_name ? fs_user_find(options->user_name, user) : 0;
    if (err == -EPERM)
        return refuse(parse, "only root can run as another user: ", options->user_name);
    if (err < 0)
        return refuse(parse, "there is no such user: ", options->user_name);
    if (options->uid == UNSET)
        options->uid = user->uid;
    if (options->gid == UNSET)
        options->gid = user->gid;
    return 0;
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
    return judge_user(parse);
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
        .options = {.uid = UNSET, .gid = UNSET, .history = 4096, .fuse = given},
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
    free(options->user_name);
    fuse_opt_free_args(&options->fuse);
}
